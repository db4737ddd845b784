"""The small U-Net of the training parity test; packages/nn/test/parity/small-unet.ts is the same network.

Keys have no bias: softmax does not change when all logits shift, so its gradient is rounding noise, which Adam would blow up to steps
of full size in random directions.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F


class Block(nn.Module):
    def __init__(self, inputs, outputs, time):
        super().__init__()
        self.norm1 = nn.GroupNorm(2, inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.time = nn.Linear(time, outputs)
        self.norm2 = nn.GroupNorm(2, outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x, t):
        h = self.conv1(F.silu(self.norm1(x))) + self.time(F.silu(t))[:, :, None, None]
        return self.skip(x) + self.conv2(F.silu(self.norm2(h)))


class Attention(nn.Module):
    def __init__(self, channels, heads):
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(2, channels)
        self.to_q, self.to_k, self.to_v = (nn.Linear(channels, channels, bias=False) for _ in range(3))
        self.to_out = nn.ModuleList([nn.Linear(channels, channels)])

    def forward(self, x):
        n, c, h, w = x.shape
        tokens = self.norm(x).reshape(n, c, h * w).transpose(1, 2)
        split = lambda y: y.reshape(n, h * w, self.heads, c // self.heads).transpose(1, 2)
        y = F.scaled_dot_product_attention(split(self.to_q(tokens)), split(self.to_k(tokens)), split(self.to_v(tokens)))
        return x + self.to_out[0](y.transpose(1, 2).reshape(n, h * w, c)).transpose(1, 2).reshape(x.shape)


class SmallUnet(nn.Module):
    """x [N, 3, 8, 8], t [N, 8] -> [N, 3, 8, 8]."""

    def __init__(self, c=6, time=8):
        super().__init__()
        self.time1 = nn.Linear(time, time)
        self.time2 = nn.Linear(time, time)
        self.conv_in = nn.Conv2d(3, c, 3, padding=1)
        self.down1 = Block(c, c, time)
        self.halve = nn.Conv2d(c, c, 3, stride=2, padding=1)
        self.down2 = Block(c, 2 * c, time)
        self.attention = Attention(2 * c, 2)
        self.up1 = Block(3 * c, c, time)
        self.norm_out = nn.GroupNorm(2, 2 * c)
        self.conv_out = nn.Conv2d(2 * c, 3, 3, padding=1)

    def forward(self, x, t):
        t = self.time2(F.silu(self.time1(t)))
        first = self.conv_in(x)
        second = self.down1(first, t)
        low = self.halve(second)
        deep = self.attention(self.down2(low, t))
        up = F.interpolate(self.up1(torch.cat([deep, low], 1), t), scale_factor=2)
        return self.conv_out(F.silu(self.norm_out(torch.cat([up, second], 1))))
