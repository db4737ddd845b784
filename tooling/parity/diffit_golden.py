"""Regenerates packages/backbones/test/golden/diffit.json.

Run: OMP_NUM_THREADS=1 python tooling/parity/diffit_golden.py
Needs: torch 2.13 (CPU).
A twin of DiffiT of pictures written from the formulas of Hatamizadeh et al. 2023 (arXiv:2312.02139), eqs. 1 to 9, whose code is not published: outputs and gradients in
float64 (but for the features of time). Windows are cut by slices and the bias of relative positions is looked up pair by pair, unlike in the network that it proves.
"""
import json
import math

import torch
from torch import nn

from golden import ROOT, header
from network_case import case, count

OUT = ROOT / "packages/backbones/test/golden/diffit.json"
DEFAULTS = dict(sample_size=32, in_channels=3, out_channels=None, block_out_channels=[128, 256, 256, 256], layers_per_stage=4, window_sizes=[8, 8, 8, 4], attention_head_dim=32,
                time_embed_dim=512, mlp_ratio=4.0, norm_num_groups=32, num_classes=0)


class TimeAttention(nn.Module):
    def __init__(self, width, heads, time, window):
        super().__init__()
        self.heads, self.window = heads, window
        self.qkv, self.qkv_time, self.proj = nn.Linear(width, 3 * width), nn.Linear(time, 3 * width, bias=False), nn.Linear(width, width)
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))

    def bias(self):
        w, table = self.window, self.relative_position_bias_table
        places = [(row, column) for row in range(w) for column in range(w)]
        rows = [torch.stack([table[(a - c + w - 1) * (2 * w - 1) + b - d + w - 1] for c, d in places]) for a, b in places]
        return torch.stack(rows).permute(2, 0, 1)

    def forward(self, x, time):
        """x [N, H, W, D]"""
        w, out, bias = self.window, torch.zeros_like(x), self.bias()
        for top in range(0, x.shape[1], w):
            for left in range(0, x.shape[2], w):
                part = x[:, top:top + w, left:left + w].flatten(1, 2)
                q, k, v = ((self.qkv(part) + self.qkv_time(time)[:, None]).unflatten(-1, (3, self.heads, -1))).unbind(2)
                weights = (torch.einsum("nihd,njhd->nhij", q, k) / math.sqrt(q.shape[-1]) + bias).softmax(-1)
                seen = self.proj(torch.einsum("nhij,njhd->nihd", weights, v).flatten(2))
                out[:, top:top + w, left:left + w] = seen.unflatten(1, (w, w))
        return out


class Perceptron(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x):
        return self.fc2(nn.functional.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, c, stage):
        super().__init__()
        width = c["block_out_channels"][stage]
        self.norm, self.conv = nn.GroupNorm(c["norm_num_groups"], width), nn.Conv2d(width, width, 3, padding=1)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = TimeAttention(width, width // c["attention_head_dim"], c["time_embed_dim"], c["window_sizes"][stage])
        self.mlp = Perceptron(width, int(width * c["mlp_ratio"]))

    def forward(self, x, time):
        h = self.conv(nn.functional.silu(self.norm(x))).permute(0, 2, 3, 1)
        h = h + self.attn(self.norm1(h), time)
        h = h + self.mlp(self.norm2(h))
        return x + h.permute(0, 3, 1, 2)


class Stage(nn.Module):
    def __init__(self, c, stage):
        super().__init__()
        self.blocks = nn.ModuleList(Block(c, stage) for _ in range(c["layers_per_stage"]))

    def through(self, h, time):
        for block in self.blocks:
            h = block(h, time)
        return h


class Twin(nn.Module):
    def __init__(self, **config):
        super().__init__()
        c = DEFAULTS | config
        widths, embed = c["block_out_channels"], c["time_embed_dim"]
        self.conv_in = nn.Conv2d(c["in_channels"], widths[0], 3, padding=1)
        self.time_embed = nn.ModuleDict({"linear_1": nn.Linear(256, embed), "linear_2": nn.Linear(embed, embed)})
        if c["num_classes"]:
            self.label_embed = nn.Embedding(c["num_classes"], embed)
        self.encoder, self.decoder = nn.ModuleList(), nn.ModuleList()
        for i in range(len(widths)):
            stage = Stage(c, i)
            if i + 1 < len(widths):
                stage.down = nn.Conv2d(widths[i], widths[i + 1], 3, stride=2, padding=1)
            self.encoder.append(stage)
        for i in reversed(range(len(widths) - 1)):
            stage = Stage(c, i)
            stage.up, stage.join = nn.Conv2d(widths[i + 1], widths[i], 3, padding=1), nn.Conv2d(2 * widths[i], widths[i], 1)
            self.decoder.append(stage)
        self.norm_out = nn.GroupNorm(c["norm_num_groups"], widths[0])
        self.conv_out = nn.Conv2d(widths[0], c["out_channels"] or c["in_channels"], 3, padding=1)

    def forward(self, x, time, label=None):
        waves = time[:, None].float() * torch.exp(-math.log(10000) * torch.arange(128).float() / 128)
        features = torch.cat([waves.cos(), waves.sin()], -1).to(x.dtype)
        told = self.time_embed["linear_2"](nn.functional.silu(self.time_embed["linear_1"](features)))
        if label is not None:
            told = told + self.label_embed(label)
        h, left = self.conv_in(x), []
        for stage in self.encoder:
            h = stage.through(h, told)
            left.append(h)
            if hasattr(stage, "down"):
                h = stage.down(h)
        left.pop()
        for stage in self.decoder:
            h = stage.up(h.repeat_interleave(2, 2).repeat_interleave(2, 3))
            h = stage.through(stage.join(torch.cat([h, left.pop()], 1)), told)
        return self.conv_out(nn.functional.silu(self.norm_out(h)))


TINY = dict(sample_size=8, block_out_channels=[8, 16], layers_per_stage=1, window_sizes=[4, 2], attention_head_dim=4, time_embed_dim=12, norm_num_groups=4)
CONFIGS = {
    "windows": dict(TINY),
    "labels": dict(TINY, in_channels=2, out_channels=4, layers_per_stage=2, window_sizes=[2, 4], num_classes=3, mlp_ratio=1.5),
    "three stages": dict(TINY, block_out_channels=[4, 8, 8], window_sizes=[2, 2, 2]),
    "one stage that sees all": dict(TINY, sample_size=4, block_out_channels=[8], window_sizes=[4], attention_head_dim=8),
}


def tiny(name, config):
    c = DEFAULTS | config
    inputs = {"x": (2, c["in_channels"], c["sample_size"], c["sample_size"])}
    given = {"time": torch.tensor([999.0, 37.25])}
    if c["num_classes"]:
        given["label"] = torch.tensor([2, 0])
    return case(Twin(**config), name=name, config=config, inputs=inputs, given=given, call=lambda model, drawn, fixed: model(drawn["x"], fixed["time"], fixed.get("label")))


def main():
    tolerance = {"float32": 2e-5, "gradients": 1e-4, "of": "largest magnitude of the output; norm of the gradient"}
    golden = header("diffit_golden.py", tolerance, torch=torch.__version__)
    golden |= {
        "cases": [tiny(name, config) for name, config in CONFIGS.items()],
        "fresh": [],
        "counts": [{"name": "defaults", "config": {}, "parameters": count(Twin)}],
    }
    OUT.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
