"""Files that producers wrote, decoded and encoded again by `fmtbench`.

    python dialects.py FOLDER [--fmtbench PATH] [--vectors FILE]

FOLDER holds one folder for each producer: safetensors and GGUF files with the producer's own
dequantization as `.npy` beside them, and the inputs that they were made of; and `checkpoints`, models
with the source beside them. Nothing of it is kept here; only the counts that this script prints are.
For each file and each quantized weight of a checkpoint it prints how many decoded values are the
producer's to the bit, and how many codes and scales of `fmtbench encode` under the producer's choices
are the file's. For a weight of a checkpoint the encoder is given the tensor scale; the one that it
finds by itself, from all weights that share it, is counted too. `bf16` counts what is equal with scales
found in BF16, as compressed-tensors does. FILE receives the small files as vectors for the tests.

The containers are read as plain arrays of bytes; GGUF by the package of that name. Needs numpy and gguf.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dialect_checkpoints import checkpoint_cases, tensor_scale_in_bf16, with_rounded_sixths
from dialect_fields import Case, Floats, Stored, from_stream, rounded_to_bf16
from dialect_ggml import ggml_cases
from dialect_safetensors import safetensors_cases
from executable import Fmtbench
from safetensors_files import read_safetensors


@dataclass
class Count:
    """How many of some are equal."""

    equal: int
    all: int

    @property
    def is_complete(self) -> bool:
        return self.equal == self.all

    def __str__(self) -> str:
        return f"{self.equal}/{self.all}" + ("" if self.is_complete else " *")


@dataclass
class Outcome:
    """Counts of one tensor."""

    values: Count
    worst: float
    """The largest distance of a value in units of the producer's last place."""
    counts: dict[str, Count]
    """Codes and scales of the encoder, by the names of the fields."""
    in_bf16: dict[str, Count] = field(default_factory=dict)
    """The same where scales are found in BF16 first, as the producer does."""

    @property
    def is_encoded(self) -> bool:
        """Whether all codes and scales are the producer's, where need be with its BF16 scales."""
        return all(count.is_complete for count in (self.in_bf16 or self.counts).values())


def equal_values(stored: Stored, ours: Floats) -> tuple[Count, float]:
    """How many decoded values are the producer's, and the largest distance in its last places."""
    ours, theirs = ours.reshape(-1), stored.reference.astype(np.float32).reshape(-1)
    if stored.decoding == "bf16":
        ours = rounded_to_bf16(ours)
    equal = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    with np.errstate(divide="ignore", invalid="ignore"):
        ulps = np.abs(ours.astype(np.float64) - theirs) / np.spacing(np.abs(theirs))
    ulps = np.where(np.isfinite(ulps), ulps, np.inf)
    return Count(int(equal.sum()), ours.size), float(np.max(np.where(equal, 0, ulps), initial=0))


def equal_words(own: NDArray, other: NDArray) -> Count:
    """How many are equal to the bit."""
    own, other = own.reshape(-1), np.ascontiguousarray(other).reshape(-1)
    if own.dtype == np.float32:
        own, other = own.view(np.uint32), other.astype(np.float32).view(np.uint32)
    return Count(int((own == other).sum()), own.size)


def equal_fields(
    fmtbench: Fmtbench, words: list[str], stored: Stored, values: Floats
) -> dict[str, Count]:
    """How many codes and scales of the encoder are the producer's."""
    mine = read_safetensors(fmtbench.encoded(words, values.reshape(stored.shape)))
    counts = {"codes": equal_words(mine["codes"], stored.codes)}
    for name, plane in stored.scales.items():
        own = mine[name]
        if own.nbytes != plane.nbytes:
            bits = 8 * own.nbytes // plane.size
            own = from_stream(own.reshape(plane.shape[0], -1), bits, plane.shape[1])
        counts[name] = equal_words(own, plane)
    return counts


def compare(fmtbench: Fmtbench, case: Case) -> Outcome:
    """Decodes the file's fields, encodes the input, and counts."""
    stored, words = case.stored, fmtbench.words(case.producer, case.stored.preset)
    outcome = Outcome(*equal_values(stored, fmtbench.decoded(stored, words)), {})
    if case.sharing is None:
        outcome.counts = equal_fields(fmtbench, words, stored, case.values)
        return outcome
    scale = stored.scales["tensor_scale"].reshape(-1)
    given = [*words, f"--tensor-scale={float(scale[0])!r}"]
    own = read_safetensors(fmtbench.encoded(words, np.concatenate(case.sharing)))["tensor_scale"]
    outcome.counts = equal_fields(fmtbench, given, stored, case.values)
    outcome.counts["tensor_scale"] = equal_words(own, scale)
    if case.scales_in_bf16:
        moved = with_rounded_sixths(case.values)
        outcome.in_bf16 = equal_fields(fmtbench, given, stored, moved)
        own = tensor_scale_in_bf16(np.concatenate(case.sharing))
        outcome.in_bf16["tensor_scale"] = equal_words(own, scale)
    return outcome


def line(case: Case, outcome: Outcome) -> str:
    """A row of the table; `*` marks what is not all equal."""
    counts = [f"{name} {count}" for name, count in outcome.counts.items()]
    counts += [f"bf16 {name} {count}" for name, count in outcome.in_bf16.items()]
    values = outcome.values
    return (
        f"{case.producer:<20}{case.kind:<20}{case.name:<14}"
        f"{values.equal}/{values.all:<10}  {outcome.worst:<10.3g} {', '.join(counts)}"
    )


def is_failure(stored: Stored, outcome: Outcome) -> bool:
    """Whether something differs without a known reason."""
    # Producers round the product of two scales, and then that with the element.
    if outcome.worst > (1 if "tensor_scale" in stored.scales else 0):
        return True
    # Scales beyond FP16 are infinite there and end at 65504 here.
    halves = [plane for plane in stored.scales.values() if plane.dtype == np.uint16]
    if any(((plane & 0x7C00) == 0x7C00).any() for plane in halves):
        return False
    return not outcome.is_encoded


def summary(name: str, outcomes: list[Outcome]) -> str:
    """How many tensors are equal, in one line."""
    encoded = sum(all(c.is_complete for c in o.counts.values()) for o in outcomes)
    in_bf16 = sum(bool(o.in_bf16) and o.is_encoded for o in outcomes)
    decoded = sum(o.values.is_complete for o in outcomes)
    within = sum(not o.values.is_complete and o.worst <= 1 for o in outcomes)
    return (
        f"{name} {len(outcomes)}: codes and scales equal in {encoded}"
        + (f", with scales found in BF16 in {in_bf16} more" if in_bf16 else "")
        + f"; values equal in {decoded}, within 1 ulp in {within} more"
    )


# MARK: - Vectors


VERSIONS = (
    "mlx 0.32.4, torchao 0.18.0, nvidia-modelopt 0.47.0, compressed-tensors 0.20.0, amd-quark 0.13, "
    "bitsandbytes 0.50.2; gpt-oss laid out by transformers 5.24.0"
)


def vector(case: Case) -> dict[str, object]:
    """A small file as a case of a test."""
    stored = case.stored

    def words(array: NDArray, bits: int) -> str:
        flat = np.ascontiguousarray(array).reshape(-1)
        if flat.dtype == np.float32:
            flat = flat.view(np.uint32)
        return " ".join(f"{int(word):0{bits // 4}x}" for word in flat)

    def width(plane: NDArray) -> int:
        return 8 * plane.dtype.itemsize

    fields = {name: words(plane, width(plane)) for name, plane in stored.scales.items()}
    return {
        "producer": case.producer, "preset": stored.preset, "shape": list(stored.shape),
        "input": words(case.values, 32),
        "fields": {"codes": words(stored.codes.astype(np.uint8), 8)} | fields,
        "decoded": words(stored.reference, 32), "decoding": stored.decoding,
    }


def write_vectors(path: Path, cases: list[dict[str, object]]) -> None:
    """Writes the cases with where they come from."""
    header = {
        "tool": "the producers' own packages, on the CPU",
        "version": VERSIONS,
        "command": "python3 Benchmarks/peers/dialects.py FOLDER --vectors FILE",
        "date": "2026-11-28",
        "source": "files that the producers wrote of random values and of ties of E2M1",
        "comment": "codes in the order of the values, scales as stored, tensor scales as decode "
        "multipliers; decoding bf16: the producer rounds its values to BF16",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"header": header, "cases": cases}, indent=1) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fmtbench", default="fmtbench")
    parser.add_argument("--vectors", type=Path)
    options = parser.parse_args()
    parts = {
        "files": safetensors_cases(options.folder) + ggml_cases(options.folder),
        "weights of checkpoints": checkpoint_cases(options.folder),
    }
    failures, summaries, vectors = 0, [], []
    print(
        f"{'producer':<20}{'kind':<20}{'input':<14}{'values equal':<18}{'worst ulp':<11}"
        "codes, scales equal"
    )
    with tempfile.TemporaryDirectory() as temporary:
        fmtbench = Fmtbench(options.fmtbench, Path(temporary))
        for name, cases in parts.items():
            outcomes = []
            for case in cases:
                stored = case.stored
                if stored.codes.size <= 512 and (case.producer, stored.preset) in fmtbench.presets:
                    vectors.append(vector(case))
                outcomes.append(compare(fmtbench, case))
                print(line(case, outcomes[-1]))
                failures += is_failure(stored, outcomes[-1])
            summaries.append(summary(name, outcomes))
    print("", *summaries, f"failures: {failures}", sep="\n")
    if options.vectors:
        write_vectors(options.vectors, vectors)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
