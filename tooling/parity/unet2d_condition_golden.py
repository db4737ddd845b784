"""Regenerates packages/backbones/test/golden/unet2d-condition.json.

Run: python tooling/parity/unet2d_condition_golden.py
Needs: torch 2.13 (CPU), diffusers 0.42.
Tiny networks in float64 (but for waves of time, which diffusers computes in float32), whose weights and inputs follow from names (by_rule.py): outputs, and
gradients of sum(output * cotangent).
"""
import json

import diffusers
import torch
from diffusers import LatentConsistencyModelPipeline, UNet2DConditionModel
from diffusers.models.transformers.dual_transformer_2d import DualTransformer2DModel

from by_rule import fill, numbers, record
from golden import ROOT, header

OUT = ROOT / "packages/backbones/test/golden"
TINY = dict(sample_size=8, layers_per_block=1, block_out_channels=[8, 16], norm_num_groups=4, cross_attention_dim=12, attention_head_dim=2,
            down_block_types=["CrossAttnDownBlock2D", "DownBlock2D"], up_block_types=["UpBlock2D", "CrossAttnUpBlock2D"])
SIMPLE = dict(TINY, cross_attention_dim=32, attention_head_dim=4, down_block_types=["ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"],
              up_block_types=["SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"], mid_block_type="UNetMidBlock2DSimpleCrossAttn")
# config, sides of the sample, and the conditions: by name a shape behind the batch, or values
CASES = {
    "sd1": (dict(TINY), (4, 6), {"text": (5, 12)}),
    "sd1-masked": (dict(TINY, freq_shift=1, flip_sin_to_cos=False, norm_eps=1e-6, mid_block_scale_factor=1.3),
                   (4, 4), {"text": (5, 12), "text.mask": [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]}),
    "sd2-odd-sides": (dict(TINY, block_out_channels=[8, 8, 16], attention_head_dim=[1, 2, 4], use_linear_projection=True, upcast_attention=True,
                           down_block_types=["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
                           up_block_types=["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]), (5, 7), {"text": (3, 12)}),
    "sdxl": (dict(TINY, block_out_channels=[8, 8, 16], attention_head_dim=[1, 2, 4], use_linear_projection=True, transformer_layers_per_block=[1, 1, 2],
                  addition_embed_type="text_time", addition_time_embed_dim=4, projection_class_embeddings_input_dim=34,
                  down_block_types=["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
                  up_block_types=["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"]), (4, 8),
             {"text": (4, 12), "pooled": (10,), "time_ids": [[512, 640, 0, 32, 512, 512], [1024, 1024, 8, 0, 1024, 960]]}),
    "sdxl-refiner": (dict(TINY, transformer_layers_per_block=2, addition_embed_type="text_time", addition_time_embed_dim=6,
                          projection_class_embeddings_input_dim=37), (4, 4),
                     {"text": (4, 12), "pooled": (7,), "time_ids": [[512, 640, 0, 0, 6], [512, 512, 0, 0, 2.5]]}),
    "upscaler": (dict(TINY, in_channels=7, num_class_embeds=6, only_cross_attention=[True, False], attention_head_dim=4), (4, 4),
                 {"text": (4, 12), "label": [5, 2]}),
    "lcm": (dict(TINY, time_cond_proj_dim=10, in_channels=9), (4, 4), {"text": (4, 12), "guidance": [8.5, 1.0]}),
    "asymmetric": (dict(TINY, layers_per_block=[1, 2], transformer_layers_per_block=[1, [2, 1]], reverse_transformer_layers_per_block=[[1, 0, 2], 2],
                        mid_block_type="UNetMidBlock2D", down_block_types=["DownBlock2D", "CrossAttnDownBlock2D"],
                        up_block_types=["CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]), (4, 4), {"text": (4, 12)}),
    "unclip": (dict(TINY, class_embed_type="projection", projection_class_embeddings_input_dim=9, resnet_time_scale_shift="scale_shift", attention_head_dim=4,
                    down_block_types=["AttnDownBlock2D", "CrossAttnDownBlock2D"], up_block_types=["CrossAttnUpBlock2D", "AttnUpBlock2D"]), (4, 4),
               {"text": (4, 12), "label": (9,)}),
    "concatenated-class": (dict(TINY, class_embed_type="simple_projection", projection_class_embeddings_input_dim=9, class_embeddings_concat=True), (4, 4),
                           {"text": (4, 12), "label": (9,)}),
    "deepfloyd": (dict(SIMPLE, out_channels=8, encoder_hid_dim=24, addition_embed_type="text", addition_embed_type_num_heads=3, class_embed_type="timestep",
                       cross_attention_norm="group_norm", resnet_time_scale_shift="scale_shift", resnet_skip_time_act=True, resnet_out_scale_factor=1.2,
                       act_fn="gelu"), (4, 4), {"text": (5, 24), "text.mask": [[1, 1, 0, 0, 0], [1, 1, 1, 1, 0]], "label": [125.0, 10.0]}),
    "simple-context-only": (dict(SIMPLE, cross_attention_dim=16, block_out_channels=[16, 16], cross_attention_norm="layer_norm", only_cross_attention=True),
                            (4, 4), {"text": (5, 16)}),
    "dual": (dict(TINY, dual_cross_attention=True), (4, 2), {"text": (80, 12)}),
    "rare-keys": (dict(TINY, block_out_channels=[8, 8], time_embedding_type="fourier", time_embedding_dim=14, timestep_post_act="mish",
                       time_embedding_act_fn="silu", conv_in_kernel=1, conv_out_kernel=5, downsample_padding=0, center_input_sample=True, mid_block_type=None,
                       act_fn="relu", class_embed_type="identity"), (4, 5), {"text": (4, 12), "label": (14,)}),
    "steered": (dict(TINY), (4, 5), {
        "text": (4, 12), "control.0": (8, 4, 5), "control.1": (8, 1, 1), "control.2": (8, 2, 3), "control.3": (16, 2, 3), "control.middle": (16, 2, 3)}),
    "adapted": (dict(TINY, down_block_types=["DownBlock2D", "CrossAttnDownBlock2D"], up_block_types=["CrossAttnUpBlock2D", "UpBlock2D"]), (4, 6), {
        "text": (4, 12), "adapter.0": (8, 2, 3), "adapter.1": (16, 2, 3), "adapter.middle": (16, 2, 3)}),
}
BATCH = 2

# Blocks pass a mask that the dual transformer does not take (diffusers 0.42): it is None here.
dual_forward = DualTransformer2DModel.forward
DualTransformer2DModel.forward = lambda self, *args, encoder_attention_mask=None, **rest: dual_forward(self, *args, **rest)


def forward(model, x, time, given):
    added = {"text_embeds": given["pooled"], "time_ids": given["time_ids"]} if "pooled" in given else None
    guidance = given.get("guidance")
    embedded = None
    if guidance is not None:
        # The pipeline embeds the scale less 1.
        embedded = LatentConsistencyModelPipeline.get_guidance_scale_embedding(None, guidance.float() - 1, embedding_dim=model.config.time_cond_proj_dim).double()
    control = [given[name] for name in sorted(n for n in given if n.startswith("control.") and n != "control.middle")]
    adapters = [given[name] for name in ("adapter.0", "adapter.1", "adapter.middle") if name in given]
    return model(x, time, given.get("text"), class_labels=given.get("label"), timestep_cond=embedded, added_cond_kwargs=added,
                 encoder_attention_mask=given.get("text.mask"), down_block_additional_residuals=control or None,
                 mid_block_additional_residual=given.get("control.middle"), down_intrablock_additional_residuals=adapters or None).sample


def case(name, config, sides, conditions):
    model = fill(UNet2DConditionModel(**config), name)
    x = numbers(f"{name}/x", (BATCH, config.get("in_channels", 4), *sides)).requires_grad_()
    # Fourier features take logarithms of noise levels.
    time = torch.tensor([0.3, -1.75] if "time_embedding_type" in config else [2.0, 637.25])
    given = {}
    for key, value in conditions.items():
        if isinstance(value, tuple):
            given[key] = numbers(f"{name}/{key}", (BATCH, *value)).requires_grad_()
        elif key == "text.mask":
            given[key] = torch.tensor(value, dtype=torch.bool)
        else:
            given[key] = torch.tensor(value) if key == "label" else torch.tensor(value).double()
    # A copy: the network adds to its features in place, and takes adapters off their list.
    out = forward(model, x, time, dict(given))
    return {
        "name": name, "config": config, "sides": list(sides), "time": time.tolist(),
        "conditions": {key: {"shape": value} if isinstance(value, tuple) else {"values": value} for key, value in conditions.items()},
        **record(name, model, {"x": x, **given}, {"sample": out}),
    }


def count(config):
    with torch.device("meta"):
        return {"config": config, "parameters": sum(p.numel() for p in UNet2DConditionModel(**config).parameters())}


SD1 = dict(sample_size=64, cross_attention_dim=768)
SD2 = dict(sample_size=96, cross_attention_dim=1024, attention_head_dim=[5, 10, 20, 20], use_linear_projection=True)
SDXL = dict(sample_size=128, block_out_channels=[320, 640, 1280], down_block_types=["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
            up_block_types=["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"], cross_attention_dim=2048, attention_head_dim=[5, 10, 20],
            use_linear_projection=True, transformer_layers_per_block=[1, 2, 10], addition_embed_type="text_time", addition_time_embed_dim=256,
            projection_class_embeddings_input_dim=2816)
REFINER = dict(SDXL, block_out_channels=[384, 768, 1536, 1536], down_block_types=["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
               up_block_types=["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"], cross_attention_dim=1280, attention_head_dim=[6, 12, 24, 24],
               transformer_layers_per_block=4, projection_class_embeddings_input_dim=2560)


def main():
    torch.manual_seed(7)
    golden = header("unet2d_condition_golden.py", {"output": 2e-5, "gradients": 1e-4, "of": "largest magnitude; norm"}, torch=torch.__version__,
                    diffusers=diffusers.__version__)
    golden |= {"cases": [case(name, *what) for name, what in CASES.items()], "counts": [count(config) for config in ({}, SD1, SD2, SDXL, REFINER)]}
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "unet2d-condition.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
