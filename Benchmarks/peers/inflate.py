"""Deflate streams of zlib, whole and damaged, with what zlib makes of them.

    python inflate.py --output Tests/Vectors/inflate/streams.json
    python inflate.py --streams 20000 --limit 4000 --seed 7 --output more.json

The tests of TensorFiles compare their own inflate with every stream of `Tests/Vectors/inflate`, and of
one more file if the environment names it:

    BLOCKFORMATS_INFLATE_STREAMS=$PWD/more.json swift test --filter Inflate

Streams come from all levels, strategies, window and memory sizes, raw, with flushes between parts, of
random and of structured data; most are then cut, extended, or changed in some bits or bytes. A stream is
`accepted` with the length and CRC-32 of what it makes if zlib ends exactly with its last byte; for a
refused one, `count` is the length of the data before the damage. Only the standard library is needed.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

DATE = "2026-11-28"
STRATEGIES = {
    "default": zlib.Z_DEFAULT_STRATEGY, "filtered": zlib.Z_FILTERED, "huffman": zlib.Z_HUFFMAN_ONLY,
    "rle": zlib.Z_RLE, "fixed": zlib.Z_FIXED,
}  # fmt: skip
FLUSHES = [zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_PARTIAL_FLUSH, zlib.Z_BLOCK]


# Data -----------------------------------------------------------------------------------------


def copies(rng: random.Random, count: int) -> bytes:
    """Short runs of random bytes between copies of what came before, from every distance."""
    data = bytearray()
    while len(data) < count:
        if data and rng.random() < 0.5:
            distance = rng.randint(1, len(data))
            for _ in range(rng.randint(3, 258)):
                data.append(data[-distance])
        else:
            data += rng.randbytes(rng.randint(1, 5))
    return bytes(data[:count])


def repeated(rng: random.Random, count: int) -> bytes:
    part = rng.randbytes(rng.randint(1, 40))
    return (part * (count // len(part) + 1))[:count]


DATA: dict[str, Callable[[random.Random, int], bytes]] = {
    "random": lambda rng, count: rng.randbytes(count),
    "zeros": lambda rng, count: bytes(count),
    "two letters": lambda rng, count: bytes(rng.choice(b"ab") for _ in range(count)),
    "floats": lambda rng, count: b"".join(
        struct.pack("<f", rng.gauss(0, 1)) for _ in range(count // 4)
    ),
    "skewed": lambda rng, count: bytes(min(255, int(rng.expovariate(0.05))) for _ in range(count)),
    "narrow": lambda rng, count: bytes(int(rng.gauss(128, 3)) & 255 for _ in range(count)),
    "repeated": repeated,
    "copies": copies,
}


# Streams --------------------------------------------------------------------------------------


def compressed(rng: random.Random, data: bytes) -> tuple[str, bytes]:
    """What zlib makes of data, and how it was asked to."""
    strategy = rng.choice(list(STRATEGIES))
    level, window, memory = rng.randint(0, 9), rng.randint(9, 15), rng.randint(1, 9)
    parts = rng.choice([1, 1, 1, 2, 4])
    deflate = zlib.compressobj(level, zlib.DEFLATED, -window, memory, STRATEGIES[strategy])
    stream = b""
    for index in range(parts):
        stream += deflate.compress(
            data[len(data) * index // parts : len(data) * (index + 1) // parts]
        )
        if index < parts - 1:
            stream += deflate.flush(rng.choice(FLUSHES))
    return f"level {level} {strategy} window {window}", stream + deflate.flush()


def damaged(rng: random.Random, stream: bytes) -> tuple[str, bytes]:
    """A stream of which something is changed."""
    result = bytearray(stream)
    match rng.choice(["flips", "flips", "flips", "flips", "cut", "extended", "bytes", "random"]):
        case "flips":
            # Mostly near the start, where the codes of a block are.
            for _ in range(rng.choice([1, 1, 1, 2, 3])):
                place = rng.randrange(min(len(result), rng.choice([3, 12, 60, len(result)])))
                result[place] ^= 1 << rng.randrange(8)
            return "flipped", bytes(result)
        case "cut":
            return "cut", bytes(result[: rng.randrange(len(result))])
        case "extended":
            return "extended", bytes(result) + rng.randbytes(rng.randint(1, 3))
        case "bytes":
            place, count = rng.randrange(len(result)), rng.randint(0, 4)
            result[place : place + count] = rng.randbytes(rng.randint(0, 4))
            return "replaced", bytes(result)
        case _:
            # A last block, mostly one that brings its codes.
            result = bytearray(rng.randbytes(rng.randint(1, 60)))
            result[0] = result[0] & 0xF8 | rng.choice([1, 3, 5, 5, 5])
            return "random", bytes(result)


def inflated(stream: bytes) -> bytes | None:
    """What zlib makes of a raw stream; nothing unless it ends with the last byte."""
    inflate = zlib.decompressobj(-15)
    try:
        data = inflate.decompress(stream)
    except zlib.error:
        return None
    return data if inflate.eof and not inflate.unused_data else None


def cases(rng: random.Random, count: int, limit: int) -> list[dict[str, object]]:
    """Every other stream is whole."""
    result: list[dict[str, object]] = []
    while len(result) < count:
        kind = rng.choice(list(DATA))
        length = rng.choice([0, 1, 5, 30, 100, 300, 800, 3000])
        data = DATA[kind](rng, rng.randint(length // 2, length))
        name, stream = compressed(rng, data)
        if len(stream) > limit:
            continue
        for change, variant in (("whole", stream), damaged(rng, stream)):
            out = inflated(variant)
            case: dict[str, object] = {
                "name": f"{kind}, {name}, {change}",
                "stream": base64.b64encode(variant).decode("ascii"),
                "count": len(data) if out is None else len(out),
            }
            if out is not None:
                case["checksum"] = zlib.crc32(out)
            result.append(case)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--streams", type=int, default=520)
    parser.add_argument("--limit", type=int, default=160, help="the most bytes of a stream")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = cases(random.Random(options.seed), options.streams, options.limit)
    header = {
        "tool": "zlib",
        "version": zlib.ZLIB_RUNTIME_VERSION,
        "command": "python3 Benchmarks/peers/inflate.py --output Tests/Vectors/inflate/streams.json",
        "date": DATE,
        "source": "RFC 1951",
        "comment": "streams in base64; those without a checksum are refused by zlib",
    }
    lines = ",\n".join("  " + json.dumps(case) for case in found)
    text = '{\n "header": ' + json.dumps(header) + ',\n "cases": [\n' + lines + "\n ]\n}\n"
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(text, encoding="ascii")
    accepted = sum("checksum" in case for case in found)
    print(f"{len(found)} streams, {accepted} accepted, {len(text)} bytes")


if __name__ == "__main__":
    main()
