"""philox: known answers of Philox4x32-10, computed here and compared with the published ones."""

from common import *

M0, M1 = 0xD2511F53, 0xCD9E8D57
W0, W1 = 0x9E3779B9, 0xBB67AE85
MASK = 0xFFFFFFFF

# Random123, kat_vectors: counter, key, output.
PUBLISHED = [
    ("all zero", [0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ("all ones", [MASK] * 4, [MASK] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        "digits of pi",
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = M0 * c[0], M1 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & MASK, (p0 >> 32) ^ c[3] ^ k[1], p0 & MASK]
        k = [(k[0] + W0) & MASK, (k[1] + W1) & MASK]
    return c


def entry(label, counter, key, output):
    return {"name": label, "counter": words(counter), "key": words(key), "output": words(output)}


cases = []
for label, counter, key, output in PUBLISHED:
    assert philox(counter, key) == output, label
    cases.append(entry(label, counter, key, output))
rng = seeded("philox")
for i in range(16):
    counter = [rng.getrandbits(32) if i > 7 else i * (j == 0) for j in range(4)]
    key = [rng.getrandbits(32), rng.getrandbits(32)]
    cases.append(entry(f"computed {i}", counter, key, philox(counter, key)))
comment = (
    "the first three are the Random123 known answers, the rest were computed by the Python transcription "
    "that reproduces those three; words are listed lowest index first"
)
write(
    "philox/kat.json",
    {
        "header": header(
            "Random123 known answers, Python transcription",
            "kat_vectors",
            "Salmon et al., SC 2011",
            comment,
        ),
        "cases": cases,
    },
)
