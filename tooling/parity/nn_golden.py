"""Regenerates packages/nn/test/parity/golden/{layers,losses,training}.json.

Run: python tooling/parity/nn_golden.py [part ...]
Needs: torch 2.13 (CPU), numpy 2.4.

Layers and losses: inputs, parameters, a cotangent c, the float32 output y, and the float32 gradients of sum(c y).
The tolerance of each tensor is  4 eps sqrt(n) max|value|,  eps = 2^-23, n = the largest number of elements of a tensor
of the case: rounding errors of n additions grow like sqrt(n). A gradient that is nothing but rounding noise (below 1e-5 of the largest
gradient of its case, such as that of the bias of keys) is measured against the largest. The script fails where PyTorch's own float32 result is further than
half of that from its float64 result, and records the worst share.

Training: 20 steps of a small U-Net (unet_model.py) with each optimiser; tolerance 1e-4 relative to the largest element of a tensor.
"""
import base64
import copy
import datetime
import json
import math
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F

from unet_model import SmallUnet

OUT = pathlib.Path(__file__).resolve().parents[2] / "packages/nn/test/parity/golden"
EPS = 2.0**-23
torch.set_num_threads(1)


def header(**more):
    return {"script": "tooling/parity/nn_golden.py", "versions": {"torch": torch.__version__, "numpy": np.__version__, "python": sys.version.split()[0]}, "date": datetime.date.today().isoformat(), **more}


def encode(t):
    t = t.detach().contiguous().cpu()
    kind = "int32" if not t.is_floating_point() else "float32"
    array = t.numpy().astype("<i4" if kind == "int32" else "<f4")
    return {"dtype": kind, "shape": list(t.shape), "data": base64.b64encode(array.tobytes()).decode()}


def randn(*shape):
    return torch.randn(*shape)


def affine(channels):
    return {"weight": 1 + 0.3 * randn(channels), "bias": 0.3 * randn(channels)}


def weights(*shape, bias=None):
    params = {"weight": randn(*shape) / math.sqrt(math.prod(shape[1:]))}
    return params if bias is None else {**params, "bias": 0.3 * randn(bias)}


def layer(params, inputs, fn):
    return params, inputs, fn


def plain(fn, *shape, scale=2.0):
    """A function of one tensor without parameters."""
    return lambda: layer({}, {"x": scale * randn(*shape)}, lambda p, x: fn(x))


def conv(fn, x, w, bias, **options):
    return lambda: layer(weights(*w, bias=bias), {"x": randn(*x)}, lambda p, x: fn(x, p["weight"], p.get("bias"), **options))


def heads(mask=None):
    def make():
        inputs = {"q": randn(2, 2, 5, 4), "k": randn(2, 2, 6, 4), "v": randn(2, 2, 6, 3)}
        if mask == "add":
            inputs["mask"] = randn(5, 6)
        if mask == "bool":
            kept = torch.rand(2, 1, 5, 6) > 0.4
            kept[..., 0] = True
            inputs["mask"] = kept.int()
        def fn(p, q, k, v, mask=None):
            return F.scaled_dot_product_attention(q, k, v, attn_mask=None if mask is None else mask if mask.is_floating_point() else mask.bool())
        return layer({}, inputs, fn)
    return make


def multihead(context):
    def make():
        c, n, k = 8, 2, 6 if context else 8
        params = {name: 0.3 * randn(*shape) for name, shape in [("to_q.weight", (c, c)), ("to_q.bias", (c,)), ("to_k.weight", (c, k)), ("to_k.bias", (c,)), ("to_v.weight", (c, k)), ("to_v.bias", (c,)), ("to_out.0.weight", (c, c)), ("to_out.0.bias", (c,))]}
        inputs = {"x": randn(2, 4, c)}
        if context:
            inputs["context"] = randn(2, 3, k)
            inputs["mask"] = randn(2 * n, 4, 3)
        def fn(p, x, context=None, mask=None):
            # PyTorch's own kernel of torch.nn.MultiheadAttention, with separate projections.
            t = lambda y: y.transpose(0, 1)
            source = x if context is None else context
            y, _ = F.multi_head_attention_forward(t(x), t(source), t(source), c, n, None, torch.cat([p["to_q.bias"], p["to_k.bias"], p["to_v.bias"]]), None, None, False, 0.0, p["to_out.0.weight"], p["to_out.0.bias"],
                                                  use_separate_proj_weight=True, q_proj_weight=p["to_q.weight"], k_proj_weight=p["to_k.weight"], v_proj_weight=p["to_v.weight"], attn_mask=mask, need_weights=False)
            return t(y)
        return layer(params, inputs, fn)
    return make


def indexed(fn, x, indices):
    return lambda: layer({}, {"x": randn(*x), "indices": indices()}, lambda p, x, indices: fn(x, indices.long()))


LAYERS = {
    "linear": lambda: layer(weights(5, 7, bias=5), {"x": randn(3, 7)}, lambda p, x: F.linear(x, p["weight"], p["bias"])),
    "linear-tokens": lambda: layer(weights(5, 6), {"x": randn(2, 4, 6)}, lambda p, x: F.linear(x, p["weight"])),
    "embedding": lambda: layer({"weight": randn(6, 4)}, {"indices": torch.tensor([[0, 5, 2], [2, 2, 1]], dtype=torch.int32)}, lambda p, indices: F.embedding(indices.long(), p["weight"])),
    "conv1d": conv(F.conv1d, (2, 4, 9), (6, 4, 3), 6, stride=2, padding=1),
    "conv2d": conv(F.conv2d, (2, 3, 6, 5), (4, 3, 3, 3), 4, padding=1),
    "conv2d-1x1": conv(F.conv2d, (2, 4, 4, 4), (6, 4, 1, 1), 6),
    "conv2d-strided": conv(F.conv2d, (2, 3, 7, 6), (4, 3, 3, 3), 4, stride=2, padding=1),
    "conv2d-dilated": conv(F.conv2d, (1, 3, 8, 8), (4, 3, 3, 3), None, dilation=2, padding=2),
    "conv2d-uneven": conv(F.conv2d, (2, 2, 7, 6), (3, 2, 2, 5), 3, stride=(1, 2), padding=(0, 2), dilation=(2, 1)),
    "conv2d-grouped": conv(F.conv2d, (2, 6, 5, 5), (4, 3, 3, 3), 4, groups=2, padding=1),
    "conv2d-depthwise": conv(F.conv2d, (2, 4, 6, 6), (4, 1, 3, 3), 4, groups=4, padding=1),
    "conv3d": conv(F.conv3d, (1, 2, 4, 5, 4), (3, 2, 2, 3, 3), 3, stride=(1, 2, 1), padding=(0, 1, 1)),
    "conv-transpose1d": conv(F.conv_transpose1d, (2, 4, 5), (4, 3, 4), 3, stride=2, padding=1),
    "conv-transpose2d": conv(F.conv_transpose2d, (2, 3, 4, 4), (3, 4, 3, 3), 4, stride=2, padding=1, output_padding=1),
    "conv-transpose2d-grouped": conv(F.conv_transpose2d, (1, 4, 4, 4), (4, 2, 3, 3), 4, groups=2, padding=1),
    "group-norm": lambda: layer(affine(6), {"x": 2 * randn(2, 6, 4, 3) + 1}, lambda p, x: F.group_norm(x, 3, p["weight"], p["bias"], 1e-5)),
    "instance-norm": lambda: layer(affine(4), {"x": 2 * randn(2, 4, 5, 4) + 1}, lambda p, x: F.instance_norm(x, weight=p["weight"], bias=p["bias"], eps=1e-5)),
    "layer-norm": lambda: layer(affine(8), {"x": 2 * randn(2, 5, 8) + 1}, lambda p, x: F.layer_norm(x, (8,), p["weight"], p["bias"], 1e-6)),
    "rms-norm": lambda: layer({"weight": 1 + 0.3 * randn(8)}, {"x": randn(2, 5, 8)}, lambda p, x: F.rms_norm(x, (8,), p["weight"], 1e-6)),
    "softmax": plain(lambda x: F.softmax(x, -1), 4, 9),
    "softmax-channels": plain(lambda x: F.softmax(x, 1), 2, 5, 3),
    "log-softmax": plain(lambda x: F.log_softmax(x, -1), 4, 9),
    "attention": heads(),
    "attention-mask": heads("add"),
    "attention-bool-mask": heads("bool"),
    "multi-head-self": multihead(False),
    "multi-head-cross": multihead(True),
    "gelu": plain(F.gelu, 40),
    "gelu-tanh": plain(lambda x: F.gelu(x, approximate="tanh"), 40),
    "silu": plain(F.silu, 40),
    "relu": plain(F.relu, 40),
    "sigmoid": plain(torch.sigmoid, 40),
    "tanh": plain(torch.tanh, 40),
    "erf": plain(torch.erf, 40),
    "softplus": plain(lambda x: F.softplus(x, threshold=50), 40),
    "log-sigmoid": plain(F.logsigmoid, 40),
    "max-pool": plain(lambda x: F.max_pool2d(x, 3, 2, 1), 2, 3, 7, 6),
    "avg-pool": plain(lambda x: F.avg_pool2d(x, 2), 2, 3, 6, 4),
    "avg-pool-padded": plain(lambda x: F.avg_pool2d(x, 3, 2, 1), 2, 3, 7, 6),
    "nearest-double": plain(lambda x: F.interpolate(x, scale_factor=2), 2, 3, 4, 3),
    "nearest-odd": plain(lambda x: F.interpolate(x, size=(7, 4)), 2, 3, 4, 5),
    "bilinear": plain(lambda x: F.interpolate(x, size=(7, 9), mode="bilinear"), 1, 3, 4, 5),
    "bilinear-corners": plain(lambda x: F.interpolate(x, size=(7, 3), mode="bilinear", align_corners=True), 1, 3, 4, 5),
    "cumsum": plain(lambda x: torch.cumsum(x, 1), 3, 8, 2),
    "top-k": plain(lambda x: torch.topk(x, 3, -1).values, 4, 9),
    "sort": plain(lambda x: torch.sort(x, 1).values, 2, 7, 3),
    "quantile": plain(lambda x: torch.quantile(x, 0.3, dim=-1), 4, 9),
    "log-sum-exp": plain(lambda x: torch.logsumexp(x, -1), 4, 9),
    "standard-deviation": plain(lambda x: torch.std(x, 1), 4, 9),
    "largest": plain(lambda x: torch.amax(x, (0, 2)), 3, 4, 5),
    "gather-elements": indexed(lambda x, i: torch.gather(x, 1, i), (3, 6), lambda: torch.randint(0, 6, (3, 4), dtype=torch.int32)),
    "gather-rows": indexed(lambda x, i: torch.index_select(x, 1, i), (3, 6, 2), lambda: torch.tensor([5, 0, 0, 3], dtype=torch.int32)),
    "einsum": lambda: layer({}, {"a": randn(2, 3, 4), "b": randn(2, 5, 4), "c": randn(5, 6)}, lambda p, a, b, c: torch.einsum("bqd,bkd,ke->bqe", a, b, c)),
    "matmul-broadcast": lambda: layer({}, {"a": randn(3, 1, 4, 5), "b": randn(2, 5, 3)}, lambda p, a, b: a @ b),
    "arithmetic": lambda: layer({}, {"a": randn(3, 4), "b": 1.5 + torch.rand(3, 1)}, lambda p, a, b: torch.sqrt(b) * torch.exp(a / b) - torch.maximum(a, b) ** 3 + torch.log(b) * torch.cos(a) - torch.abs(a) * torch.atan(a)),
}


def pair(fn, *shape):
    return lambda: layer({}, {"prediction": randn(*shape), "target": randn(*shape)}, lambda p, prediction, target: fn(prediction, target))


def probabilities(*shape):
    return F.softmax(randn(*shape), 1)


def classes(labels, **options):
    return lambda: layer({}, {"logits": 2 * randn(3, 5, 4), "target": torch.randint(0, 5, (3, 4), dtype=torch.int32) if labels == "hard" else probabilities(3, 5, 4)},
                         lambda p, logits, target: F.cross_entropy(logits, target if target.is_floating_point() else target.long(), **options))


def gaussians(p, mean, logVariance, mean2, logVariance2):
    normal = lambda m, lv: torch.distributions.Normal(m, torch.exp(lv / 2))
    return torch.distributions.kl_divergence(normal(mean, logVariance), normal(mean2, logVariance2)).mean()


def likelihood(full):
    return lambda: layer({}, {"mean": randn(3, 6), "variance": 0.2 + torch.rand(3, 6), "target": randn(3, 6)}, lambda p, mean, variance, target: F.gaussian_nll_loss(mean, target, variance, full=full))


LOSSES = {
    "mse": pair(F.mse_loss, 4, 6),
    "mse-sum": pair(lambda a, b: F.mse_loss(a, b, reduction="sum"), 4, 6),
    "mae": pair(F.l1_loss, 4, 6),
    "huber": pair(lambda a, b: F.huber_loss(a, b, delta=0.7), 4, 6),
    "smooth-l1": pair(lambda a, b: F.smooth_l1_loss(a, b, beta=0.7), 4, 6),
    "huber-none": pair(lambda a, b: F.huber_loss(a, b, delta=0.7, reduction="none"), 4, 6),
    "bce-with-logits": lambda: layer({}, {"logits": 3 * randn(4, 6), "target": torch.rand(4, 6)}, lambda p, logits, target: F.binary_cross_entropy_with_logits(logits, target)),
    "cross-entropy": classes("hard"),
    "cross-entropy-none": classes("hard", reduction="none"),
    "cross-entropy-smooth": classes("hard", label_smoothing=0.1),
    "cross-entropy-soft": classes("soft"),
    "cross-entropy-soft-smooth": classes("soft", label_smoothing=0.2),
    "gaussian-nll": likelihood(False),
    "gaussian-nll-full": likelihood(True),
    "gaussian-kl": lambda: layer({}, {"mean": randn(3, 5), "logVariance": randn(3, 5), "mean2": randn(3, 5), "logVariance2": randn(3, 5)}, gaussians),
    "kl-divergence": lambda: layer({}, {"prediction": torch.log(probabilities(3, 6)), "target": probabilities(3, 6)}, lambda p, prediction, target: F.kl_div(prediction, target, reduction="mean")),
    "cosine-similarity": pair(lambda a, b: F.cosine_similarity(a, b), 4, 6),
    "cosine-similarity-last": pair(lambda a, b: F.cosine_similarity(a, b, dim=-1), 2, 3, 5),
}


def evaluate(params, inputs, fn, cotangent, dtype):
    cast = lambda t: t.detach().to(dtype).requires_grad_() if t.is_floating_point() else t
    params = {name: cast(t) for name, t in params.items()}
    inputs = {name: cast(t) for name, t in inputs.items()}
    y = fn(params, **inputs)
    if cotangent is None:
        cotangent = torch.randn(y.shape)
    y.backward(cotangent.to(dtype))
    grads = {name: t.grad for name, t in {**params, **inputs}.items() if t.is_floating_point()}
    return y, cotangent, grads


def tolerance(values, largest, n):
    own = values.abs().max().item()
    return 4 * EPS * math.sqrt(n) * (own if own > 1e-5 * largest else largest)


def cases(table, seed):
    found, worst = [], ("", 0.0)
    for i, (name, make) in enumerate(table.items()):
        torch.manual_seed(seed + i)
        params, inputs, fn = make()
        y, cotangent, grads = evaluate(params, inputs, fn, None, torch.float32)
        y64, _, grads64 = evaluate(params, inputs, fn, cotangent, torch.float64)
        n = max(t.numel() for t in [*params.values(), *inputs.values(), y])
        largest = max(g.abs().max().item() for g in grads64.values())
        for what, value, reference in [("output", y, y64), *((k, grads[k], grads64[k]) for k in grads)]:
            share = (value.double() - reference).abs().max().item() / tolerance(reference, 0 if what == "output" else largest, n)
            worst = max(worst, (f"{name}.{what}", share), key=lambda pair: pair[1])
            if share > 0.3:
                print(name, what, share)
        found.append({"name": name, "elements": n, "params": {k: encode(t) for k, t in params.items()}, "inputs": {k: encode(t) for k, t in inputs.items()},
                      "cotangent": encode(cotangent), "output": encode(y), "gradients": {k: encode(t) for k, t in grads.items()}})
    assert worst[1] <= 0.5, f"the tolerance is too tight for PyTorch itself: {worst}"
    return {"header": header(tolerance="4 eps sqrt(elements) max|value|, eps = 2^-23", torchFloat32AgainstFloat64={"worst": worst[0], "shareOfTolerance": round(worst[1], 4)}), "cases": found}


LR = {"adam": 2e-3, "adamW": 2e-3, "rAdam": 2e-3, "sgd": 0.05, "sgdNesterov": 0.02}
OPTIMIZERS = {
    "adam": lambda ps: torch.optim.Adam(ps, lr=LR["adam"]),
    "adamW": lambda ps: torch.optim.AdamW(ps, lr=LR["adamW"], betas=(0.9, 0.99), weight_decay=0.1),
    "rAdam": lambda ps: torch.optim.RAdam(ps, lr=LR["rAdam"]),
    "sgd": lambda ps: torch.optim.SGD(ps, lr=LR["sgd"], momentum=0.9),
    "sgdNesterov": lambda ps: torch.optim.SGD(ps, lr=LR["sgdNesterov"], momentum=0.9, nesterov=True, weight_decay=0.01),
}


def train(model, make, batch, steps, dtype):
    model = copy.deepcopy(model).to(dtype)
    x, t, y = (b.to(dtype) for b in batch)
    optimizer = make(model.parameters())
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x, t), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, {k: p.detach() for k, p in model.named_parameters()}


def deviation(a, b):
    return max(((a[k].double() - b[k].double()).abs().max() / b[k].double().abs().max()).item() for k in b)


def training():
    torch.manual_seed(20)
    model = SmallUnet()
    batch = randn(2, 3, 8, 8), randn(2, 8), randn(2, 3, 8, 8)
    runs = {}
    for name, make in OPTIMIZERS.items():
        losses, params = train(model, make, batch, 20, torch.float32)
        _, params64 = train(model, make, batch, 20, torch.float64)
        runs[name] = {"learningRate": LR[name], "losses": losses, "params": {k: encode(p) for k, p in params.items()}, "torchFloat32AgainstFloat64": deviation(params, params64), "moved": deviation(dict(model.named_parameters()), params)}
        print(name, "losses", round(losses[0], 4), round(losses[-1], 4), "own deviation", runs[name]["torchFloat32AgainstFloat64"], "moved", runs[name]["moved"])
    start = {k: encode(p) for k, p in model.named_parameters()}
    return {"header": header(tolerance="1e-4 of the largest element of each parameter; losses 1e-5 relative"), "batch": {"x": encode(batch[0]), "t": encode(batch[1]), "y": encode(batch[2])}, "start": start, "runs": runs}


PARTS = {"layers": lambda: cases(LAYERS, 1000), "losses": lambda: cases(LOSSES, 2000), "training": training}

for part in sys.argv[1:] or PARTS:
    OUT.mkdir(parents=True, exist_ok=True)
    result = PARTS[part]()
    text = json.dumps(result, separators=(",", ":")).replace('{"name"', '\n{"name"')
    (OUT / f"{part}.json").write_text(text + "\n")
    print(part, len(text), "bytes", result["header"])
