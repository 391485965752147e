"""Prints the expected bit patterns of DistributionGoldenTests, written apart from the library.

Run: python3 gen_distributions.py (made with Python 3.11.7 and NumPy 2.4.6, which rounds to binary32).
The normal quantile is the standard library's; log and exp are those of the C library, whose last bit
in binary64 is far below what the rounding to binary32 shows.
"""

import math
import statistics

import numpy as np

SEED = 0x0123456789ABCDEF
LENGTH = 64
INDICES = [0, 1, 63, 64, 1000, 4095]
MASK = 0xFFFFFFFF


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & MASK, (a >> 32) ^ c[3] ^ k[1], a & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c


def uniforms(i, draw=0, stream=0):
    w = philox([i & MASK, i >> 32, draw, stream], [SEED & MASK, SEED >> 32])
    pair = (w[1] << 32 | w[0], w[3] << 32 | w[2])
    return [((k >> 12) + 0.5) / 2.0**52 for k in pair]


Z = statistics.NormalDist().inv_cdf


def student(i, nu):
    z = [Z(uniforms(i, t // 2)[t % 2]) for t in range(nu + 1)]
    return z[0] / math.sqrt(sum(v * v for v in z[1:]) / nu)


def laplace(i):
    u = uniforms(i)[0]
    return math.log(2 * u) if u < 0.5 else -math.log(2 * (1 - u))


def log_normal(i):
    u, v = uniforms(i)
    return math.copysign(math.exp(Z(u)), v - 0.5)


def outliers(i):
    columns = sorted(range(LENGTH), key=lambda c: (uniforms(c, 0, 2)[0], c))
    count = math.floor(LENGTH / 64 + 0.5)
    return Z(uniforms(i)[0]) * (30 if i % LENGTH in columns[:count] else 1)


SAMPLES = {
    "bdr": lambda i: abs(Z(uniforms(i // LENGTH, 0, 1)[0])) * Z(uniforms(i)[0]),
    "uniform": lambda i: 2 * uniforms(i)[0] - 1,
    "normal": lambda i: Z(uniforms(i)[0]),
    "laplace": laplace,
    "student_t": lambda i: student(i, 5),
    "log_normal": log_normal,
    "outlier_channels": outliers,
}

if __name__ == "__main__":
    for name, f in SAMPLES.items():
        bits = [int(np.float32(f(i)).view(np.uint32)) for i in INDICES]
        text = ", ".join(f"0x{b >> 16:04X}_{b & 0xFFFF:04X}" for b in bits)
        print(f'    "{name}": [{text}],')
    first = min(range(LENGTH), key=lambda c: uniforms(c, 0, 2)[0])
    value = int(np.float32(outliers(first)).view(np.uint32))
    print(f"    // outlier column {first}: 0x{value >> 16:04X}_{value & 0xFFFF:04X}")
