"""Operations of training and their gradients: PyTorch in float64, from float32 inputs.

Expected values come from PyTorch alone; the literal formulas beside each operation make the bounds
(`running.py`) and must agree with PyTorch to 2^-36 of the largest number. The scans of Mamba-1 and
Mamba-2 have no PyTorch operation: their equations are written as loops and differentiated by autograd.
"""

import numpy as np
import torch
import torch.nn.functional as F
from common import array_bits, header, seeded, words, write
from running import U, Running, product, rounded, stack

EPSILON = float(np.float32(1e-5))


def numbers(rng, *shape, scale=1.0):
    count = int(np.prod(shape))
    x = np.array([rng.gauss(0, scale) for _ in range(count)]).astype(np.float32)
    return x.astype(np.float64).reshape(shape)


def leaf(x):
    return torch.tensor(x, dtype=torch.float64, requires_grad=True)


def entry(values, bounds=None):
    values = np.asarray(values, dtype=np.float64)
    made = {"shape": list(values.shape), "values": words(array_bits(values))}
    if bounds is not None:
        # Upward, so that no bound is lost to its own rounding.
        up = np.nextafter(np.asarray(bounds).astype(np.float32), np.float32(np.inf))
        made["bounds"] = words(array_bits(up))
    return made


def case(name, inputs, results, options=None, integers=None):
    """`results`: by name, PyTorch's tensor and the running one."""
    made = {"name": name, "options": options or {}, "integers": integers or {}}
    made["inputs"] = {k: entry(v) for k, v in inputs.items()}
    made["results"] = {}
    for key, (expected, running) in results.items():
        expected = expected.detach().numpy()
        assert expected.shape == running.v.shape, (name, key, expected.shape, running.v.shape)
        most = max(abs(expected).max(), 1e-30)
        worst = abs(expected - running.v).max()
        assert worst <= 2.0**-36 * most, (name, key, worst, most)
        # 1.01 for terms of second order; the expected value is rounded to FP32 as well.
        bounds = 1.01 * running.e + U * abs(expected)
        made["results"][key] = entry(expected, bounds)
        print(f"{name} {key}: at most {(bounds / most).max() / U:.1f} units of 2^-24 of the largest")
    return made


def file(name, comment, cases, source="the operation of torch.nn.functional or torch.optim"):
    comment += (
        " Inputs are float32; results are float64 rounded to float32; bounds are absolute and hold for"
        " FP32 steps to nearest in any order of sums, see generators/running.py."
    )
    tool = "PyTorch (CPU, float64)"
    version = torch.__version__.split("+")[0]
    write(f"operations/{name}.json", {"header": header(tool, version, source, comment), "cases": cases})


def differentiated(inputs, dy, body):
    """The result of `body` and the gradients of sum(dy * result) by each input."""
    leaves = {k: leaf(v) for k, v in inputs.items()}
    y = body(**leaves)
    y.backward(torch.tensor(dy))
    return y, {f"d{k}": v.grad for k, v in leaves.items()}


def paired(y, gradients, running):
    results = {"y": y} | gradients
    assert results.keys() == running.keys(), (results.keys(), running.keys())
    return {k: (results[k], running[k]) for k in results}


# Linear layers and norms --------------------------------------------------------------------


def linear():
    rng = seeded("operations linear")
    t, k, n = 5, 7, 6
    inputs = {"x": numbers(rng, t, k), "weight": numbers(rng, n, k), "bias": numbers(rng, n)}
    dy = numbers(rng, t, n)
    y, gradients = differentiated(inputs, dy, lambda x, weight, bias: F.linear(x, weight, bias))
    x, w, b = inputs.values()
    running = {
        "y": product(x, w) + b,
        "dx": product(dy, w.T),
        "dweight": product(dy.T, x.T),
        "dbias": Running(dy).sum(0),
    }
    file(
        "linear",
        "y = x weight^T + bias.",
        [case("with a bias", inputs | {"dy": dy}, paired(y, gradients, running))],
    )


def norms():
    rng = seeded("operations norms")
    r, c = 6, 10
    x, w, b, dy = numbers(rng, r, c), numbers(rng, c), numbers(rng, c), numbers(rng, r, c)
    part = rounded(1 / c)

    inputs = {"x": x, "weight": w}
    y, gradients = differentiated(inputs, dy, lambda x, weight: F.rms_norm(x, (c,), weight, EPSILON))
    X = Running(x)
    i = 1 / ((X * x).sum(1, True) * part + EPSILON).sqrt()
    g = Running(dy) * w
    running = {
        "y": X * i * w,
        "dx": i * (g - X * (i * i * (g * x).sum(1, True) * part)),
        "dweight": (Running(dy) * x * i).sum(0),
    }
    rms = case("rms_norm", inputs | {"dy": dy}, paired(y, gradients, running), {"epsilon": EPSILON})

    inputs = {"x": x + 3, "weight": w, "bias": b}
    inputs["x"] = inputs["x"].astype(np.float32).astype(np.float64)
    y, gradients = differentiated(
        inputs, dy, lambda x, weight, bias: F.layer_norm(x, (c,), weight, bias, EPSILON)
    )
    X = Running(inputs["x"])
    centred = X - X.sum(1, True) * part
    i = 1 / ((centred * centred).sum(1, True) * part + EPSILON).sqrt()
    h = centred * i
    running = {
        "y": h * w + b,
        "dx": i * (g - g.sum(1, True) * part - h * ((g * h).sum(1, True) * part)),
        "dweight": (dy * h).sum(0),
        "dbias": Running(dy).sum(0),
    }
    layer = case("layer_norm", inputs | {"dy": dy}, paired(y, gradients, running), {"epsilon": EPSILON})
    file("norms", "Over rows, with gains and biases.", [rms, layer])


# Functions of numbers -----------------------------------------------------------------------


def functions():
    """Errors as stated for the kernels in CTrainingKernels.h, e = 2^-24, 1 ulp at most 2 e."""
    rng = seeded("operations functions")
    x = np.concatenate([numbers(rng, 40, scale=3), [0.0, -0.0, 1.0, -1.0, 12.0, -12.0, 25.0, -25.0]])
    dy = numbers(rng, len(x))
    cases = []
    for name, body, value_error, slope_error in [
        ("gelu", lambda x: F.gelu(x, approximate="tanh"), lambda x, y: 4 * abs(x), lambda s: 8),
        ("silu", lambda x: F.silu(x), lambda x, y: 8 * abs(y), lambda s: 4),
        # F.softplus turns into x above its threshold; in float64 40 is beyond FP32's precision.
        ("softplus", lambda x: F.softplus(x, threshold=40), lambda x, y: 4 * abs(y), lambda s: 6 * s),
    ]:
        y, gradients = differentiated({"x": x}, dy, body)
        _, slopes = differentiated({"x": x}, np.ones_like(x), body)
        s, y64 = slopes["dx"].numpy(), y.detach().numpy()
        dx = dy * s
        running = {
            "y": Running(y64, U * value_error(x, y64)),
            "dx": Running(dx, U * (abs(dy) * slope_error(s) + abs(dx))),
        }
        cases.append(case(name, {"x": x, "dy": dy}, paired(y, gradients, running)))
    file("functions", "Number by number; gelu is the tanh form.", cases)


# Attention ----------------------------------------------------------------------------------


def attention():
    rng = seeded("operations attention")
    cases = []
    b, t, d = 2, 6, 4
    for queries, keys in [(2, 2), (4, 2), (3, 1)]:
        group = queries // keys
        x = numbers(rng, b, t, (queries + 2 * keys) * d)
        dy = numbers(rng, b, t, queries * d)

        def body(x):
            q, k, v = x.split([queries * d, keys * d, keys * d], dim=-1)
            q, k, v = (a.reshape(b, t, -1, d).transpose(1, 2) for a in (q, k, v))
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
            return y.transpose(1, 2).reshape(b, t, queries * d)

        y, gradients = differentiated({"x": x}, dy, body)

        split = Running(x).reshape(b, t, -1, d).moved(0, 2, 1, 3)
        q = split[:, :queries]
        shared = [h // group for h in range(queries)]
        k, v = split[:, queries : queries + keys][:, shared], split[:, queries + keys :][:, shared]
        dO = Running(dy.reshape(b, t, queries, d).transpose(0, 2, 1, 3))
        scale = rounded(d**-0.5)
        s = product(q, k) * scale
        mask = np.tril(np.ones((t, t)))
        seen = np.where(mask == 1, s.v, -np.inf)
        m = seen.max(-1, keepdims=True)
        e = (s - Running(m, 0)).exp().map(lambda a: a * mask)
        p = e / e.sum(-1, True)
        turned = lambda a: a.moved(0, 1, 3, 2)
        out = product(p, turned(v))
        dP = product(dO, v)
        dS = scale * p * (dP - (p * dP).sum(-1, True))
        dq = product(dS, turned(k))
        # Sums over the heads of a group as well: first over steps, then over heads.
        of_group = lambda a: a.reshape(b, keys, group, t, d).sum(2)
        dk = of_group(product(turned(dS), turned(q)))
        dv = of_group(product(turned(p), turned(dO)))
        back = lambda a: a.moved(0, 2, 1, 3).reshape(b, t, -1)
        parts = [back(a) for a in (dq, dk, dv)]
        dx = Running(
            np.concatenate([a.v for a in parts], -1), np.concatenate([a.e for a in parts], -1)
        )
        cases.append(
            case(
                f"{queries} query heads, {keys} key heads",
                {"x": x, "dy": dy},
                paired(y, gradients, {"y": back(out), "dx": dx}),
                integers={"heads": [queries, keys, d]},
            )
        )
    file("attention", "Causal; rows hold queries, keys and values; heads are [queries, keys, size].", cases)


# Loss ---------------------------------------------------------------------------------------


def cross_entropy():
    rng = seeded("operations loss")
    r, v = 7, 9
    x = numbers(rng, r, v, scale=3)
    targets = [3, -1, 0, 8, -1, 2, 5]
    logits = leaf(x)
    loss = F.cross_entropy(logits, torch.tensor(targets), ignore_index=-1)
    loss.backward()
    counted = [row for row in range(r) if targets[row] >= 0]
    weight = rounded(1 / len(counted))
    m = x.max(1, keepdims=True)
    e = (Running(x) - m).exp()
    total = e.sum(1, True)
    hot = np.zeros((r, v))
    for row in counted:
        hot[row, targets[row]] = 1
    at_target = (x * hot).sum(1, keepdims=True)
    losses = (total.log() + m - at_target)[counted]
    use = np.array([[1.0 if t >= 0 else 0.0] for t in targets])
    running = {
        "y": (losses.sum(0) * weight).reshape(1),
        "dx": (weight * (e / total - hot)).map(lambda a: a * use),
    }
    results = {"y": loss.reshape(1), "dx": logits.grad}
    file(
        "cross_entropy",
        "The mean over targets that are not below zero.",
        [
            case(
                "two targets left out",
                {"x": x},
                {k: (results[k], running[k]) for k in results},
                integers={"targets": targets},
            )
        ],
    )


# Convolution --------------------------------------------------------------------------------


def convolution():
    rng = seeded("operations convolution")
    b, t, c = 2, 7, 5
    inputs = {"x": numbers(rng, b, t, c), "weight": numbers(rng, 4, c), "bias": numbers(rng, c)}
    dy = numbers(rng, b, t, c)

    def body(x, weight, bias):
        x = F.pad(x.transpose(1, 2), (3, 0))
        return F.conv1d(x, weight.T.unsqueeze(1), bias, groups=c).transpose(1, 2)

    y, gradients = differentiated(inputs, dy, body)
    x, w, bias = inputs.values()
    before = np.concatenate([np.zeros((b, 3, c)), x], 1)
    after = np.concatenate([dy, np.zeros((b, 3, c))], 1)
    taps = [Running(before[:, k : k + t]) for k in range(4)]
    zero = Running(np.broadcast_to(bias, (b, t, c)))
    flat = lambda a: a.reshape(b * t, c)
    running = {
        "y": stack([taps[k] * w[k] for k in range(4)] + [zero], 0).sum(0),
        "dx": stack([Running(after[:, 3 - k : 3 - k + t]) * w[k] for k in range(4)], 0).sum(0),
        "dweight": stack([(flat(taps[k]) * flat(dy)).sum(0) for k in range(4)], 0),
        "dbias": Running(flat(dy)).sum(0),
    }
    file(
        "convolution",
        "Causal and depthwise over 4 steps; weight[k] multiplies x[t - 3 + k].",
        [case("with a bias", inputs | {"dy": dy}, paired(y, gradients, running))],
    )


# Optimizers ---------------------------------------------------------------------------------


def optimizers():
    """Every constant is a float32, so that only steps round."""
    rng = seeded("operations optimizers")
    n, steps = 12, 3
    w0, g = numbers(rng, n), numbers(rng, steps, n)
    b1, b2, eps, decay, rate = 0.875, 0.9375, 2.0**-20, 0.125, 2.0**-5
    w = torch.nn.Parameter(torch.tensor(w0))
    adamw = torch.optim.AdamW([w], lr=rate, betas=(b1, b2), eps=eps, weight_decay=decay)
    W, m, v = Running(w0), Running(np.zeros(n)), Running(np.zeros(n))
    for step in range(steps):
        w.grad = torch.tensor(g[step])
        adamw.step()
        m = m * b1 + Running(g[step]) * (1 - b1)
        v = v * b2 + Running(g[step]) * g[step] * (1 - b2)
        scale = rounded(rate / (1 - b1 ** (step + 1)))
        divisor = v.sqrt() * rounded((1 - b2 ** (step + 1)) ** -0.5) + eps
        W = W * (1 - rate * decay) - m / divisor * scale
    state = adamw.state[w]
    cases = [
        case(
            "adamw",
            {"weight": w0, "gradients": g},
            {"weight": (w, W), "first": (state["exp_avg"], m), "second": (state["exp_avg_sq"], v)},
            {"beta1": b1, "beta2": b2, "epsilon": eps, "decay": decay, "rate": rate},
        )
    ]
    momentum, rate = 0.875, 2.0**-4
    w = torch.nn.Parameter(torch.tensor(w0))
    sgd = torch.optim.SGD([w], lr=rate, momentum=momentum, weight_decay=decay)
    W, m = Running(w0), Running(np.zeros(n))
    for step in range(steps):
        w.grad = torch.tensor(g[step])
        sgd.step()
        m = m * momentum + (W * decay + g[step])
        W = W - m * rate
    cases.append(
        case(
            "sgd",
            {"weight": w0, "gradients": g},
            {"weight": (w, W), "momentum": (sgd.state[w]["momentum_buffer"], m)},
            {"momentum": momentum, "decay": decay, "rate": rate},
        )
    )
    file("optimizers", f"{steps} steps; gradients by step; every option is a float32.", cases)


# Scans --------------------------------------------------------------------------------------


def scans():
    rng = seeded("operations scans")
    b, t, c, n = 2, 9, 3, 4
    u, dt = numbers(rng, b, t, c), abs(numbers(rng, b, t, c, scale=0.3)) + 0.0625
    dt = dt.astype(np.float32).astype(np.float64)
    a, B, C, d = numbers(rng, c, n, scale=0.7), numbers(rng, b, t, n), numbers(rng, b, t, n), numbers(rng, c)
    dy = numbers(rng, b, t, c)
    inputs = {"u": u, "dt": dt, "a": a, "b": B, "c": C, "d": d}

    def selective(u, dt, a, b, c, d):
        h = torch.zeros(u.shape[0], u.shape[2], a.shape[1], dtype=torch.float64)
        A, ys = -torch.exp(a), []
        for i in range(t):
            step = dt[:, i, :, None]
            h = torch.exp(step * A) * h + step * b[:, i, None, :] * u[:, i, :, None]
            ys.append((h * c[:, i, None, :]).sum(-1) + d * u[:, i])
        return torch.stack(ys, 1)

    y, gradients = differentiated(inputs, dy, selective)
    A = -Running(a).exp()
    h, states, decays, ys = Running(np.zeros((b, c, n))), [], [], []
    h0 = h
    for i in range(t):
        step = dt[:, i, :, None]
        decays.append((step * A).exp())
        h = decays[i] * h + Running(step) * B[:, i, None, :] * u[:, i, :, None]
        states.append(h)
        ys.append((h * C[:, i, None, :]).sum(-1) + Running(d) * u[:, i])
    r = Running(np.zeros((b, c, n)))
    out = {k: [None] * t for k in ("du", "ddt", "db", "dc")}
    da, dd = [], []
    for i in reversed(range(t)):
        g = dy[:, i, :, None]
        # The gradient of the state after step i.
        r = Running(g) * C[:, i, None, :] + r
        step, before = dt[:, i, :, None], states[i - 1] if i else h0
        out["dc"][i] = (g * states[i]).sum(1)
        out["db"][i] = (r * step * u[:, i, :, None]).sum(1)
        out["du"][i] = (r * step * B[:, i, None, :]).sum(2) + Running(d) * dy[:, i]
        kept = r * decays[i] * before
        out["ddt"][i] = (kept * A + r * B[:, i, None, :] * u[:, i, :, None]).sum(2)
        da.append(kept * A * step)
        dd.append(Running(dy[:, i]) * u[:, i])
        r = r * decays[i]
    both = lambda terms: stack(terms, 0).map(lambda x: x.reshape(t * b, *x.shape[2:])).sum(0)
    running = {"y": stack(ys, 1)} | {k: stack(v, 1) for k, v in out.items()}
    running |= {"da": both(da), "dd": both(dd)}
    mamba1 = case("selective_scan", inputs | {"dy": dy}, paired(y, gradients, running))

    cases = [mamba1]
    for heads, size, groups in [(2, 3, 1), (4, 2, 2)]:
        x = numbers(rng, b, t, heads * size)
        dt = abs(numbers(rng, b, t, heads, scale=0.3)) + 0.0625
        dt = dt.astype(np.float32).astype(np.float64)
        a, d = numbers(rng, heads, scale=0.7), numbers(rng, heads)
        B, C = numbers(rng, b, t, groups * n), numbers(rng, b, t, groups * n)
        dy = numbers(rng, b, t, heads * size)
        cases.append(dual(x, dt, a, B, C, d, dy, heads, size, groups, n))
    file(
        "scans",
        "Mamba-1's selective scan and Mamba-2's scan, both from their recurrences; a is log(-A), dt comes "
        "after softplus, heads are [heads, size, groups, states]. Bounds of Mamba-2 are those of its sums "
        "over pairs of steps, times two for chunked forms.",
        cases,
        "arXiv 2312.00752 and arXiv 2405.21060, as in github.com/state-spaces/mamba",
    )


def dual(x, dt, a, B, C, d, dy, heads, size, groups, n):
    b, t = x.shape[:2]
    shared = [h // (heads // groups) for h in range(heads)]
    inputs = {"x": x, "dt": dt, "a": a, "b": B, "c": C, "d": d}

    def body(x, dt, a, b, c, d):
        x = x.reshape(x.shape[0], t, heads, size)
        b, c = (m.reshape(m.shape[0], t, groups, n)[:, :, shared] for m in (b, c))
        h = torch.zeros(x.shape[0], heads, size, n, dtype=torch.float64)
        A, ys = -torch.exp(a), []
        for i in range(t):
            step = dt[:, i, :, None, None]
            new = step * x[:, i, :, :, None] * b[:, i, :, None, :]
            h = torch.exp(step * A[:, None, None]) * h + new
            ys.append((h * c[:, i, :, None, :]).sum(-1) + d[:, None] * x[:, i])
        return torch.stack(ys, 1).reshape(x.shape[0], t, heads * size)

    y, gradients = differentiated(inputs, dy, body)

    # Axes: sequence, head, step l, step s <= l.
    X = Running(x.reshape(b, t, heads, size).transpose(0, 2, 1, 3))
    G = Running(dy.reshape(b, t, heads, size).transpose(0, 2, 1, 3))
    M = Running(B.reshape(b, t, groups, n)[:, :, shared].transpose(0, 2, 1, 3))
    N = Running(C.reshape(b, t, groups, n)[:, :, shared].transpose(0, 2, 1, 3))
    D = dt.transpose(0, 2, 1)
    A = -Running(a).exp()
    rate = Running(D) * A[None, :, None]
    later = np.tril(np.ones((t, t)), -1)  # j > s
    span = np.tril(np.ones((t, t)))[:, None, :] * later.T[None, :, :]  # [l, s, j]: s < j <= l
    decay = (rate[:, :, None, None, :].map(lambda v: v * span)).sum(-1).exp()
    decay = decay.map(lambda v: v * np.tril(np.ones((t, t))))
    scaled = X * D[..., None]
    scores = product(N, M)
    weights = scores * decay
    turned = lambda v: v.moved(0, 1, 3, 2)
    back = lambda v: v.moved(0, 2, 1, 3).reshape(b, t, -1)
    skip = Running(d)[None, :, None, None]
    out = product(weights, turned(scaled)) + skip * X
    dweights = product(G, scaled)
    dscaled = product(turned(weights), turned(G))
    dscores = dweights * decay
    dspan = dweights * weights  # by the exponent of each pair
    # The exponent of (l, s) holds the rates of s < j <= l.
    pairs = dspan.map(lambda v: v[:, :, :, :, None] * span).reshape(b, heads, t * t, t)
    drate = pairs.sum(2)
    of_group = lambda v: v.reshape(b, groups, heads // groups, t, n).sum(2)
    over = lambda v: v.moved(0, 2, 1).reshape(b * t, heads).sum(0)
    running = {
        "y": back(out),
        "dx": back(dscaled * D[..., None] + skip * G),
        "ddt": (drate * A[None, :, None] + (dscaled * X).sum(-1)).moved(0, 2, 1),
        "da": over(drate * D) * A,
        "db": back(of_group(product(turned(dscores), turned(N)))),
        "dc": back(of_group(product(dscores, turned(M)))),
        "dd": over((G * X).sum(-1)),
    }
    running = {k: Running(v.v, 2 * v.e) for k, v in running.items()}
    return case(
        f"state_space_dual, {heads} heads in {groups} groups",
        inputs | {"dy": dy},
        paired(y, gradients, running),
        integers={"heads": [heads, size, groups, n]},
    )


linear()
norms()
functions()
attention()
cross_entropy()
convolution()
optimizers()
scans()
