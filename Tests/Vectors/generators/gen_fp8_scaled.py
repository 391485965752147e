"""fp8_scaled: FP8 with a float32 scale per tensor, row or tile, TransformerEngine arithmetic."""

from common import *

F = np.float32
MAX = {"e4m3fn": F(448), "e5m2": F(57344)}


def xorshift_inputs(seed, count):
    """xorshift32 (13, 17, 5); value = (signed state >> 8) * 2^-20 * 2^-((state >> 3) mod 8)."""
    state, out = seed, []
    for _ in range(count):
        state ^= (state << 13) & 0xFFFFFFFF
        state ^= state >> 17
        state ^= (state << 5) & 0xFFFFFFFF
        signed = state - (1 << 32) if state & SIGN else state
        out.append(bits((signed >> 8) * 2.0**-20 * 2.0 ** -((state >> 3) & 7)))
    return out


def cast(name, scaled):
    """Saturating cast: infinities and overflow to the maximum, NaN kept."""
    top = MAX[name]
    clipped = np.where(np.isnan(scaled), scaled, np.clip(scaled, -top, top)).astype(F)
    return clipped.astype(DTYPES[name]).view(np.uint8)


def encode_scale(name, region, power_of_two):
    finite = np.abs(region[np.isfinite(region)])
    amax = finite.max() if finite.size else F(0)
    with np.errstate(all="ignore"):
        s = F(1) if amax == 0 else F(MAX[name] / amax)
    if np.isinf(s):
        s = from_bits(FLT_MAX)
    if power_of_two:
        s = from_bits(bits(s) & 0xFF800000)
    return F(s)


def case(label, name, patterns, rows, columns, tile, power_of_two, generator=None):
    x = array_from(patterns).reshape(rows, columns)
    tr, tc = tile
    codes = np.zeros((rows, columns), np.uint8)
    decoded = np.zeros((rows, columns), F)
    encode, decode = [], []
    for r in range(0, rows, tr):
        for c in range(0, columns, tc):
            region = x[r : r + tr, c : c + tc]
            s = encode_scale(name, region, power_of_two)
            inverse = F(1) / s
            with np.errstate(all="ignore"):
                code = cast(name, region * s)
                values = code.view(DTYPES[name]).astype(F) * inverse
            codes[r : r + tr, c : c + tc] = code
            decoded[r : r + tr, c : c + tc] = values
            encode.append(bits(s))
            decode.append(bits(inverse))
    out = {
        "name": label,
        "element": name,
        "rows": rows,
        "columns": columns,
        "tileRows": tr,
        "tileColumns": tc,
        "powerOfTwoScale": power_of_two,
    }
    if generator:
        out["generatorSeed"] = generator
    else:
        out["input"] = words(patterns)
    out |= {
        "encodeScales": words(encode),
        "decodeScales": words(decode),
        "codes": [int(c) for c in codes.ravel()],
    }
    if not generator:
        out["decoded"] = words(array_bits(decoded))
    return out


def normals(rng, count, sigma):
    return [bits(rng.gauss(0, sigma)) for _ in range(count)]


def document(path, comment, cases):
    source = "TransformerEngine Float8CurrentScaling and Float8BlockScaling"
    tool = "numpy transcription of the published formulas"
    write(path, {"header": header(tool, np.__version__, source, COMMON + comment), "cases": cases})


COMMON = (
    "amax over the finite values of a tile; S = MAX/amax, 1 when amax is 0 or nothing is finite, FLT_MAX "
    "on overflow, mantissa bits cleared last when powerOfTwoScale; code = cast(x * S) nearest even and "
    "saturating (infinities too); decode scale = 1/S; decoded = value * decode scale. Tiles are numbered "
    "row-major, those at the edge are smaller. "
)


def per_tensor():
    rng = seeded("fp8 tensor")
    cases = []
    for name in MAX:
        for power in (False, True):
            r, c = 3, 40
            args = (name,)
            for label, data in [
                ("normal", normals(rng, r * c, 1)),
                ("small", normals(rng, r * c, 1e-6)),
                ("zero", [0, SIGN] * (r * c // 2)),
                ("encode scale overflows", [rng.randrange(1, 400) for _ in range(r * c)]),
                ("largest finite", [FLT_MAX] + normals(rng, r * c - 1, 1e36)),
                (
                    "one NaN and both infinities",
                    [NAN, INF, SIGN | INF] + normals(rng, r * c - 3, 1),
                ),
                ("nothing finite", [NAN, INF, SIGN | INF] * (r * c // 3)),
            ]:
                cases.append(case(label, name, data, r, c, (r, c), power))
    document("fp8_scaled/per_tensor.json", "One tile covers the tensor.", cases)


def per_row():
    rng = seeded("fp8 row")
    cases = []
    for name in MAX:
        for power in (False, True):
            data = []
            for e in (0, -10, 12, -30, 3):
                data += normals(rng, 100, 2.0**e)
            cases.append(case("rows of different magnitude", name, data, 5, 100, (1, 100), power))
    document("fp8_scaled/per_row.json", "One tile per row.", cases)


def tiles():
    rng = seeded("fp8 tile")
    cases = []
    for power in (False, True):
        data = [bits(rng.gauss(0, 1) * 2.0 ** rng.randint(-12, 2)) for _ in range(3 * 200)]
        cases.append(case("1x128 with a short tail", "e4m3fn", data, 3, 200, (1, 128), power))
        data = [bits(rng.gauss(0, 1) * 2.0 ** rng.randint(-12, 2)) for _ in range(7 * 20)]
        cases.append(case("2x3 with short edges", "e4m3fn", data, 7, 20, (2, 3), power))
        data = [bits(rng.gauss(0, 1)) for _ in range(5 * 9)]
        cases.append(
            case(
                "2x3 with a zero tile",
                "e5m2",
                [0, 0, 0] + data[3:9] + [0] * 3 + data[12:],
                5,
                9,
                (2, 3),
                power,
            )
        )
    document("fp8_scaled/tiles.json", "Small tiles.", cases)


def replayed():
    seed, rows, columns = 2463534242, 130, 140
    data = xorshift_inputs(seed, rows * columns)
    cases = [case("128x128 on 130 x 140", "e4m3fn", data, rows, columns, (128, 128), True, seed)]
    comment = (
        "Inputs come from xorshift32 (shifts 13, 17, 5) started at generatorSeed; each new state gives "
        "x = Float(Int32(bitPattern: state) >> 8) * 2^-20 * 2^-((state >> 3) & 7), exact in float32."
    )
    document("fp8_scaled/tile_128x128.json", comment, cases)


per_tensor()
per_row()
tiles()
replayed()
