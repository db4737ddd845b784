"""An autoencoder's training step in plain PyTorch, from the formulas: diffusers' networks, hinge losses (Lim and Ye 2017), a weight that balances two
gradients at the last layer (Esser et al. 2021, eq. 7), R1 (Mescheder et al. 2018, eq. 9). The discriminator sees the reconstruction from before the
autoencoder's update.

As a program it times steps for `npm run bench -- latents`: it prints its parameters, then a time in milliseconds for each line that it is sent.
Run: python tooling/parity/autoencoder_twin.py --threads 2 config.json
Needs: torch 2.13 (CPU), diffusers 0.42.
"""
import argparse
import json
import sys
import time

import torch
from torch import nn


class Stage(nn.Module):
    def __init__(self, inputs, outputs, stride, normed):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 4, stride=stride, padding=1, bias=not normed)
        if normed:
            self.norm = nn.BatchNorm2d(outputs)


class Discriminator(nn.Module):
    """Isola et al. 2017: convolutions of 4x4, of which `layers` halve the sides, batch norms but at the ends, leaky ReLUs."""

    def __init__(self, inputs, channels, layers):
        super().__init__()
        widths = [channels * min(2**i, 8) for i in range(layers + 1)]
        stages = [Stage(inputs, widths[0], 2, False)]
        stages += [Stage(widths[i], widths[i + 1], 2 if i + 1 < layers else 1, True) for i in range(layers)]
        stages += [Stage(widths[-1], 1, 1, False)]
        self.stages = nn.ModuleList(stages)

    def forward(self, x):
        for i, stage in enumerate(self.stages):
            x = stage.conv(x)
            x = stage.norm(x) if hasattr(stage, "norm") else x
            x = x if i == len(self.stages) - 1 else nn.functional.leaky_relu(x, 0.2)
        return x


def divergence(posterior):
    """KL(q || N(0, I)) of each item."""
    return 0.5 * (posterior.mean**2 + posterior.var - 1 - posterior.logvar).sum([1, 2, 3])


def balance(likelihood, adversarial, last):
    """|dL/dW| / (|dG/dW| + 1e-4) at the last layer, at most 1e4."""
    first, second = (torch.autograd.grad(value, last, retain_graph=True)[0].norm() for value in (likelihood, adversarial))
    return (first / (second + 1e-4)).clamp(0, 1e4).detach()


def hinge(real, fake):
    return 0.5 * (torch.relu(1 - real).mean() + torch.relu(1 + fake).mean())


def step(model, critic, optimizers, x, weight):
    """One update of both, with L1 and a KL weight of 1e-6."""
    posterior = model.encode(x).latent_dist
    made = model.decode(posterior.mean + posterior.std * torch.randn_like(posterior.mean)).sample
    likelihood = (x - made).abs().mean() * x[0].numel()
    adversarial = -critic(made).mean()
    total = likelihood + 1e-6 * divergence(posterior).mean() + weight * balance(likelihood, adversarial, model.decoder.conv_out.weight) * adversarial
    parameters = list(model.parameters())
    for parameter, gradient in zip(parameters, torch.autograd.grad(total, parameters)):
        parameter.grad = gradient
    optimizers[1].zero_grad()
    hinge(critic(x), critic(made.detach())).backward()
    for optimizer in optimizers:
        optimizer.step()


def main():
    from diffusers import AutoencoderKL

    parser = argparse.ArgumentParser()
    parser.add_argument("config")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    config = json.load(open(given.config))
    model = AutoencoderKL.from_config(config["autoencoder"]).train()
    critic = Discriminator(config["autoencoder"].get("in_channels", 3), **config["discriminator"]).train()
    optimizers = [torch.optim.Adam(net.parameters(), lr=1e-4, betas=(0.5, 0.9)) for net in (model, critic)]
    x = torch.rand(config["shape"]) * 2 - 1
    print(json.dumps({"torch": torch.__version__, "parameters": sum(p.numel() for net in (model, critic) for p in net.parameters())}), flush=True)
    for _ in sys.stdin:
        before = time.perf_counter()
        step(model, critic, optimizers, x, 0.5)
        print(json.dumps({"ms": (time.perf_counter() - before) * 1000}), flush=True)


if __name__ == "__main__":
    main()
