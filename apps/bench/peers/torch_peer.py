"""PyTorch beside Langevin in the benchmarks: reads one JSON line {"case": name} from stdin, runs the case once, answers {"ms": t}.

Never needed by users or tests. `pip install torch==2.13.0` provides it; LANGEVIN_PYTHON names another interpreter.
"""
import json
import math
import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

threads = int(sys.argv[1]) if len(sys.argv) > 1 else 2
torch.set_num_threads(threads)
torch.manual_seed(0)


class Residual(nn.Module):
    def __init__(self, inputs, outputs, embedding):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(8, inputs), nn.Conv2d(inputs, outputs, 3, padding=1)
        self.time = nn.Linear(embedding, outputs)
        self.norm2, self.conv2 = nn.GroupNorm(8, outputs), nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x, e):
        h = self.conv1(F.silu(self.norm1(x))) + self.time(e)[:, :, None, None]
        return self.skip(x) + self.conv2(F.silu(self.norm2(h)))


class PixelAttention(nn.Module):
    def __init__(self, channels, heads=4):
        super().__init__()
        self.heads, self.norm = heads, nn.GroupNorm(8, channels)
        self.q, self.k, self.v, self.out = (nn.Linear(channels, channels) for _ in range(4))

    def forward(self, x):
        n, c, height, width = x.shape
        h = self.norm(x).reshape(n, c, -1).transpose(1, 2)
        split = lambda t: t.reshape(n, height * width, self.heads, c // self.heads).transpose(1, 2)
        a = F.scaled_dot_product_attention(split(self.q(h)), split(self.k(h)), split(self.v(h)))
        return x + self.out(a.transpose(1, 2).reshape(n, height * width, c)).transpose(1, 2).reshape(x.shape)


class Unet(nn.Module):
    """The reference U-Net of the benchmark: 3,021,699 parameters at 64 channels."""

    def __init__(self, c=64):
        super().__init__()
        e = 4 * c
        self.time1, self.time2, self.inward = nn.Linear(c, e), nn.Linear(e, e), nn.Conv2d(3, c, 3, padding=1)
        self.down1, self.down2, self.down2a = Residual(c, c, e), Residual(c, 2 * c, e), PixelAttention(2 * c)
        self.down3, self.down3a = Residual(2 * c, 2 * c, e), PixelAttention(2 * c)
        self.mid1, self.mida, self.mid2 = Residual(2 * c, 2 * c, e), PixelAttention(2 * c), Residual(2 * c, 2 * c, e)
        self.up1, self.up2, self.up2a = Residual(4 * c, 2 * c, e), Residual(4 * c, 2 * c, e), PixelAttention(2 * c)
        self.up3, self.up4 = Residual(3 * c, c, e), Residual(2 * c, c, e)
        self.norm, self.outward = nn.GroupNorm(8, c), nn.Conv2d(c, 3, 3, padding=1)

    def forward(self, x, t):
        e = F.silu(self.time2(F.silu(self.time1(t))))
        h0 = self.inward(x)
        h1 = self.down1(h0, e)
        h2 = self.down2a(self.down2(F.avg_pool2d(h1, 2), e))
        h3 = self.down3a(self.down3(F.avg_pool2d(h2, 2), e))
        h = self.mid2(self.mida(self.mid1(h3, e)), e)
        h = F.interpolate(self.up1(torch.cat([h, h3], 1), e), scale_factor=2)
        h = F.interpolate(self.up2a(self.up2(torch.cat([h, h2], 1), e)), scale_factor=2)
        h = self.up3(torch.cat([h, h1], 1), e)
        h = self.up4(torch.cat([h, h0], 1), e)
        return self.outward(F.silu(self.norm(h)))


class DitBlock(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = (nn.LayerNorm(d, elementwise_affine=False, eps=1e-6) for _ in range(2))
        self.qkv, self.out = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.mlp1, self.mlp2 = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)
        self.modulation = nn.Linear(d, 6 * d)

    def forward(self, x, c):
        n, tokens, d = x.shape
        s1, m1, g1, s2, m2, g2 = self.modulation(F.silu(c))[:, None].chunk(6, -1)
        h = self.norm1(x) * (1 + m1) + s1
        q, k, v = self.qkv(h).reshape(n, tokens, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        a = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, tokens, d)
        x = x + g1 * self.out(a)
        h = self.norm2(x) * (1 + m2) + s2
        return x + g2 * self.mlp2(F.gelu(self.mlp1(h), approximate="tanh"))


class Dit(nn.Module):
    """DiT-S/2 on 32x32x4 latents: 12 blocks of width 384, 6 heads, 256 tokens; predicts 8 channels."""

    def __init__(self, depth=12, d=384, heads=6):
        super().__init__()
        self.patch = nn.Conv2d(4, d, 2, stride=2)
        self.position = nn.Parameter(torch.randn(1, 256, d) * 0.02, requires_grad=False)
        self.time1, self.time2, self.label = nn.Linear(256, d), nn.Linear(d, d), nn.Embedding(1001, d)
        self.blocks = nn.ModuleList(DitBlock(d, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(d, elementwise_affine=False, eps=1e-6)
        self.modulation, self.out = nn.Linear(d, 2 * d), nn.Linear(d, 2 * 2 * 8)

    def forward(self, x, t, y):
        n = x.shape[0]
        freqs = torch.exp(-math.log(10000) * torch.arange(128) / 128)
        angles = t[:, None] * freqs
        c = self.time2(F.silu(self.time1(torch.cat([angles.cos(), angles.sin()], -1)))) + self.label(y)
        h = self.patch(x).flatten(2).transpose(1, 2) + self.position
        for block in self.blocks:
            h = block(h, c)
        shift, scale = self.modulation(F.silu(c))[:, None].chunk(2, -1)
        h = self.out(self.norm(h) * (1 + scale) + shift)
        return h.reshape(n, 16, 16, 2, 2, 8).permute(0, 5, 1, 3, 2, 4).reshape(n, 8, 32, 32)


def train_case(model, forward):
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)

    def run():
        optimizer.zero_grad(set_to_none=True)
        loss = forward()
        loss.backward()
        optimizer.step()
        return loss.item()

    return run


def frozen(fn):
    def run():
        with torch.no_grad():
            return fn()

    return run


def unet_inputs():
    return torch.randn(32, 3, 32, 32), torch.randn(32, 64), torch.randn(32, 3, 32, 32)


def unet_train():
    model, (x, t, y) = Unet(), unet_inputs()
    return train_case(model, lambda: F.mse_loss(model(x, t), y))


def unet_forward():
    model, (x, t, _) = Unet().eval(), unet_inputs()
    return frozen(lambda: model(x, t))


def dit_inputs():
    return torch.randn(8, 4, 32, 32), torch.rand(8) * 1000, torch.randint(0, 1000, (8,)), torch.randn(8, 8, 32, 32)


def dit_train():
    model, (x, t, y, target) = Dit(), dit_inputs()
    return train_case(model, lambda: F.mse_loss(model(x, t, y), target))


def dit_forward():
    model, (x, t, y, _) = Dit().eval(), dit_inputs()
    return frozen(lambda: model(x, t, y))


def matmul():
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    return frozen(lambda: a @ b)


def conv_tensors():
    return torch.randn(64, 64, 28, 28), torch.randn(64, 64, 3, 3), torch.randn(64, 64, 28, 28)


def conv_forward():
    x, w, _ = conv_tensors()
    return frozen(lambda: F.conv2d(x, w, padding=1))


def conv_input_grad():
    x, w, g = conv_tensors()
    return frozen(lambda: torch.nn.grad.conv2d_input(x.shape, w, g, padding=1))


def conv_weight_grad():
    x, w, g = conv_tensors()
    return frozen(lambda: torch.nn.grad.conv2d_weight(x, w.shape, g, padding=1))


def attention():
    q, k, v = (torch.randn(32, 4, 256, 32) for _ in range(3))
    return frozen(lambda: F.scaled_dot_product_attention(q, k, v))


def group_norm():
    x, w, b = torch.randn(32, 64, 32, 32), torch.randn(64), torch.randn(64)
    return frozen(lambda: F.group_norm(x, 8, w, b))


CASES = {
    "matmul": matmul, "conv-forward": conv_forward, "conv-input-grad": conv_input_grad, "conv-weight-grad": conv_weight_grad,
    "attention": attention, "group-norm": group_norm,
    "unet-train": unet_train, "unet-forward": unet_forward, "dit-train": dit_train, "dit-forward": dit_forward,
}


def peak_resident_bytes():
    """Linux counts the parent's size into a child's resource usage, so ask for that of this memory map."""
    if not sys.platform.startswith("linux"):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) * 1024


def main():
    ready = {}
    print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
    for line in sys.stdin:
        name = json.loads(line)["case"]
        if name == "peak-memory":
            answer = {"bytes": peak_resident_bytes()}
        elif name not in CASES:
            answer = {"error": f"unknown case {name}"}
        else:
            run = ready.setdefault(name, None) or CASES[name]()
            ready[name] = run
            start = time.perf_counter()
            run()
            answer = {"ms": (time.perf_counter() - start) * 1e3}
        print(json.dumps(answer), flush=True)


main()
