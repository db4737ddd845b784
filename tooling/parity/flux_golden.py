"""Regenerates packages/backbones/test/golden/flux.json.

Run: OMP_NUM_THREADS=1 python tooling/parity/flux_golden.py
Needs: torch 2.13 (CPU), diffusers 0.42.
Tiny transformers in float64 (but for the features of time, which diffusers computes in float32): outputs and gradients. Latents are packed and unpacked here as
the pipeline does it. Then what a seed makes of a fresh network, and how many parameters the published sizes have, counted on torch's meta device.
"""
import json

import diffusers
import torch
from diffusers import FluxPipeline, FluxTransformer2DModel

from golden import ROOT, header
from network_case import case, count, fresh

OUT = ROOT / "packages/backbones/test/golden/flux.json"
TINY = dict(num_attention_heads=2, attention_head_dim=12, num_layers=1, num_single_layers=1, in_channels=16, joint_attention_dim=10, pooled_projection_dim=6,
            axes_dims_rope=(2, 4, 6))
CONFIGS = {
    # As Flux.1-dev: told its guidance.
    "dev": dict(TINY, guidance_embeds=True, num_layers=2, num_single_layers=2),
    # As Flux.1-schnell.
    "schnell": dict(TINY),
    # One kind of block alone; what goes in and out differs.
    "single blocks alone": dict(TINY, num_layers=0, num_single_layers=2, in_channels=12, out_channels=8, axes_dims_rope=(4, 4, 4)),
}
PUBLISHED = {"flux.1-dev": dict(guidance_embeds=True), "flux.1-schnell": dict(guidance_embeds=False)}


def call(model, inputs, given):
    n, channels, height, width = inputs["x"].shape
    packed = FluxPipeline._pack_latents(inputs["x"], n, channels, height, width)
    places = FluxPipeline._prepare_latent_image_ids(n, height // 2, width // 2, "cpu", torch.float32)
    guidance = given["guidance"] if model.config.guidance_embeds else None
    out = model(packed, encoder_hidden_states=inputs["text"], pooled_projections=inputs["pooled"], timestep=given["time"].double() / 1000, guidance=guidance, img_ids=places,
                txt_ids=torch.zeros(inputs["text"].shape[1], 3)).sample
    # The pipeline's own takes pixels, eight for each position and two positions in one.
    return FluxPipeline._unpack_latents(out, height * 8, width * 8, 8)


def tiny(name, config):
    channels = config["in_channels"] // 4
    inputs = {"x": (2, channels, 6, 8), "text": (2, 5, 10), "pooled": (2, 6)}
    given = {"time": torch.tensor([999.0, 37.25])}
    if config.get("guidance_embeds"):
        given["guidance"] = torch.tensor([3.5, 1.25])
    return case(FluxTransformer2DModel(**config), name=name, config=config, inputs=inputs, given=given, call=call)


def main():
    tolerance = {"float32": 2e-5, "gradients": 1e-4, "init": 1e-6, "of": "largest magnitude of the output; norm of the gradient; largest magnitude of the weight"}
    golden = header("flux_golden.py", tolerance, torch=torch.__version__, diffusers=diffusers.__version__)
    golden |= {
        "cases": [tiny(name, config) for name, config in CONFIGS.items()],
        "fresh": [{"name": name, "config": CONFIGS[name]} | fresh(lambda: FluxTransformer2DModel(**CONFIGS[name])) for name in ("dev",)],
        "counts": [{"name": name, "config": config, "parameters": count(lambda: FluxTransformer2DModel(**config))} for name, config in PUBLISHED.items()],
    }
    OUT.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
