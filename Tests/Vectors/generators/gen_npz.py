"""npz: archives as NumPy writes them, and as Python's zipfile does in its other ways."""

import base64
import io
import sys
import zipfile
import zlib

from common import *


class Pipe(io.RawIOBase):
    """An output without a way back, for which zipfile writes data descriptors."""

    def __init__(self):
        self.data = b""

    def writable(self):
        return True

    def write(self, data):
        self.data += bytes(data)
        return len(data)


def saved(save, arrays):
    out = io.BytesIO()
    save(out, **arrays)
    return out.getvalue()


def piped(save, arrays):
    out = Pipe()
    save(out, **arrays)
    return out.data


def zipped(members, method, comment=b""):
    """An archive of bytes by name, all fields of it of fixed values."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.comment = comment
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, method)
    return out.getvalue()


def npy(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def widened(write, *arguments):
    """What is written if everything is too large for 32 bits, and members too many for 16."""
    limits = zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT
    zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT = 1, 0
    try:
        return write(*arguments)
    finally:
        zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT = limits


def tensors(arrays):
    result = []
    for name, array in arrays.items():
        entry = {
            "name": name,
            "dtype": str(array.dtype),
            "shape": list(array.shape),
            "fortran": bool(array.flags.f_contiguous and not array.flags.c_contiguous),
        }
        if array.dtype.kind == "f" or array.dtype == ml_dtypes.bfloat16:
            with np.errstate(over="ignore"):
                entry["values"] = words(array_bits(array.astype(np.float32)))
        else:
            entry["bytes"] = array.astype(array.dtype.newbyteorder("<")).tobytes().hex()
        result.append(entry)
    return result


rng = np.random.default_rng(20261128)
matrix = rng.standard_normal((3, 5)).astype("<f4")
usual = {"weight": matrix, "bias": np.array([1, -2.5, 0.1], "<f4")}
# Halfway points of float32, one above, and numbers beyond it.
doubles = np.array([1 + 2**-24, 1 + 2**-24 + 2**-52, 1 + 3 * 2**-24, 2.0**-150, 1e39, -0.0, 0.1])
mixed = {
    "half": np.array([1, -2.5, 6e-8, np.inf], "<f2"),
    "double": doubles,
    "big": doubles.astype(">f8"),
    "big/single": matrix.astype(">f4"),
    "columns": np.asfortranarray(matrix),
    "cube": np.asfortranarray(rng.standard_normal((2, 3, 4)).astype("<f8")),
    "scalar": np.array(3.5, "<f4"),
    "none": np.zeros((2, 0, 3), "<f4"),
    "größe": np.arange(4, dtype="<f4"),
    "": np.array([7], "<f4"),
    "step": np.array(1000, "<i8"),
    "codes": np.arange(6, dtype="|u1").reshape(2, 3),
    "wide": np.array([1, 65535], "<u2"),
    "mask": np.array([True, False]),
}
raw = {
    "w": np.array([1, -2.5, 3.14, np.nan], ml_dtypes.bfloat16),
    "columns": np.asfortranarray(matrix.astype(ml_dtypes.bfloat16)),
    "scale": np.array([1, 0.5, 448], ml_dtypes.float8_e4m3fn),
}
long = {"ramp": (np.arange(4000) // 7).astype("<f4"), "noise": rng.integers(0, 9, 900).astype("<f2")}
others = {"a.npy": npy(usual["bias"]), "readme.txt": b"text", "names.npy": npy(np.array(["a", "bc"]))}

cases = []
for name, data, arrays, other in [
    ("savez", saved(np.savez, usual), usual, []),
    ("savez_compressed", saved(np.savez_compressed, usual), usual, []),
    ("savez of every type", saved(np.savez, mixed), mixed, []),
    ("savez_compressed of every type", saved(np.savez_compressed, mixed), mixed, []),
    ("savez into a pipe", piped(np.savez, usual), usual, []),
    ("savez_compressed into a pipe", piped(np.savez_compressed, usual), usual, []),
    ("savez of large sizes", widened(saved, np.savez, usual), usual, []),
    ("savez_compressed of large sizes", widened(saved, np.savez_compressed, usual), usual, []),
    ("savez_compressed into a pipe of large sizes",
     widened(piped, np.savez_compressed, usual), usual, []),
    ("savez of ml_dtypes", saved(np.savez, raw), raw, []),
    ("savez_compressed of ml_dtypes", saved(np.savez_compressed, raw), raw, []),
    ("savez_compressed of long arrays", saved(np.savez_compressed, long), long, []),
    ("savez of nothing", saved(np.savez, {}), {}, []),
    ("zipfile with others and a comment", zipped(others, zipfile.ZIP_STORED, b"PK\5\6 is no record"),
     {"a": usual["bias"]}, ["readme.txt", "names.npy"]),
    ("zipfile with others, deflated", zipped(others, zipfile.ZIP_DEFLATED),
     {"a": usual["bias"]}, ["readme.txt", "names.npy"]),
]:  # fmt: skip
    text = base64.b64encode(data).decode("ascii")
    cases.append({"name": name, "archive": text, "tensors": tensors(arrays), "others": other})

write(
    "npz/archives.json",
    {
        "header": header(
            "NumPy, ml_dtypes, Python zipfile, zlib",
            f"{np.__version__}, {ml_dtypes.__version__}, {sys.version.split()[0]}, "
            f"{zlib.ZLIB_RUNTIME_VERSION}",
            "NEP 1, APPNOTE of the zip format",
            "archives in base64; values are those of NumPy's cast to float32, row-major, and bytes those of "
            "other dtypes, row-major and little-endian; members in the order of the file",
            "2026-11-28",
        ),
        "cases": cases,
    },
)
