"""Running error analysis: float64 arrays that carry a bound on the error of the same steps in FP32."""

import numpy as np

U = 2.0**-24


class Running:
    """Values, and how far FP32 steps to nearest may be from them, to first order in U.

    Every operation adds what its operands' errors become and U times the magnitude of its result.
    Sums allow for any order: n U times the sum of magnitudes. A fused multiply-add rounds less.
    """

    __array_priority__ = 1000

    def __init__(self, values, errors=0.0):
        self.v = np.asarray(values, dtype=np.float64)
        self.e = np.broadcast_to(np.asarray(errors, dtype=np.float64), self.v.shape).copy()

    @staticmethod
    def of(x):
        return x if isinstance(x, Running) else Running(x)

    def __add__(self, other):
        o = Running.of(other)
        v = self.v + o.v
        return Running(v, self.e + o.e + U * abs(v))

    def __sub__(self, other):
        return self + -Running.of(other)

    def __neg__(self):
        return Running(-self.v, self.e)

    def __mul__(self, other):
        o = Running.of(other)
        v = self.v * o.v
        return Running(v, abs(self.v) * o.e + abs(o.v) * self.e + U * abs(v))

    def __truediv__(self, other):
        o = Running.of(other)
        v = self.v / o.v
        return Running(v, (self.e + abs(v) * o.e) / abs(o.v) + U * abs(v))

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return Running.of(other) - self

    def __rtruediv__(self, other):
        return Running.of(other) / self

    def sum(self, axis, keepdims=False):
        terms = self.v.shape[axis]
        v = self.v.sum(axis, keepdims=keepdims)
        e = (self.e + terms * U * abs(self.v)).sum(axis, keepdims=keepdims)
        return Running(v, e)

    def exp(self):
        """1.1 ulp, at most 2.2 U."""
        v = np.exp(self.v)
        return Running(v, v * (self.e + 2.2 * U))

    def log(self):
        """1 ulp, at most 2 U."""
        v = np.log(self.v)
        return Running(v, self.e / abs(self.v) + 2 * U * abs(v))

    def sqrt(self):
        v = np.sqrt(self.v)
        return Running(v, self.e / (2 * v) + U * v)

    def map(self, index):
        """Indexing, transposing and the like, on values and errors alike."""
        return Running(index(self.v), index(self.e))

    def __getitem__(self, key):
        return self.map(lambda a: a[key])

    def reshape(self, *shape):
        return self.map(lambda a: a.reshape(*shape))

    def moved(self, *axes):
        return self.map(lambda a: a.transpose(*axes))


def rounded(x):
    """A constant that FP32 code rounds."""
    return Running(x, U * abs(np.asarray(x)))


def stack(items, axis):
    return Running(np.stack([i.v for i in items], axis), np.stack([i.e for i in items], axis))


def product(a, b):
    """Rows of a (..., M, K) times rows of b (..., N, K)."""
    a, b = Running.of(a), Running.of(b)
    return (a[..., :, None, :] * b[..., None, :, :]).sum(-1)
