"""philox: known answers of Philox4x32-10, and the words that stochastic rounding takes from it."""

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


def rounding_word(seed, stream, index):
    quad, position = divmod(index, 4)
    counter = [quad & MASK, quad >> 32, seed >> 32, 0]
    return philox(counter, [seed & MASK, stream])[position]


def halves(value):
    return words([value & MASK, value >> 32])


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

# Runs of ten indices: each crosses two or three blocks, and some a word of the counter.
COUNT = 10
runs = [
    ("key and counter zero", 0, 0, 0),
    ("first elements", 0x1122334455667788, 9, 0),
    ("odd start", 0x1122334455667788, 9, 1003),
    ("index passes 32 bits", 0x1122334455667788, 9, (1 << 32) - 5),
    ("block number passes 32 bits", 0x1122334455667788, 9, (1 << 34) - 5),
    ("last elements", 0x1122334455667788, 9, (1 << 64) - COUNT),
    ("largest seed and stream", (1 << 64) - 1, MASK, 2),
]
for i in range(8):
    seed, stream, first = rng.getrandbits(64), rng.getrandbits(32), rng.getrandbits(40 + i)
    runs.append((f"drawn {i}", seed, stream, first))
assert [rounding_word(0, 0, i) for i in range(4)] == PUBLISHED[0][3]
write(
    "philox/rounding_words.json",
    {
        "header": header(
            "Python transcription of Philox4x32-10",
            "1",
            "Salmon et al., SC 2011; FORMATS.md, Rounding",
            "words[j] is the random word of the element with row-major index first + j; seed and first "
            "are the low and the high half; the generator is the one that reproduces philox/kat.json",
        ),
        "cases": [
            {
                "name": label,
                "seed": halves(seed),
                "stream": stream,
                "first": halves(first),
                "words": words(rounding_word(seed, stream, first + j) for j in range(COUNT)),
            }
            for label, seed, stream, first in runs
        ],
    },
)
