"""Regenerates packages/backbones/test/golden/flux2.json.

Run: OMP_NUM_THREADS=1 python tooling/parity/flux2_golden.py
Needs: torch 2.13 (CPU), diffusers 0.42.
Tiny transformers in float64 (but for the features of time, which diffusers computes in float32): outputs and gradients, with the places of tokens as the pipeline
of Flux.2 klein makes them. Then what a seed makes of a fresh network, and how many parameters the published sizes have, counted on torch's meta device.
"""
import json

import diffusers
import torch
from diffusers import Flux2KleinPipeline, Flux2Transformer2DModel

from golden import ROOT, header
from network_case import case, count, fresh

OUT = ROOT / "packages/backbones/test/golden/flux2.json"
TINY = dict(num_attention_heads=2, attention_head_dim=16, num_layers=1, num_single_layers=1, in_channels=6, joint_attention_dim=10, axes_dims_rope=(4, 2, 4, 6),
            timestep_guidance_channels=32)
CONFIGS = {
    # As Flux.2-dev: told its guidance.
    "dev": dict(TINY, num_layers=2, num_single_layers=2),
    # As Flux.2 klein.
    "klein": dict(TINY, guidance_embeds=False),
    # One kind of block alone; what goes in and out, and what is a default elsewhere, differs.
    "single blocks alone": dict(TINY, num_layers=0, num_single_layers=2, out_channels=4, mlp_ratio=1.7, rope_theta=300, eps=1e-3, guidance_embeds=False),
    "double blocks alone": dict(TINY, num_layers=2, num_single_layers=0, mlp_ratio=2.3, rope_theta=100, eps=1e-2, axes_dims_rope=(2, 6, 6, 2)),
}
PUBLISHED = {
    "flux.2-dev": dict(),
    "flux.2-klein-4b": dict(num_layers=5, num_single_layers=20, num_attention_heads=24, joint_attention_dim=7680, guidance_embeds=False),
    "flux.2-klein-9b": dict(num_layers=8, num_single_layers=24, num_attention_heads=32, joint_attention_dim=12288, guidance_embeds=False),
}


def call(model, inputs, given):
    x, text = inputs["x"], inputs["text"]
    places = Flux2KleinPipeline._prepare_latent_ids(x)
    out = model(Flux2KleinPipeline._pack_latents(x), encoder_hidden_states=text, timestep=given["time"].double() / 1000, guidance=given.get("guidance"), img_ids=places,
                txt_ids=Flux2KleinPipeline._prepare_text_ids(text)).sample
    return Flux2KleinPipeline._unpack_latents_with_ids(out, places)


def tiny(name, config):
    inputs = {"x": (2, config["in_channels"], 3, 4), "text": (2, 5, 10)}
    given = {"time": torch.tensor([999.0, 37.25])}
    if config.get("guidance_embeds", True):
        given["guidance"] = torch.tensor([3.5, 1.25])
    return case(Flux2Transformer2DModel(**config), name=name, config=config, inputs=inputs, given=given, call=call)


def main():
    tolerance = {"float32": 2e-5, "gradients": 1e-4, "init": 1e-6, "of": "largest magnitude of the output; norm of the gradient; largest magnitude of the weight"}
    golden = header("flux2_golden.py", tolerance, torch=torch.__version__, diffusers=diffusers.__version__)
    golden |= {
        "cases": [tiny(name, config) for name, config in CONFIGS.items()],
        "fresh": [{"name": name, "config": CONFIGS[name]} | fresh(lambda: Flux2Transformer2DModel(**CONFIGS[name])) for name in ("dev",)],
        "counts": [{"name": name, "config": config, "parameters": count(lambda: Flux2Transformer2DModel(**config))} for name, config in PUBLISHED.items()],
    }
    OUT.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
