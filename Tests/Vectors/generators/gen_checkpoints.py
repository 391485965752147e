"""checkpoints: the smallest files of each producer, and GGUF files cut to a few rows.

FOLDER is the folder that `Benchmarks/peers/dialects.py FOLDER` made. Files are copied as they are, but GGUF
files keep their smaller tensors or the first rows alone, as do the values that go with them.
"""

import shutil
import struct
import sys
from pathlib import Path

PAIRS = {
    "mlx": ["affine4_g64", "affine8_g64", "mxfp4", "mxfp8", "nvfp4", "nvfp4_global"],
    "torchao": [
        "mxfp4_floor", "mxfp4_rceil", "mxfp6_e2m3_floor", "mxfp8_e4m3_floor", "mxfp8_e4m3_rceil", "nvfp4"],
    "modelopt": ["fp8", "mxfp4", "mxfp8", "nvfp4"],
    "bitsandbytes": ["nf4"],
    "quark": ["mxfp4", "mxfp6_e2m3"],
}
FOLDERS = {
    "compressed-tensors": [
        "fp8", "fp8_block", "fp8_dynamic", "mxfp4a16", "mxfp8a16", "nvfp4a16", "w4a16_g32"],
    "gpt-oss": ["mxfp4"],
}
# Producer, type, tensors kept (None: the first ROWS rows of the largest one), bytes of a block, its elements.
MODELS = [
    ("gguf-py", "MXFP4", ["tiny4x64"], 17, 32), ("gguf-py", "Q4_0", ["tiny4x64"], 18, 32),
    ("gguf-py", "Q4_1", ["tiny4x64"], 20, 32), ("gguf-py", "Q5_0", ["tiny4x64"], 22, 32),
    ("gguf-py", "Q8_0", ["tiny4x64"], 34, 32), ("ggml-c", "NVFP4", ["tiny4x64"], 36, 64),
    ("ggml-c", "Q4_K", None, 144, 256), ("ggml-c", "Q6_K", None, 210, 256),
]
ROWS = 2
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}


def text(data, at):
    (count,) = struct.unpack_from("<Q", data, at)
    return data[at + 8:at + 8 + count], at + 8 + count


def skip(data, at, kind):
    if kind == 8:
        return text(data, at)[1]
    if kind == 9:
        inner, count = struct.unpack_from("<IQ", data, at)
        at += 12
        for _ in range(count):
            at = skip(data, at, inner)
        return at
    return at + SIZES[kind]


def cut(data, kept, block_bytes, block):
    """A GGUF file with some of its tensors, or the first rows of the last one."""
    tensors, pairs = struct.unpack_from("<QQ", data, 8)
    at = 24
    for _ in range(pairs):
        at = text(data, at)[1]
        (kind,) = struct.unpack_from("<I", data, at)
        at = skip(data, at + 4, kind)
    head_end, entries = at, []
    for _ in range(tensors):
        name, at = text(data, at)
        (rank,) = struct.unpack_from("<I", data, at)
        shape = struct.unpack_from(f"<{rank}Q", data, at + 4)
        kind, offset = struct.unpack_from("<IQ", data, at + 4 + 8 * rank)
        at += 16 + 8 * rank
        entries.append((name, shape, kind, offset))
    start = -(-at // 32) * 32
    if kept is None:
        name, (width, _), kind, offset = entries[-1]
        entries = [(name, (width, ROWS), kind, offset)]
    else:
        entries = [entry for entry in entries if entry[0].decode().removesuffix(".weight") in kept]
    head, body = data[:8] + struct.pack("<QQ", len(entries), pairs) + data[24:head_end], b""
    for name, shape, kind, offset in entries:
        size = shape[0] // block * block_bytes * shape[1]
        head += struct.pack("<Q", len(name)) + name + struct.pack("<I2QIQ", 2, *shape, kind, len(body))
        body += data[start + offset:start + offset + size]
        body += bytes(-len(body) % 32)
    return head + bytes(-len(head) % 32) + body


def rows(data, shape, count):
    """The first rows of an array of float32 in C order."""
    start = 10 + struct.unpack_from("<H", data, 8)[0]
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({count}, {shape[1]}), }}"
    header += " " * (start - 11 - len(header)) + "\n"
    return data[:10] + header.encode() + data[start:start + 4 * count * shape[1]]


def main(source, target):
    target = target / "checkpoints"
    for producer, names in PAIRS.items():
        (target / producer).mkdir(parents=True, exist_ok=True)
        for name in names:
            for ending in [".safetensors", ".dequantized.npy"]:
                shutil.copyfile(
                    source / producer / f"{name}-tiny4x64{ending}", target / producer / (name + ending))
    for producer, names in FOLDERS.items():
        for name in names:
            (target / producer / name).mkdir(parents=True, exist_ok=True)
            for file in ["config.json", "dequantized.npy", "model.safetensors"]:
                shutil.copyfile(
                    source / producer / f"{name}-tiny4x64" / file, target / producer / name / file)
    for producer, kind, kept, size, block in MODELS:
        (target / producer).mkdir(parents=True, exist_ok=True)
        data = (source / producer / f"{kind}-shared.gguf").read_bytes()
        (target / producer / f"{kind}.gguf").write_bytes(cut(data, kept, size, block))
        name = "tiny4x64" if kept else "normal64x256"
        values = (source / producer / f"{kind}-{name}.dequantized.npy").read_bytes()
        (target / producer / f"{kind}.dequantized.npy").write_bytes(
            values if kept else rows(values, (64, 256), ROWS))
    for name in ["nvfp4", "nvfp4_swizzled"]:
        shutil.copyfile(
            source / "torchao" / f"{name}-normal64x256.safetensors",
            target / "torchao" / f"{name}-normal64x256.safetensors")
    shutil.copyfile(source / "inputs" / "tiny4x64.npy", target / "input.npy")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
