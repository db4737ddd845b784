"""Regenerates packages/backbones/test/golden/reference-unet.json.

Run: python tooling/parity/reference_unet_golden.py
Needs: torch 2.13 (CPU).
The U-Net that the benchmarks time, with 8 channels and the weights that a seed gives it: output and gradients of sum(output * cotangent).
"""
import json

import torch
import torch.nn.functional as F
from torch import nn

from golden import ROOT, header, sampled, whole

OUT = ROOT / "packages/backbones/test/golden/reference-unet.json"
SEED = 5


class Res(nn.Module):
    def __init__(self, inputs, outputs, embedding):
        super().__init__()
        self.n1 = nn.GroupNorm(8, inputs)
        self.c1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.l = nn.Linear(embedding, outputs)
        self.n2 = nn.GroupNorm(8, outputs)
        self.c2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.sk = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x, e):
        h = self.c1(F.silu(self.n1(x))) + self.l(e)[:, :, None, None]
        return self.sk(x) + self.c2(F.silu(self.n2(h)))


class Attn(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.n = nn.GroupNorm(8, channels)
        self.q, self.k, self.v, self.o = (nn.Linear(channels, channels) for _ in range(4))

    def forward(self, x):
        n, c, height, width = x.shape
        h = self.n(x).flatten(2).transpose(1, 2)
        q, k, v = (part(h).unflatten(2, (4, c // 4)).transpose(1, 2) for part in (self.q, self.k, self.v))
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        return x + self.o(mixed).transpose(1, 2).reshape(x.shape)


class Unet(nn.Module):
    def __init__(self, c):
        super().__init__()
        e = 4 * c
        self.t1, self.t2, self.ci = nn.Linear(c, e), nn.Linear(e, e), nn.Conv2d(3, c, 3, padding=1)
        self.r1, self.r2, self.a2, self.r3, self.a3 = Res(c, c, e), Res(c, 2 * c, e), Attn(2 * c), Res(2 * c, 2 * c, e), Attn(2 * c)
        self.m1, self.ma, self.m2 = Res(2 * c, 2 * c, e), Attn(2 * c), Res(2 * c, 2 * c, e)
        self.u1, self.u2, self.ua, self.u3, self.u4 = Res(4 * c, 2 * c, e), Res(4 * c, 2 * c, e), Attn(2 * c), Res(3 * c, c, e), Res(2 * c, c, e)
        self.no, self.co = nn.GroupNorm(8, c), nn.Conv2d(c, 3, 3, padding=1)

    def forward(self, x, features):
        e = F.silu(self.t2(F.silu(self.t1(features))))
        s0 = self.ci(x)
        s1 = self.r1(s0, e)
        s2 = self.a2(self.r2(F.avg_pool2d(s1, 2), e))
        s3 = self.a3(self.r3(F.avg_pool2d(s2, 2), e))
        h = self.m2(self.ma(self.m1(s3, e)), e)
        h = F.interpolate(self.u1(torch.cat([h, s3], 1), e), scale_factor=2)
        h = F.interpolate(self.ua(self.u2(torch.cat([h, s2], 1), e)), scale_factor=2)
        h = self.u4(torch.cat([self.u3(torch.cat([h, s1], 1), e), s0], 1), e)
        return self.co(F.silu(self.no(h)))


def main():
    torch.manual_seed(SEED)
    model = Unet(8).double()
    torch.manual_seed(SEED)
    model.load_state_dict(Unet(8).state_dict())
    generator = torch.Generator().manual_seed(1)
    x, features, cotangent = (torch.randn(shape, generator=generator).double() for shape in [(2, 3, 8, 8), (2, 8), (2, 3, 8, 8)])
    out = model(x, features)
    (out * cotangent).sum().backward()
    with torch.device("meta"):
        count = sum(p.numel() for p in Unet(64).parameters())
    golden = header("reference_unet_golden.py", {"float32": 1e-4, "of": "largest magnitude"}, torch=torch.__version__)
    golden |= {"seed": SEED, "parameters": count, "x": whole(x), "features": whole(features), "cotangent": whole(cotangent), "output": whole(out),
               "gradients": {key: sampled(p.grad, most=6) for key, p in model.named_parameters()}}
    OUT.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
