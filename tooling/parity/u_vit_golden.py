"""Regenerates packages/backbones/test/golden/u-vit.json.

Run: OMP_NUM_THREADS=1 python tooling/parity/u_vit_golden.py
Needs: torch 2.13 (CPU).
A twin of U-ViT written from the formulas of Bao et al. 2023 (arXiv:2209.12152), with the names of the paper's code: outputs and gradients in float64 (but for the
features of time), and how many parameters the paper's sizes have, counted on torch's meta device. The paper says 44M (S/2 of CIFAR-10), 131M (M/4), 287M (L/2), 501M (H/2).
"""
import json
import math

import torch
from torch import nn

from golden import ROOT, header
from network_case import case, count

OUT = ROOT / "packages/backbones/test/golden/u-vit.json"
DEFAULTS = dict(img_size=224, patch_size=16, in_chans=3, embed_dim=768, depth=12, num_heads=12, mlp_ratio=4.0, qkv_bias=False, mlp_time_embed=False, num_classes=-1,
                clip_dim=None, num_clip_token=77, conv=True, skip=True)


class Perceptron(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x):
        return self.fc2(nn.functional.gelu(self.fc1(x)))


class SelfAttention(nn.Module):
    def __init__(self, width, heads, bias):
        super().__init__()
        self.heads, self.qkv, self.proj = heads, nn.Linear(width, 3 * width, bias=bias), nn.Linear(width, width)

    def forward(self, x):
        q, k, v = (part.unflatten(-1, (self.heads, -1)) for part in self.qkv(x).chunk(3, dim=-1))
        weights = torch.einsum("nihd,njhd->nhij", q, k).div(math.sqrt(q.shape[-1])).softmax(-1)
        return self.proj(torch.einsum("nhij,njhd->nihd", weights, v).flatten(2))


class Layer(nn.Module):
    def __init__(self, c, joined):
        super().__init__()
        width = c["embed_dim"]
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = SelfAttention(width, c["num_heads"], c["qkv_bias"])
        self.mlp = Perceptron(width, int(width * c["mlp_ratio"]))
        self.skip_linear = nn.Linear(2 * width, width) if joined else None

    def forward(self, x, skip=None):
        if self.skip_linear is not None:
            x = self.skip_linear(torch.cat([x, skip], -1))
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Twin(nn.Module):
    def __init__(self, **config):
        super().__init__()
        c = self.c = DEFAULTS | config
        width, patch, channels = c["embed_dim"], c["patch_size"], c["in_chans"]
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(channels, width, patch, patch)})
        self.time_embed = nn.Sequential(nn.Linear(width, 4 * width), nn.SiLU(), nn.Linear(4 * width, width)) if c["mlp_time_embed"] else nn.Identity()
        self.extras = 1
        if c["num_classes"] > 0:
            self.label_emb = nn.Embedding(c["num_classes"], width)
            self.extras += 1
        if c["clip_dim"]:
            self.context_embed = nn.Linear(c["clip_dim"], width)
            self.extras += c["num_clip_token"]
        self.pos_embed = nn.Parameter(torch.zeros(1, self.extras + (c["img_size"] // patch) ** 2, width))
        half = c["depth"] // 2
        self.in_blocks = nn.ModuleList(Layer(c, False) for _ in range(half))
        self.mid_block = Layer(c, False)
        self.out_blocks = nn.ModuleList(Layer(c, c["skip"]) for _ in range(half))
        self.norm = nn.LayerNorm(width)
        self.decoder_pred = nn.Linear(width, patch * patch * channels)
        self.final_layer = nn.Conv2d(channels, channels, 3, padding=1) if c["conv"] else nn.Identity()

    def forward(self, x, time, label=None, text=None):
        c, width = self.c, self.c["embed_dim"]
        waves = time[:, None].float() * torch.exp(-math.log(10000) * torch.arange(width // 2).float() / (width // 2))
        tokens = [self.time_embed(torch.cat([waves.cos(), waves.sin()], -1).to(x.dtype))[:, None]]
        if label is not None:
            tokens.insert(0, self.label_emb(label)[:, None])
        if text is not None:
            tokens.append(self.context_embed(text))
        tokens.append(self.patch_embed["proj"](x).flatten(2).mT)
        h = torch.cat(tokens, 1) + self.pos_embed
        left = []
        for block in self.in_blocks:
            h = block(h)
            left.append(h)
        h = self.mid_block(h)
        for block in self.out_blocks:
            h = block(h, left.pop())
        out = self.decoder_pred(self.norm(h))[:, self.extras:]
        side, patch = c["img_size"] // c["patch_size"], c["patch_size"]
        squares = out.reshape(len(x), side, side, patch, patch, c["in_chans"])
        return self.final_layer(torch.einsum("nijpqc->ncipjq", squares).reshape(x.shape))


TINY = dict(img_size=8, patch_size=2, in_chans=3, embed_dim=16, depth=4, num_heads=2)
CONFIGS = {
    # As the paper's CIFAR-10.
    "pixels": dict(TINY),
    # As its ImageNet: labels, the time through a perceptron, no convolution at the end.
    "labels": dict(TINY, in_chans=4, depth=2, num_classes=5, conv=False, qkv_bias=True, mlp_time_embed=True),
    # As its MS-COCO.
    "text": dict(TINY, img_size=4, depth=3, clip_dim=6, num_clip_token=5, mlp_ratio=1.5),
    "without long skips": dict(TINY, depth=2, patch_size=4, skip=False),
}
LATENT = dict(img_size=32, patch_size=2, in_chans=4, num_classes=1001, conv=False)
PUBLISHED = {
    "U-ViT-S/2 of CIFAR-10": dict(img_size=32, patch_size=2, in_chans=3, embed_dim=512, depth=12, num_heads=8),
    "U-ViT-M/4 of ImageNet 64": dict(img_size=64, patch_size=4, in_chans=3, embed_dim=768, depth=16, num_heads=12, num_classes=1000),
    "U-ViT-L/2 of ImageNet 256": dict(LATENT, embed_dim=1024, depth=20, num_heads=16),
    "U-ViT-H/2 of ImageNet 256": dict(LATENT, embed_dim=1152, depth=28, num_heads=16),
}


def tiny(name, config):
    c = DEFAULTS | config
    inputs = {"x": (2, c["in_chans"], c["img_size"], c["img_size"])}
    given = {"time": torch.tensor([999.0, 37.25])}
    if c["num_classes"] > 0:
        given["label"] = torch.tensor([4, 1])
    if c["clip_dim"]:
        inputs["text"] = (2, c["num_clip_token"], c["clip_dim"])
    return case(Twin(**config), name=name, config=config, inputs=inputs, given=given,
                call=lambda model, drawn, fixed: model(drawn["x"], fixed["time"], label=fixed.get("label"), text=drawn.get("text")))


def main():
    tolerance = {"float32": 2e-5, "gradients": 1e-4, "of": "largest magnitude of the output; norm of the gradient"}
    golden = header("u_vit_golden.py", tolerance, torch=torch.__version__)
    golden |= {
        "cases": [tiny(name, config) for name, config in CONFIGS.items()],
        "fresh": [],
        "counts": [{"name": name, "config": config, "parameters": count(lambda: Twin(**config))} for name, config in PUBLISHED.items()],
    }
    OUT.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
