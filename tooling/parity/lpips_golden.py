"""Regenerates packages/latent-ae/test/golden/lpips.json.

Run: python tooling/parity/lpips_golden.py
Needs: torch 2.13 (CPU).
VGG16's convolutions (Simonyan and Zisserman 2015) and LPIPS over them (Zhang et al. 2018, eq. 1) in plain PyTorch, in float64; weights and pictures follow from names
(by_rule.py). The published weights are not needed for it: another file of the same names and shapes gives other numbers by the same formula.
"""
import json

import torch
from torch import nn

from by_rule import numbers, projected, weight
from golden import ROOT, header

OUT = ROOT / "packages/latent-ae/test/golden/lpips.json"
WIDTHS = [64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512]
TAPS = [3, 8, 15, 22, 29]


def features():
    layers, inputs = [], 3
    for width in WIDTHS:
        if width == "pool":
            layers.append(nn.MaxPool2d(2, 2))
        else:
            layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU()]
            inputs = width
    return nn.Sequential(*layers)


def distance(net, heads, a, b):
    shift, scale = (torch.tensor(v, dtype=torch.float64).view(1, 3, 1, 1) for v in ([-0.030, -0.088, -0.188], [0.458, 0.448, 0.450]))
    total = 0
    x, y = (a - shift) / scale, (b - shift) / scale
    for i, layer in enumerate(net):
        x, y = layer(x), layer(y)
        if i in TAPS:
            unit = lambda h: h / (h.pow(2).sum(1, keepdim=True).sqrt() + 1e-10)
            total = total + ((unit(x) - unit(y)) ** 2 * heads[TAPS.index(i)]).sum(1).mean([1, 2])
    return total


net = features().double()
names = {}
with torch.no_grad():
    for key, parameter in net.named_parameters():
        parameter.copy_(weight(f"lpips/features.{key}", tuple(parameter.shape)))
heads = [weight(f"lpips/lin{i}.model.1.weight", (1, width, 1, 1)).double().abs() for i, width in enumerate([64, 128, 256, 512, 512])]
a, b = (0.5 * numbers(f"lpips/{name}", (2, 3, 20, 17)) for name in "ab")
b.requires_grad_()
values = distance(net, heads, a, b)
values.sum().backward()
golden = header("lpips_golden.py", {"value": 2e-5, "gradient": 1e-4, "of": "itself; norm"}, torch=torch.__version__)
OUT.write_text(json.dumps({**golden, "values": values.tolist(), "gradient": projected("lpips", "b", b.grad), "names": [key for key, _ in net.named_parameters()]}) + "\n")
print(f"{OUT.relative_to(ROOT)}: {OUT.stat().st_size} bytes", values.tolist())
