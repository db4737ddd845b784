"""Regenerates packages/backbones/test/golden/pixart.json.

Run: OMP_NUM_THREADS=1 python tooling/parity/pixart_golden.py
Needs: torch 2.13 (CPU), diffusers 0.42.
Tiny transformers in float64 (but for the features of time and sizes, which diffusers computes in float32): outputs and gradients. Then
what a seed makes of a fresh network, and how many parameters the published sizes have, counted on torch's meta device.
"""
import json

import diffusers
import torch
from diffusers import PixArtTransformer2DModel

from golden import ROOT, header
from network_case import case, count, fresh

OUT = ROOT / "packages/backbones/test/golden/pixart.json"
TINY = dict(num_attention_heads=2, attention_head_dim=12, num_layers=2, in_channels=4, out_channels=8, sample_size=8, patch_size=2)
CONFIGS = {
    # As PixArt-alpha and -sigma at 512: the text has a width of its own, the positions are not interpolated.
    "caption": dict(TINY, cross_attention_dim=24, caption_channels=10),
    # As the alpha models at 1024: size and aspect ratio are told, positions are interpolated; here the picture is no square.
    "sizes": dict(TINY, cross_attention_dim=24, caption_channels=6, use_additional_conditions=True, interpolation_scale=2, out_channels=None, norm_elementwise_affine=True,
                  attention_bias=False, activation_fn="geglu", norm_eps=1e-5),
    # Without a projection of the text.
    "plain": dict(TINY, num_attention_heads=3, attention_head_dim=4, cross_attention_dim=7, sample_size=4, patch_size=1, in_channels=3, out_channels=3, activation_fn="gelu"),
}
PUBLISHED = {
    "PixArt-XL-2-512x512": dict(sample_size=64, caption_channels=4096, num_embeds_ada_norm=1000),
    "PixArt-XL-2-1024-MS": dict(sample_size=128, caption_channels=4096, num_embeds_ada_norm=1000),
}


def call(model, inputs, given):
    added = {"resolution": given["resolution"], "aspect_ratio": given["aspect_ratio"][:, None]} if "resolution" in given else {"resolution": None, "aspect_ratio": None}
    return model(inputs["x"], encoder_hidden_states=inputs["text"], encoder_attention_mask=given.get("text.mask"), timestep=given["time"], added_cond_kwargs=added).sample


def tiny(name, config):
    text = config.get("caption_channels", config["cross_attention_dim"])
    shape = {"caption": (2, 4, 8, 8), "sizes": (2, 4, 4, 8), "plain": (2, 3, 4, 6)}[name]
    given = {"time": torch.tensor([999.0, 37.25])}
    if name != "plain":
        given["text.mask"] = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], dtype=torch.bool)
    if name == "sizes":
        given |= {"resolution": torch.tensor([[512.0, 1024.0], [32.0, 64.0]]), "aspect_ratio": torch.tensor([0.5, 2.0])}
    return case(PixArtTransformer2DModel(**config), name=name, config=config, inputs={"x": shape, "text": (2, 5, text)}, given=given, call=call)


def main():
    tolerance = {"float32": 2e-5, "gradients": 1e-4, "init": 1e-6, "of": "largest magnitude of the output; norm of the gradient; largest magnitude of the weight"}
    golden = header("pixart_golden.py", tolerance, torch=torch.__version__, diffusers=diffusers.__version__)
    golden |= {
        "cases": [tiny(name, config) for name, config in CONFIGS.items()],
        "fresh": [{"name": name, "config": CONFIGS[name]} | fresh(lambda: PixArtTransformer2DModel(**CONFIGS[name])) for name in ("caption", "sizes")],
        "counts": [{"name": name, "config": config, "parameters": count(lambda: PixArtTransformer2DModel(**config))} for name, config in PUBLISHED.items()],
    }
    OUT.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
