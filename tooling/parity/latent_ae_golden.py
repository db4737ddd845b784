"""Regenerates packages/latent-ae/test/golden/autoencoder-kl.json.

Run: python tooling/parity/latent_ae_golden.py
Needs: torch 2.13 (CPU), diffusers 0.42.
Tiny autoencoders in float64, whose weights and inputs follow from names (by_rule.py): posteriors, pictures, and gradients.
"""
import json

import diffusers
import torch
from diffusers import AutoencoderKL

from by_rule import fill, numbers, record
from golden import ROOT, header

OUT = ROOT / "packages/latent-ae/test/golden"
TWO = dict(block_out_channels=[8, 16], down_block_types=["DownEncoderBlock2D"] * 2, up_block_types=["UpDecoderBlock2D"] * 2, norm_num_groups=4)
# config, sides of the pictures, sides of the latents
CASES = {
    "stable-diffusion": (dict(TWO, layers_per_block=2), (8, 12), (4, 6)),
    "sixteen-channels": (dict(TWO, latent_channels=16, shift_factor=0.0609, scaling_factor=1.5305, use_quant_conv=False, use_post_quant_conv=False), (8, 8), (4, 4)),
    "odd-sides": (dict(block_out_channels=[4, 8, 8], down_block_types=["DownEncoderBlock2D"] * 3, up_block_types=["UpDecoderBlock2D"] * 3, norm_num_groups=2,
                       in_channels=1, out_channels=2, latent_channels=3, act_fn="gelu"), (9, 14), (2, 3)),
    "no-attention": (dict(TWO, mid_block_add_attention=False, latents_mean=[0.1, -0.2, 0.3, 0.0], latents_std=[1.0, 2.0, 0.5, 4.0]), (6, 6), (1, 5)),
    "one-level": (dict(block_out_channels=[8], norm_num_groups=2), (5, 4), (3, 7)),
}
SIZES = {
    "stable-diffusion": dict(block_out_channels=[128, 256, 512, 512], down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4, layers_per_block=2),
    "sd3": dict(block_out_channels=[128, 256, 512, 512], down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4, layers_per_block=2,
                latent_channels=16, use_quant_conv=False, use_post_quant_conv=False, scaling_factor=1.5305, shift_factor=0.0609),
}


def case(name, config, sides, latent_sides):
    model = fill(AutoencoderKL(**config), name)
    x = numbers(f"{name}/x", (2, config.get("in_channels", 3), *sides)).requires_grad_()
    z = numbers(f"{name}/z", (2, config.get("latent_channels", 4), *latent_sides)).requires_grad_()
    posterior = model.encode(x).latent_dist
    noise = numbers(f"{name}/noise", tuple(posterior.mean.shape))
    outputs = {"mode": posterior.mode(), "sample": posterior.mean + posterior.std * noise, "divergence": posterior.kl(), "decoded": model.decode(z).sample}
    saved = json.loads(model.to_json_string())
    return {"name": name, "config": saved, "sides": list(sides), "latentSides": list(latent_sides), **record(name, model, {"x": x, "z": z}, outputs)}


def count(config):
    with torch.device("meta"):
        return {"config": config, "parameters": sum(p.numel() for p in AutoencoderKL(**config).parameters())}


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    golden = header("latent_ae_golden.py", {"output": 2e-5, "gradients": 1e-4, "of": "largest magnitude; norm"}, torch=torch.__version__, diffusers=diffusers.__version__)
    cases = [case(name, *how) for name, how in CASES.items()]
    counts = {name: count(config) for name, config in SIZES.items()}
    path = OUT / "autoencoder-kl.json"
    path.write_text(json.dumps({**golden, "cases": cases, "counts": counts}) + "\n")
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")


main()
