"""Random programs in PyTorch: what `packages/tensor/src/testing/programs` runs on engines, interpreted from the same JSON.

An op here is written from PyTorch's documentation of the function of that meaning, not from ours. Everything is float64, so that
nothing but meaning can differ; float16 is rounded after every op by being float16.
"""
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

DTYPES = {
    "float32": torch.float64,
    "float16": torch.float16,
    "int32": torch.int32,
    "int64": torch.int64,
    "uint8": torch.uint8,
    "bool": torch.bool,
}
SPECIAL = [math.nan, math.inf, -math.inf, -0.0, 0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 2.0**20, -(2.0**-20)]
MASK = 0xFFFFFFFF


def mixed(seed, index):
    """32 well mixed bits of two integers: MurmurHash3's finaliser."""
    x = (seed * 0x9E3779B1 + (index + 1) * 0x85EBCA77) & MASK
    x = ((x ^ (x >> 16)) * 0x85EBCA6B) & MASK
    x = ((x ^ (x >> 13)) * 0xC2B2AE35) & MASK
    return x ^ (x >> 16)


def element(entry, index):
    bits = mixed(entry["seed"], index)
    draw = entry["draw"]
    if draw == "smooth":
        return (bits >> 8) / 2**22 - 2
    if draw == "positive":
        return (bits >> 9) / 2**22 + 0.5
    if draw == "special":
        return (bits >> 8) / 2**22 - 2 if bits % 3 == 0 else SPECIAL[(bits >> 4) % len(SPECIAL)]
    if draw == "integers":
        return entry["low"] + bits % (entry["high"] - entry["low"])
    return bits >> 31


def tensor_of(entry):
    size = math.prod(entry["shape"])
    values = [element(entry, i) for i in range(size)]
    if entry["dtype"] == "float32":
        values = [float(np.float32(v)) for v in values]
    return torch.tensor(values, dtype=torch.float64).to(DTYPES[entry["dtype"]]).reshape(entry["shape"])


def weights_of(spec, shape, place):
    seed = (spec["seed"] * 64 + 7919 + place) & MASK
    return tensor_of({"shape": list(shape), "dtype": "float32", "draw": "smooth", "seed": seed})


def number(value):
    """A number of a program as float32 holds it."""
    return float(np.float32(value)) if isinstance(value, float) else value


def binary(fn):
    def run(ts, a):
        if "scalar" not in a:
            return fn(ts[0], ts[1])
        other = torch.tensor(number(a["scalar"]), dtype=ts[0].dtype)
        return fn(other, ts[0]) if a.get("side") == "left" else fn(ts[0], other)

    return run


def axes_of(x, a):
    axes = a.get("axes")
    return list(range(x.ndim)) if axes is None else [axis % max(x.ndim, 1) for axis in axes]


def reduce(fn):
    """`fn(x, axes, keep)`; with no axes at all there is nothing to do."""

    def run(ts, a):
        x = ts[0]
        axes = axes_of(x, a)
        if not axes:
            return x
        return fn(x, axes, a["dims"] == "keep").to(x.dtype)

    return run


def spread(fn):
    def run(ts, a):
        x = ts[0]
        axes = axes_of(x, a)
        y = fn(x.reshape(x.shape if axes else (1, *x.shape)), dim=axes or [0], correction=a["correction"], keepdim=True)
        kept = [1 if i in axes else n for i, n in enumerate(x.shape)]
        y = y.reshape(kept)
        return y if a["dims"] == "keep" else y.reshape([n for i, n in enumerate(kept) if i not in axes])

    return run


def deviation(x, **options):
    """torch.std, whose gradient by equal elements is 0; so is the gradient of that here, where PyTorch's is NaN."""
    variance = torch.var(x, **options)
    return torch.where(variance == 0, 0.0, torch.sqrt(torch.where(variance == 0, 1.0, variance)))


def normalized(x, a):
    axes = list(range(x.ndim - a["axes"], x.ndim))
    mean = x.mean(dim=axes, keepdim=True)
    inverse = 1 / torch.sqrt(((x - mean) ** 2).mean(dim=axes, keepdim=True) + a["epsilon"])
    return {"y": (x - mean) * inverse, "mean": mean, "inverseDeviation": inverse}[a["part"]]


def scattered(x, index, axis, size):
    out = torch.zeros([size if i == axis else n for i, n in enumerate(x.shape)], dtype=x.dtype)
    return out.index_add(axis, index.reshape(-1).long(), x)


def scattered_elements(x, index, axis, size):
    out = torch.zeros([size if i == axis else n for i, n in enumerate(x.shape)], dtype=x.dtype)
    return out.scatter_add(axis, index.long(), x)


def gathered(x, index, axis):
    return torch.index_select(x, axis, index.reshape(-1).long()).reshape([*x.shape[:axis], *index.shape, *x.shape[axis + 1 :]])


def sorted_part(x, a, k=None):
    values, indices = torch.sort(x, dim=a["axis"], descending=a["order"] == "largest", stable=True)
    if k is not None:
        values, indices = values.narrow(a["axis"], 0, k), indices.narrow(a["axis"], 0, k)
    return values if a["part"] == "values" else indices.int()


def padded(x, padding, value=0.0):
    flat = [n for pair in reversed(padding) for n in pair]
    if x.dtype == torch.bool:
        return F.pad(x.to(torch.uint8), flat, value=1 if value != 0 else 0).bool()
    return F.pad(x, flat, value=value if x.is_floating_point() else int(value))


CONV = {3: F.conv1d, 4: F.conv2d, 5: F.conv3d}
CONV_TRANSPOSE = {3: F.conv_transpose1d, 4: F.conv_transpose2d, 5: F.conv_transpose3d}
MAX_POOL = {3: F.max_pool1d, 4: F.max_pool2d, 5: F.max_pool3d}
AVG_POOL = {3: F.avg_pool1d, 4: F.avg_pool2d, 5: F.avg_pool3d}


def conv(ts, a):
    x, w, *bias = ts
    x = padded(x, [[0, 0], [0, 0], *a["padding"]])
    return CONV[x.ndim](x, w, *bias, stride=a["stride"], dilation=a["dilation"], groups=a["groups"])


def conv_transpose(ts, a):
    x, w, *bias = ts
    y = CONV_TRANSPOSE[x.ndim](x, w, None, stride=a["stride"], dilation=a["dilation"], groups=a["groups"])
    # Sizes differ at the two ends: crop what the padding takes, and add what the output padding gives.
    for i, (before, after) in enumerate(a["padding"]):
        extra = a["outputPadding"][i] - after
        y = y.narrow(i + 2, before, y.shape[i + 2] - before)
        y = padded(y, [[0, extra if j == i + 2 else 0] for j in range(y.ndim)]) if extra > 0 else y.narrow(i + 2, 0, y.shape[i + 2] + extra)
    return y + bias[0].reshape([-1, *[1] * (y.ndim - 2)]) if bias else y


def max_pool(ts, a):
    x = padded(ts[0], [[0, 0], [0, 0], *a["padding"]], -math.inf)
    return MAX_POOL[x.ndim](x, a["kernel"], a["stride"])


def avg_pool(ts, a):
    x = padded(ts[0], [[0, 0], [0, 0], *a["padding"]])
    return AVG_POOL[x.ndim](x, a["kernel"], a["stride"])


def attention(ts, a):
    q, k, v, *mask = ts
    # The other kernels have no second derivative.
    with sdpa_kernel(SDPBackend.MATH):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask[0] if mask else None, scale=a["scale"])


def resize(ts, a):
    (x,) = ts
    if a["mode"] == "nearest":
        return F.interpolate(x, a["size"], mode="nearest")
    mode = {3: "linear", 4: "bilinear"}[x.ndim]
    return F.interpolate(x, a["size"], mode=mode, align_corners=a["align"] == "corners")


def matmul(ts, a):
    x, y = ts
    return torch.matmul(x.mT if a.get("transposeA") else x, y.mT if a.get("transposeB") else y)


def where(ts, a):
    condition, *rest = ts
    dtype = rest[0].dtype
    then = torch.tensor(number(a["then"]), dtype=dtype) if "then" in a else rest.pop(0)
    other = torch.tensor(number(a["else"]), dtype=dtype) if "else" in a else rest.pop(0)
    return torch.where(condition, then, other)


def quantile(ts, a):
    """Of finite numbers PyTorch's; beside infinities low + fraction (high - low), where PyTorch starts from the nearer end."""
    (x,) = ts
    if not torch.isinf(x).any():
        return torch.quantile(x.double(), a["q"], dim=a["axis"]).to(x.dtype)
    place = a["q"] * (x.shape[a["axis"]] - 1)
    low, high = (torch.sort(x, dim=a["axis"])[0].select(a["axis"], n) for n in (math.floor(place), math.ceil(place)))
    between = low if place == int(place) else low + (place - math.floor(place)) * (high - low)
    return torch.where(torch.isnan(x).any(a["axis"]), math.nan, between)


def cast(ts, a):
    (x,) = ts
    if a["dtype"] == "bool":
        return x != 0
    return x.to(DTYPES[a["dtype"]])


def divide(x, y):
    return x / y if x.is_floating_point() else torch.div(x, y, rounding_mode="trunc")


def integers_too(fn):
    """Functions that PyTorch has for floats only, on integers: they are their own floor."""
    return lambda ts, a: fn(ts[0]) if ts[0].is_floating_point() else ts[0]


def extreme(fn):
    def run(x, axes, keep):
        wide = x.to(torch.int32) if x.dtype == torch.uint8 else x
        return fn(wide, dim=axes, keepdim=keep)

    return run


UNARY = {
    "neg": torch.neg,
    "abs": torch.abs,
    # The sign of NaN is NaN here, as in NumPy; to PyTorch it is 0.
    "sign": lambda x: torch.where(torch.isnan(x), x, torch.sign(x)) if x.is_floating_point() else torch.sign(x),
    "exp": torch.exp,
    "log": torch.log,
    "sqrt": torch.sqrt,
    "sin": torch.sin,
    "cos": torch.cos,
    "atan": torch.atan,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "erf": torch.erf,
    "square": torch.square,
    "reciprocal": torch.reciprocal,
    "rsqrt": torch.rsqrt,
    "relu": torch.relu,
    "silu": F.silu,
    "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
    "logSigmoid": F.logsigmoid,
    "logicalNot": torch.logical_not,
    "isFinite": torch.isfinite,
    "stopGradient": torch.Tensor.detach,
    "onesLike": torch.ones_like,
    "zerosLike": torch.zeros_like,
    "checkpoint": lambda x: torch.tanh(x) * torch.sin(x),
}

BINARY = {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div": divide,
    "pow": torch.pow,
    # The values of torch.maximum and torch.minimum; at ties the gradient goes to the first operand, as documented, not half to each.
    "maximum": lambda x, y: torch.where(y <= x, x, torch.where(x < y, y, x + y)),
    "minimum": lambda x, y: torch.where(x <= y, x, torch.where(y < x, y, x + y)),
    "equal": torch.eq,
    "notEqual": torch.ne,
    "less": torch.lt,
    "lessEqual": torch.le,
    "greater": torch.gt,
    "greaterEqual": torch.ge,
    "logicalAnd": torch.logical_and,
    "logicalOr": torch.logical_or,
}

OPS = {
    **{name: (lambda fn: lambda ts, a: fn(ts[0]))(fn) for name, fn in UNARY.items()},
    **{name: binary(fn) for name, fn in BINARY.items()},
    "floor": integers_too(torch.floor),
    "ceil": integers_too(torch.ceil),
    "round": integers_too(torch.round),
    "gelu": lambda ts, a: F.gelu(ts[0], approximate=a["approximation"]),
    "clamp": lambda ts, a: torch.clamp(ts[0], min=a.get("min"), max=a.get("max")),
    "cast": cast,
    # As documented: a + weight (b - a). PyTorch's takes the nearer end, which matters for infinities alone.
    "lerp": lambda ts, a: ts[0] + number(a["weight"]) * (ts[1] - ts[0]),
    "where": where,
    "barrier": lambda ts, a: ts[0],
    "straightThrough": lambda ts, a: ts[0].detach() + (ts[1] - ts[1].detach()),
    "sum": reduce(lambda x, axes, keep: torch.sum(x, dim=axes, keepdim=keep)),
    "mean": reduce(lambda x, axes, keep: torch.mean(x, dim=axes, keepdim=keep)),
    "max": reduce(extreme(torch.amax)),
    "min": reduce(extreme(torch.amin)),
    "logSumExp": lambda ts, a: torch.logsumexp(ts[0], axes_of(ts[0], a), a["dims"] == "keep") if axes_of(ts[0], a) else ts[0],
    "variance": spread(torch.var),
    "std": spread(deviation),
    "argMax": lambda ts, a: torch.argmax(ts[0], dim=a["axis"]).int(),
    "cumsum": lambda ts, a: (
        torch.cumsum(ts[0], a["axis"]) if a["direction"] == "forward" else torch.cumsum(ts[0].flip(a["axis"]), a["axis"]).flip(a["axis"])
    ).to(ts[0].dtype),
    "softmax": lambda ts, a: torch.softmax(ts[0], a["axis"]),
    # Beside an infinity the others are minus infinity; PyTorch's own gives NaN for the row.
    "logSoftmax": lambda ts, a: ts[0] - torch.logsumexp(ts[0], a["axis"], keepdim=True),
    "normalize": lambda ts, a: normalized(ts[0], a),
    "layerNorm": lambda ts, a: F.layer_norm(ts[0], ts[0].shape[-1:], *(ts[1:] or [None, None]), eps=a["epsilon"]),
    "rmsNorm": lambda ts, a: F.rms_norm(ts[0], ts[0].shape[-1:], *(ts[1:] or [None]), eps=a["epsilon"]),
    "groupNorm": lambda ts, a: F.group_norm(ts[0], a["groups"], ts[1], ts[2], eps=a["epsilon"]),
    "sort": lambda ts, a: sorted_part(ts[0], a),
    "topK": lambda ts, a: sorted_part(ts[0], a, a["k"]),
    "quantile": quantile,
    "reshape": lambda ts, a: ts[0].reshape(a["shape"]),
    "flatten": lambda ts, a: torch.flatten(ts[0], a["start"], a["end"]),
    "expandDims": lambda ts, a: ts[0].unsqueeze(a["axis"]),
    "squeeze": lambda ts, a: ts[0].squeeze(),
    "transpose": lambda ts, a: ts[0].permute(a["permutation"]),
    "swapAxes": lambda ts, a: ts[0].transpose(a["a"], a["b"]),
    "broadcastTo": lambda ts, a: ts[0].broadcast_to(a["shape"]),
    "slice": lambda ts, a: ts[0].movedim(a["axis"], 0)[a["start"] : a["stop"] : a["step"]].movedim(0, a["axis"]),
    "select": lambda ts, a: ts[0].select(a["axis"], a["index"]),
    "pad": lambda ts, a: padded(ts[0], a["padding"], a["value"]),
    "concat": lambda ts, a: torch.cat(ts, a["axis"]),
    "stack": lambda ts, a: torch.stack(ts, a["axis"]),
    "split": lambda ts, a: (ts[0].chunk(a["parts"], a["axis"]) if isinstance(a["parts"], int) else torch.split(ts[0], a["parts"], a["axis"]))[a["part"]],
    "flip": lambda ts, a: ts[0].flip(a["axes"]),
    "roll": lambda ts, a: torch.roll(ts[0], a["shift"], a["axis"]),
    "tile": lambda ts, a: ts[0].tile(a["repeats"]),
    "repeat": lambda ts, a: ts[0].repeat_interleave(a["count"], a["axis"]),
    "gather": lambda ts, a: gathered(ts[0], ts[1], a["axis"]),
    "gatherElements": lambda ts, a: torch.gather(ts[0], a["axis"], ts[1].long()),
    "scatterAdd": lambda ts, a: scattered(ts[0], ts[1], a["axis"], a["size"]),
    "scatterElementsAdd": lambda ts, a: scattered_elements(ts[0], ts[1], a["axis"], a["size"]),
    "oneHot": lambda ts, a: F.one_hot(ts[0].long(), a["classes"]).double(),
    "gatherDiagonal": lambda ts, a: torch.diagonal(ts[0], dim1=a["a"], dim2=a["b"]),
    "resize": resize,
    "full": lambda ts, a: torch.full(a["shape"], a["value"], dtype=DTYPES[a["dtype"]]),
    "range": lambda ts, a: torch.arange(a["count"], dtype=torch.int32) * a["step"] + a["start"],
    "linspace": lambda ts, a: torch.linspace(a["start"], a["stop"], a["count"], dtype=torch.float64),
    "eye": lambda ts, a: torch.eye(a["n"], dtype=torch.float64),
    "matmul": matmul,
    "einsum": lambda ts, a: torch.einsum(a["equation"], *ts),
    "conv": conv,
    "convTranspose": conv_transpose,
    "maxPool": max_pool,
    "avgPool": avg_pool,
    "attention": attention,
}


def run(spec, inputs):
    values = {f"x{i}": x for i, x in enumerate(inputs)}
    for i, step in enumerate(spec["steps"]):
        values[f"s{i}"] = OPS[step["op"]]([values[name] for name in step["inputs"]], step["attributes"])
    return [values[name] for name in spec["outputs"]]


def is_smooth(spec):
    halves = any(entry["dtype"] == "float16" for entry in spec["inputs"]) or any(step["attributes"].get("dtype") == "float16" for step in spec["steps"])
    return spec["kind"] != "dtypes" and all(entry["draw"] != "special" for entry in spec["inputs"]) and not halves


def pulled(ys, xs, weights):
    """Gradients of the weighted sum of ys by xs, zero where nothing depends."""
    pairs = [(y, w) for y, w in zip(ys, weights) if y.requires_grad]
    if not pairs:
        return [torch.zeros_like(x) for x in xs]
    found = torch.autograd.grad([y for y, _ in pairs], xs, [w for _, w in pairs], create_graph=True, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for g, x in zip(found, xs)]


def results(spec):
    """Values and, where the program is smooth, gradients by all float inputs and gradients of those."""
    inputs = [tensor_of(entry) for entry in spec["inputs"]]
    floats = [x.requires_grad_() for x in inputs if x.dtype == torch.float64]
    outputs = run(spec, inputs)
    found = {"value": outputs}
    wanted = [y for y in outputs if y.is_floating_point()]
    if is_smooth(spec) and floats and wanted:
        first = pulled(wanted, floats, [weights_of(spec, y.shape, i) for i, y in enumerate(wanted)])
        found["gradient"] = first
        found["second gradient"] = pulled(first, floats, [weights_of(spec, g.shape, 32 + i) for i, g in enumerate(first)])
    return found
