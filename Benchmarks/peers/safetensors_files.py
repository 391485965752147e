"""safetensors as plain arrays, in files and in folders of several, by the headers alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DTYPES = {
    "F32": np.float32, "F16": np.float16, "BF16": np.uint16, "I32": np.uint32, "U32": np.uint32,
    "U16": np.uint16, "I64": np.int64,
}


def read_safetensors(path: Path) -> dict[str, NDArray]:
    """The tensors of a file; BF16 as its bits, narrower types as bytes."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    tensors = {}
    for name, facts in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__":
            continue
        first, last = facts["data_offsets"]
        raw = np.frombuffer(data[8 + length + first : 8 + length + last], np.uint8)
        tensors[name] = raw.view(DTYPES.get(facts["dtype"], np.uint8)).reshape(facts["shape"])
    return tensors


def read_checkpoint(folder: Path) -> dict[str, NDArray]:
    """The tensors of a folder: of `model.safetensors`, or each of the file that the index names."""
    index = folder / "model.safetensors.index.json"
    if not index.exists():
        return read_safetensors(folder / "model.safetensors")
    places: dict[str, str] = json.loads(index.read_text())["weight_map"]
    shards = {shard: read_safetensors(folder / shard) for shard in set(places.values())}
    return {name: shards[shard][name] for name, shard in places.items()}


def write_safetensors(path: Path, tensors: dict[str, NDArray], metadata: dict[str, str]) -> None:
    """Writes F32, U16 and U8 arrays."""
    names = {np.dtype(np.float32): "F32", np.dtype(np.uint16): "U16", np.dtype(np.uint8): "U8"}
    header: dict[str, object] = {"__metadata__": metadata}
    offset = 0
    for name, array in tensors.items():
        header[name] = {
            "dtype": names[array.dtype], "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(
        len(text).to_bytes(8, "little") + text
        + b"".join(np.ascontiguousarray(a).tobytes() for a in tensors.values())
    )
