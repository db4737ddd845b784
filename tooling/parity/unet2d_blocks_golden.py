"""Regenerates packages/backbones/test/golden/unet2d-blocks.json.

Run: python tooling/parity/unet2d_blocks_golden.py
Needs: torch 2.13 (CPU), diffusers 0.42.
Tiny unconditional U-Nets with the blocks of NCSN++ and ADM in float64, whose weights and inputs follow from names (by_rule.py): outputs and gradients. Then
how many parameters published configurations have.
"""
import json

import diffusers
import torch
from diffusers import UNet2DModel

from by_rule import fill, numbers, record
from golden import ROOT, header

OUT = ROOT / "packages/backbones/test/golden"
TINY = dict(sample_size=8, in_channels=3, out_channels=3, layers_per_block=1, norm_num_groups=4)
CASES = {
    "ncsnpp": dict(TINY, block_out_channels=[32, 32, 32], time_embedding_type="fourier", norm_eps=1e-6, mid_block_scale_factor=2**0.5, attention_head_dim=16,
                   down_block_types=["SkipDownBlock2D", "AttnSkipDownBlock2D", "SkipDownBlock2D"],
                   up_block_types=["SkipUpBlock2D", "AttnSkipUpBlock2D", "SkipUpBlock2D"]),
    "ncsnpp-mixed": dict(TINY, block_out_channels=[8, 16, 32], attention_head_dim=None, layers_per_block=2,
                         down_block_types=["SkipDownBlock2D", "DownBlock2D", "AttnSkipDownBlock2D"],
                         up_block_types=["AttnUpBlock2D", "SkipUpBlock2D", "SkipUpBlock2D"], center_input_sample=True),
    "adm": dict(TINY, out_channels=6, block_out_channels=[8, 16], resnet_time_scale_shift="scale_shift", downsample_type="resnet", upsample_type="resnet",
                down_block_types=["ResnetDownsampleBlock2D", "AttnDownBlock2D"], up_block_types=["AttnUpBlock2D", "ResnetUpsampleBlock2D"],
                attn_norm_num_groups=4, num_class_embeds=5, attention_head_dim=4),
}
# Attention has 32 groups, one channel each here: fewer pixels would make a deviation of next to nothing.
SIDES = (16, 8)
# google/ncsnpp-celebahq-256, and OpenAI's ImageNet 64 as consistency models have it
NCSNPP = dict(sample_size=256, in_channels=3, out_channels=3, block_out_channels=[128, 128, 256, 256, 256, 256, 256], time_embedding_type="fourier",
              attention_head_dim=None, layers_per_block=2, mid_block_scale_factor=1.41421356237, norm_eps=1e-6,
              down_block_types=["SkipDownBlock2D"] * 4 + ["AttnSkipDownBlock2D"] + ["SkipDownBlock2D"] * 2,
              up_block_types=["SkipUpBlock2D"] * 2 + ["AttnSkipUpBlock2D"] + ["SkipUpBlock2D"] * 4)
ADM64 = dict(sample_size=64, in_channels=3, out_channels=6, block_out_channels=[192, 384, 576, 768], layers_per_block=3, num_class_embeds=1000,
             attention_head_dim=64, resnet_time_scale_shift="scale_shift", attn_norm_num_groups=32, downsample_type="resnet", upsample_type="resnet",
             down_block_types=["ResnetDownsampleBlock2D"] + ["AttnDownBlock2D"] * 3, up_block_types=["AttnUpBlock2D"] * 3 + ["ResnetUpsampleBlock2D"])


def case(name, config):
    model = fill(UNet2DModel(**config), name)
    x = numbers(f"{name}/x", (2, config["in_channels"], *SIDES)).requires_grad_()
    time = torch.tensor([0.3, 1.75]) if config.get("time_embedding_type") == "fourier" else torch.tensor([2.0, 637.25])
    labels = torch.tensor([4, 1]) if "num_class_embeds" in config else None
    out = model(x, time, class_labels=labels).sample
    return {"name": name, "config": config, "time": time.tolist(), "labels": None if labels is None else labels.tolist(),
            **record(name, model, {"x": x}, {"sample": out})}


def count(config):
    with torch.device("meta"):
        return {"config": config, "parameters": sum(p.numel() for p in UNet2DModel(**config).parameters())}


def main():
    golden = header("unet2d_blocks_golden.py", {"output": 2e-5, "gradients": 1e-4, "of": "largest magnitude; norm"}, torch=torch.__version__,
                    diffusers=diffusers.__version__)
    golden |= {"cases": [case(name, config) for name, config in CASES.items()], "counts": [count(NCSNPP), count(ADM64)]}
    (OUT / "unet2d-blocks.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
