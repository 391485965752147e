"""`fmtbench encode` and `fmtbench decode` on arrays."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np

from dialect_fields import Floats, Stored, to_stream
from safetensors_files import write_safetensors


class Fmtbench:
    """The executable under test."""

    def __init__(self, path: str, folder: Path) -> None:
        self.path, self.folder = path, folder
        done = subprocess.run(
            [path, "list", "--producers", "--json"], capture_output=True, text=True, check=True
        )
        self.presets = {
            (row["producer"], row["name"]): row for row in json.loads(done.stdout)["rows"]
        }

    def run(self, *words: str) -> None:
        done = subprocess.run([self.path, *words, "--quiet"], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(words)}: {done.stderr.strip()}")

    def words(self, producer: str, preset: str) -> list[str]:
        """The options of a producer's choices, or of a format's defaults."""
        row = self.presets.get((producer, preset))
        if row is None:
            return ["--format", preset]
        choices = set(row["choices"].split())
        return ["--format", row["format"]] + [
            f"--{key.replace('_', '-')}={value}"
            for key, value in row.items()
            if value in choices and key not in ("producer", "name", "format", "choices")
        ]

    def encoded(self, words: list[str], values: Floats) -> Path:
        source, result = self.folder / "values.npy", self.folder / "encoded.safetensors"
        np.save(source, np.ascontiguousarray(values))
        self.run("encode", str(source), "--output", str(result), "--codes", *words)
        return result

    def decoded(self, stored: Stored, words: list[str]) -> Floats:
        """What the library decodes the producer's fields to, in a file of its own layout."""
        source, result = self.folder / "stored.safetensors", self.folder / "decoded.npy"
        data = self.encoded(words[:2], np.zeros(stored.shape, np.float32)).read_bytes()
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])
        metadata = header.pop("__metadata__")
        # Rows of the files at hand end with a byte.
        bits = int(np.prod(header["packed"]["shape"])) * 8 // stored.codes.size
        tensors = {}
        for name, facts in header.items():
            if name == "codes":
                continue
            if name == "packed":
                plane = to_stream(stored.codes, bits)
            else:
                plane = stored.scales[name]
                first, last = facts["data_offsets"]
                if plane.nbytes != last - first:
                    plane = to_stream(plane.astype(np.uint32), 8 * (last - first) // plane.size)
            tensors[name] = np.ascontiguousarray(plane).reshape(facts["shape"])
        write_safetensors(source, tensors, metadata)
        self.run("decode", str(source), "--output", str(result))
        return np.load(result)
