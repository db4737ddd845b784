"""Regenerates packages/latent-ae/test/golden/tiles.json.

Run: python tooling/parity/latent_ae_tiles_golden.py
Needs: torch 2.13 (CPU), diffusers 0.42.
diffusers' tiled_encode and tiled_decode of a tiny AutoencoderKL and AutoencoderDC in float64, whose weights and inputs follow from names (by_rule.py).
"""
import json

import diffusers
import torch
from diffusers import AutoencoderDC, AutoencoderKL

from by_rule import fill, numbers
from golden import ROOT, header, sampled

PATH = ROOT / "packages/latent-ae/test/golden/tiles.json"
KL = dict(block_out_channels=[4, 8], down_block_types=["DownEncoderBlock2D"] * 2, up_block_types=["UpDecoderBlock2D"] * 2, norm_num_groups=2, sample_size=16)
DC = dict(latent_channels=4, encoder_block_out_channels=[4, 8], decoder_block_out_channels=[4, 8], encoder_layers_per_block=[1, 1], decoder_layers_per_block=[1, 1],
          encoder_qkv_multiscales=[[], []], decoder_qkv_multiscales=[[], []])
# sides of the pictures, sides of the latents
CASES = {
    "even": ((32, 28), (20, 14)),
    "slivers": ((41, 39), (13, 19)),
    "one-axis": ((16, 45), (8, 21)),
}


@torch.no_grad()
def kl(name, sides, latent_sides):
    model = fill(AutoencoderKL(**KL), name)
    model.enable_tiling()
    x, z = numbers(f"{name}/x", (2, 3, *sides)), numbers(f"{name}/z", (1, 4, *latent_sides))
    return {"name": name, "config": json.loads(model.to_json_string()), "sides": sides, "latentSides": latent_sides, "tile": 8, "stride": 6,
            "moments": sampled(model.encode(x).latent_dist.parameters, most=96), "decoded": sampled(model.decode(z).sample, most=96)}


@torch.no_grad()
def dc(name, sides, latent_sides):
    model = fill(AutoencoderDC(**DC), name)
    model.enable_tiling(12, 12, 10, 10)
    x, z = numbers(f"{name}/x", (2, 3, *sides)), numbers(f"{name}/z", (1, 4, *latent_sides))
    return {"name": name, "config": json.loads(model.to_json_string()), "sides": sides, "latentSides": latent_sides, "tile": 6, "stride": 5,
            "moments": sampled(model.encode(x).latent, most=96), "decoded": sampled(model.decode(z).sample, most=96)}


def main():
    golden = header("latent_ae_tiles_golden.py", {"output": 2e-5, "of": "largest magnitude"}, torch=torch.__version__, diffusers=diffusers.__version__)
    cases = [kl(name, *how) for name, how in CASES.items()] + [dc("deep-compression", (26, 30), (13, 17))]
    PATH.write_text(json.dumps({**golden, "cases": cases}) + "\n")
    print(f"{PATH.relative_to(ROOT)}: {PATH.stat().st_size} bytes")


main()
