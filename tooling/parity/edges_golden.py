"""Regenerates packages/tensor/test/golden/edges.json: values and gradients where a formula has a kink, a zero divisor, an infinity or NaN.

Run: python tooling/parity/edges_golden.py
Needs: torch 2.13 (CPU).

Each case has its inputs, the value of the function and the gradients of the sum of its elements by all inputs, in float64. Numbers that JSON
lacks are the strings "nan", "inf" and "-inf". The tolerance is 2^-20 relative to the largest finite magnitude of a tensor (at least 1):
values are compared in float32.
"""
import datetime
import json
import math
import pathlib
import sys

import torch
import torch.nn.functional as F

OUT = pathlib.Path(__file__).resolve().parents[2] / "packages/tensor/test/golden/edges.json"
INF, NAN = math.inf, math.nan
torch.set_num_threads(1)

BOUNDARY = [0.0, 1.0, -1.0, 2.0]
LINES = [[INF, 1.0], [-INF, 2.0], [1.0, 1.0], [NAN, 1.0], [INF, INF]]
CASES = {
    "abs": (torch.abs, [[0.0, -2.0, 3.0]]),
    "sqrt": (torch.sqrt, [[0.0, 4.0]]),
    "log": (torch.log, [[0.0, INF, 2.0]]),
    "exp": (torch.exp, [[-INF, 0.0, 80.0]]),
    "atan": (torch.atan, [[INF, -INF, 0.0]]),
    "erf": (torch.erf, [[INF, -INF, 0.0]]),
    "tanh": (torch.tanh, [[INF, -INF, 0.0, 100.0]]),
    "sigmoid": (torch.sigmoid, [[INF, -INF, 0.0, 200.0, -200.0]]),
    "softplus": (F.softplus, [[0.0, INF, -INF, 200.0, -200.0, NAN]]),
    "logSigmoid": (F.logsigmoid, [[0.0, INF, 200.0, -200.0, NAN]]),
    "relu": (F.relu, [[0.0, -1.0, 2.0, NAN]]),
    "clamp": (lambda x: torch.clamp(x, 0, 1), [BOUNDARY]),
    "pow by tensors": (torch.pow, [[0.0, 0.0, 0.0, 2.0, -2.0, 0.0], [2.0, 0.0, -1.0, 0.0, 2.0, 0.5]]),
    "pow 0": (lambda x: x**0, [[0.0, 2.0, -1.0, NAN]]),
    "pow 1": (lambda x: x**1, [[0.0, 2.0, -1.0]]),
    "pow 0.5": (lambda x: x**0.5, [[0.0, 4.0]]),
    "div": (torch.div, [[1.0, 0.0, -1.0], [0.0, 2.0, INF]]),
    "std": (lambda x: torch.std(x, dim=1), [[[0.1, 0.1, 0.1], [1.0, 2.0, 4.0]]]),
    "variance": (lambda x: torch.var(x, dim=1), [[[0.1, 0.1, 0.1], [1.0, 2.0, 4.0]]]),
    "length": (lambda x: torch.linalg.vector_norm(x, dim=1), [[[0.0, 0.0], [3.0, 4.0]]]),
    "max": (lambda x: torch.amax(x, dim=1), [[[1.0, 3.0, 3.0], [-INF, -INF, 0.0], [1.0, NAN, 2.0]]]),
    "min": (lambda x: torch.amin(x, dim=1), [[[1.0, 3.0, 1.0], [INF, INF, 0.0], [1.0, NAN, 2.0]]]),
    "sort": (lambda x: torch.sort(x, stable=True).values * torch.tensor([1.0, 2.0, 3.0], dtype=x.dtype), [[1.0, 1.0, 0.0]]),
    "sort with NaN": (lambda x: torch.sort(x, stable=True).values, [[3.0, NAN, INF, -INF, NAN]]),
    "quantile": (lambda x: torch.quantile(x, 0.5), [[1.0, 1.0, 1.0, 2.0]]),
    "quantile of NaN": (lambda x: torch.quantile(x, 0.3), [[3.0, NAN, 1.0, 7.0]]),
    "logSumExp": (lambda x: torch.logsumexp(x, dim=1), [LINES]),
    "softmax": (lambda x: torch.softmax(x, dim=-1)[:, :1], [[[1.0, -INF], [-INF, -INF], [500.0, -500.0]]]),
    "logSoftmax": (lambda x: torch.log_softmax(x, dim=-1)[:, :1], [[[1.0, -INF], [500.0, -500.0], [0.0, 0.0]]]),
    "where, log untaken": (lambda x: torch.where(x > 0, torch.log(x), torch.zeros((), dtype=x.dtype)), [[0.0, 1.0, 2.0]]),
    "diagonal": (lambda x: torch.einsum("ii->i", x), [[[1.0, INF], [NAN, 2.0]]]),
    "mean of none": (lambda x: torch.mean(x[:0]), [[1.0, 2.0]]),
    "cumsum": (lambda x: torch.cumsum(x, 0), [[1.0, INF, 2.0]]),
    "maxPool": (lambda x: F.max_pool1d(x, 2), [[[[1.0, 1.0, -INF, 0.0, 2.0, -1.0]]]]),
    "masked attention": (
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=torch.tensor([[False, False], [True, False]])),
        [[[[[1.0, 2.0], [3.0, -1.0]]]], [[[[0.5, 1.0], [2.0, 1.0]]]], [[[[1.0], [5.0]]]]],
    ),
}


def plain(t):
    def number(v):
        return "nan" if math.isnan(v) else ("inf" if v > 0 else "-inf") if math.isinf(v) else v

    return {"shape": list(t.shape), "values": [number(v) for v in t.detach().flatten().tolist()]}


def main():
    cases = {}
    for name, (fn, inputs) in CASES.items():
        xs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in inputs]
        y = fn(*xs)
        y.sum().backward()
        cases[name] = {"inputs": [plain(x) for x in xs], "value": plain(y), "gradients": [plain(x.grad) for x in xs]}
    versions = {"torch": torch.__version__, "python": sys.version.split()[0]}
    head = {"script": "tooling/parity/edges_golden.py", "versions": versions, "date": datetime.date.today().isoformat(), "tolerance": 2.0**-20}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({**head, "cases": cases}, indent=1) + "\n")


main()
