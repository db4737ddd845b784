"""Regenerates packages/backbones/test/golden/sd3.json.

Run: OMP_NUM_THREADS=1 python tooling/parity/sd3_golden.py
Needs: torch 2.13 (CPU), diffusers 0.42.
Tiny transformers in float64 (but for the features of time, which diffusers computes in float32): outputs and gradients, with a table of places by rule. Then
what a seed makes of a fresh network, its table of places among it, and how many parameters the published sizes have, counted on torch's meta device.
"""
import json

import diffusers
import torch
from diffusers import SD3Transformer2DModel

from golden import ROOT, header
from network_case import case, count, fresh

OUT = ROOT / "packages/backbones/test/golden/sd3.json"
TINY = dict(num_attention_heads=2, attention_head_dim=8, caption_projection_dim=16, num_layers=2, in_channels=4, out_channels=4, sample_size=8, patch_size=2,
            joint_attention_dim=10, pooled_projection_dim=6, pos_embed_max_size=6)
CONFIGS = {
    # As SD 3; the picture is no square, and smaller than the table of places on one side by an odd number.
    "sd3": dict(TINY),
    # As SD 3.5 medium: normalised queries and keys, and a second attention in the first layers.
    "sd35-medium": dict(TINY, num_layers=3, qk_norm="rms_norm", dual_attention_layers=[0, 1], out_channels=None, patch_size=1, sample_size=4, in_channels=3),
    # Places that are stretched, of a kind that no release has and the class allows.
    "stretched": dict(TINY, pos_embed_max_size=None, num_layers=1),
}
SD3_MEDIUM = dict(num_attention_heads=24, caption_projection_dim=1536, num_layers=24, pos_embed_max_size=192)
PUBLISHED = {
    "stable-diffusion-3-medium": SD3_MEDIUM,
    "stable-diffusion-3.5-medium": dict(SD3_MEDIUM, pos_embed_max_size=384, qk_norm="rms_norm", dual_attention_layers=list(range(13))),
    "stable-diffusion-3.5-large": dict(num_attention_heads=38, caption_projection_dim=2432, num_layers=38, pos_embed_max_size=192, qk_norm="rms_norm"),
}


def call(model, inputs, given):
    return model(inputs["x"], encoder_hidden_states=inputs["text"], pooled_projections=inputs["pooled"], timestep=given["time"]).sample


def tiny(name, config):
    shape = {"sd3": (2, 4, 10, 12), "sd35-medium": (2, 3, 3, 4), "stretched": (2, 4, 6, 8)}[name]
    inputs = {"x": shape, "text": (2, 5, 10), "pooled": (2, 6)}
    return case(SD3Transformer2DModel(**config), name=name, config=config, inputs=inputs, given={"time": torch.tensor([999.0, 37.25])}, call=call)


def main():
    tolerance = {"float32": 2e-5, "gradients": 1e-4, "init": 1e-6, "of": "largest magnitude of the output; norm of the gradient; largest magnitude of the weight"}
    golden = header("sd3_golden.py", tolerance, torch=torch.__version__, diffusers=diffusers.__version__)
    golden |= {
        "cases": [tiny(name, config) for name, config in CONFIGS.items()],
        "fresh": [{"name": name, "config": CONFIGS[name]} | fresh(lambda: SD3Transformer2DModel(**CONFIGS[name])) for name in ("sd3", "sd35-medium")],
        "counts": [{"name": name, "config": config, "parameters": count(lambda: SD3Transformer2DModel(**config))} for name, config in PUBLISHED.items()],
    }
    OUT.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
