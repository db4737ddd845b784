"""Regenerates packages/backbones/test/golden/edm2.json.

Run: OMP_NUM_THREADS=1 python tooling/parity/edm2_golden.py
Needs: torch 2.13 (CPU).
The magnitude-preserving U-Net of Karras et al. 2024 (arXiv:2312.02696, configuration G) written from the paper's equations and figures
alone, in float64: outputs and gradients of tiny networks, and how many parameters the published sizes have.
"""
import json
import math

import torch
from torch import nn
from torch.nn import functional as F

from golden import ROOT, header
from network_case import case, count

OUT = ROOT / "packages/backbones/test/golden/edm2.json"


def unit(x, dims, epsilon=1e-4):
    """Divided by its root mean square over the axes."""
    return x / (epsilon + x.pow(2).mean(dims, keepdim=True).sqrt())


def silu(x):
    return F.silu(x) / 0.596


def lerp(a, b, t):
    return ((1 - t) * a + t * b) / ((1 - t) ** 2 + t**2) ** 0.5


def join(a, b, t):
    n_a, n_b = a.shape[1], b.shape[1]
    c = math.sqrt((n_a + n_b) / ((1 - t) ** 2 + t**2))
    return torch.cat([c * (1 - t) / math.sqrt(n_a) * a, c * t / math.sqrt(n_b) * b], dim=1)


class Filters(nn.Module):
    """A linear layer, or a convolution where there is a kernel."""

    def __init__(self, inputs, outputs, kernel=None):
        super().__init__()
        self.filters = nn.Parameter(torch.empty(outputs, inputs, *([] if kernel is None else [kernel, kernel])))

    def forward(self, x):
        w = self.filters
        w = unit(w, tuple(range(1, w.ndim))) / w[0].numel() ** 0.5
        return x @ w.T if w.ndim == 2 else F.conv2d(x, w, padding=w.shape[-1] // 2)


class Noise(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.register_buffer("frequencies", torch.empty(features))
        self.register_buffer("phases", torch.empty(features))

    def forward(self, t):
        return 2**0.5 * torch.cos(torch.outer(t.double(), self.frequencies) + self.phases)


class Block(nn.Module):
    def __init__(self, inputs, outputs, embedding, *, way, resample, attends, head, dropout=0):
        super().__init__()
        if inputs != outputs:
            self.conv_skip = Filters(inputs, outputs, 1)
        self.way, self.resample, self.head = way, resample, head
        self.conv1 = Filters(outputs if way == "down" else inputs, outputs, 3)
        self.emb = Filters(embedding, outputs)
        self.emb_gain = nn.Parameter(torch.zeros([]))
        self.conv2 = Filters(outputs, outputs, 3)
        if attends:
            self.qkv, self.proj = Filters(outputs, 3 * outputs, 1), Filters(outputs, outputs, 1)

    def shortcut(self, x):
        return self.conv_skip(x) if hasattr(self, "conv_skip") else x

    def forward(self, x, emb):
        if self.resample == "half":
            x = F.avg_pool2d(x, 2)
        if self.resample == "double":
            x = F.interpolate(x, scale_factor=2, mode="nearest")
        if self.way == "down":
            x = unit(self.shortcut(x), (1,))
        y = self.conv1(silu(x))
        y = silu(y * (1 + self.emb_gain * self.emb(emb))[:, :, None, None])
        y = self.conv2(y)
        if self.way == "up":
            x = self.shortcut(x)
        x = lerp(x, y, 0.3)
        if hasattr(self, "qkv"):
            n, c, h, w = x.shape
            q, k, v = (unit(part.reshape(n, c // self.head, self.head, h * w), (2,)) for part in self.qkv(x).chunk(3, dim=1))
            weights = torch.einsum("nhdi,nhdj->nhij", q, k).div(self.head**0.5).softmax(-1)
            y = torch.einsum("nhij,nhdj->nhdi", weights, v).reshape(n, c, h, w)
            x = lerp(x, self.proj(y), 0.3)
        return x.clip(-256, 256)


class Net(nn.Module):
    def __init__(self, sample_size=64, in_channels=4, num_classes=None, model_channels=192, channel_multipliers=(1, 2, 3, 4), layers_per_block=3, attention_sizes=(16, 8),
                 attention_head_dim=64):
        super().__init__()
        embedding = model_channels * max(channel_multipliers)
        self.noise_features = Noise(model_channels)
        self.noise_emb = Filters(model_channels, embedding)
        if num_classes:
            self.label_emb = Filters(num_classes, embedding)
        self.classes = num_classes
        self.conv_in = Filters(in_channels + 1, model_channels, 3)
        self.down_blocks, self.up_blocks, self.joins = nn.ModuleList(), nn.ModuleList(), []
        at, skips, side = model_channels, [model_channels], sample_size

        def block(inputs, outputs, way, resample="none", attends=False):
            return Block(inputs, outputs, embedding, way=way, resample=resample, attends=attends, head=attention_head_dim)

        for level, multiplier in enumerate(channel_multipliers):
            if level:
                side //= 2
                self.down_blocks.append(block(at, at, "down", "half"))
                skips.append(at)
            for _ in range(layers_per_block):
                self.down_blocks.append(block(at, model_channels * multiplier, "down", attends=side in attention_sizes))
                at = model_channels * multiplier
                skips.append(at)
        self.up_blocks.extend([block(at, at, "up", attends=True), block(at, at, "up")])
        self.joins += [False, False]
        for level, multiplier in reversed(list(enumerate(channel_multipliers))):
            if level < len(channel_multipliers) - 1:
                side *= 2
                self.up_blocks.append(block(at, at, "up", "double"))
                self.joins.append(False)
            for _ in range(layers_per_block + 1):
                self.up_blocks.append(block(at + skips.pop(), model_channels * multiplier, "up", attends=side in attention_sizes))
                self.joins.append(True)
                at = model_channels * multiplier
        self.conv_out = Filters(model_channels, in_channels, 3)
        self.out_gain = nn.Parameter(torch.zeros([]))

    def forward(self, x, time, label=None):
        emb = self.noise_emb(self.noise_features(time))
        if self.classes:
            # A label beyond the classes is none: the vector of zeros.
            hot = F.one_hot(label, self.classes + 1)[:, :-1].to(x.dtype) * self.classes**0.5
            emb = lerp(emb, self.label_emb(hot), 0.5)
        emb = silu(emb)
        x = self.conv_in(torch.cat([x, torch.ones_like(x[:, :1])], dim=1))
        skips = [x]
        for block in self.down_blocks:
            x = block(x, emb)
            skips.append(x)
        for block, joins in zip(self.up_blocks, self.joins):
            x = block(join(x, skips.pop(), 0.5) if joins else x, emb)
        return self.conv_out(x) * self.out_gain


TINY = dict(sample_size=8, in_channels=2, model_channels=8, channel_multipliers=[1, 2], layers_per_block=1, attention_sizes=[4], attention_head_dim=4)
CONFIGS = {
    "classes": (dict(TINY, num_classes=3), (2, 2, 8, 8)),
    # Attention at the largest side, a level between, and another size than it was made for.
    "three-levels": (dict(TINY, in_channels=3, channel_multipliers=[1, 1, 2], layers_per_block=2, attention_sizes=[8], attention_head_dim=8), (2, 3, 4, 8)),
}
SIZES = {"EDM2-XS": 128, "EDM2-S": 192, "EDM2-M": 256, "EDM2-L": 320, "EDM2-XL": 384, "EDM2-XXL": 448}


def tiny(name, config, shape):
    given = {"time": torch.tensor([-1.25, 0.5])}
    if "num_classes" in config:
        given["label"] = torch.tensor([1, 3])
    return case(Net(**config), name=name, config=config, inputs={"x": shape}, given=given, call=lambda model, inputs, more: model(inputs["x"], more["time"], more.get("label")))


def main():
    tolerance = {"float32": 2e-5, "gradients": 1e-4, "init": 1e-6, "of": "largest magnitude of the output; norm of the gradient; largest magnitude of the weight"}
    golden = header("edm2_golden.py", tolerance, torch=torch.__version__)
    golden |= {
        "cases": [tiny(name, *of) for name, of in CONFIGS.items()],
        "fresh": [],
        "counts": [{"name": name, "config": {"model_channels": width, "num_classes": 1000}, "parameters": count(lambda: Net(model_channels=width, num_classes=1000))}
                   for name, width in SIZES.items()],
    }
    OUT.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
