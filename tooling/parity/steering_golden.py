"""Regenerates packages/backbones/test/golden/steering.json.

Run: python tooling/parity/steering_golden.py
Needs: torch 2.13 (CPU), diffusers 0.42.
Tiny ControlNets and T2I-Adapters in float64, whose weights and inputs follow from names (by_rule.py): what they give, and gradients.
"""
import json

import diffusers
import torch
from diffusers import ControlNetModel, T2IAdapter

from by_rule import fill, numbers, record
from golden import ROOT, header

OUT = ROOT / "packages/backbones/test/golden"
TINY = dict(block_out_channels=[8, 16], layers_per_block=1, norm_num_groups=4, cross_attention_dim=12, attention_head_dim=2,
            down_block_types=["CrossAttnDownBlock2D", "DownBlock2D"], conditioning_embedding_out_channels=[4, 8])
# config, sides of the sample, what else it is given, how it is asked
CONTROLNETS = {
    "controlnet": (dict(TINY, layers_per_block=2), (4, 6), {"text": (5, 12)}, {}),
    "controlnet-odd-sides": (dict(TINY, use_linear_projection=True, conditioning_embedding_out_channels=[4, 4, 8], conditioning_channels=1, upcast_attention=True),
                             (3, 5), {"text": (5, 12)}, {"scale": 0.7}),
    "controlnet-guess": (dict(TINY, controlnet_conditioning_channel_order="bgr", mid_block_type="UNetMidBlock2D"), (4, 4), {"text": (5, 12)},
                         {"emphasis": "guess", "scale": 1.5}),
    "controlnet-pooled": (dict(TINY, global_pool_conditions=True, num_class_embeds=4), (4, 4), {"text": (5, 12), "label": [3, 1]},
                          {"emphasis": "guess"}),
    "controlnet-sdxl": (dict(TINY, transformer_layers_per_block=[1, 2], down_block_types=["DownBlock2D", "CrossAttnDownBlock2D"], attention_head_dim=[1, 2],
                             use_linear_projection=True, addition_embed_type="text_time", addition_time_embed_dim=4, projection_class_embeddings_input_dim=34),
                        (4, 4), {"text": (5, 12), "pooled": (10,), "time_ids": [[512, 640, 0, 32, 512, 512], [1024, 1024, 8, 0, 1024, 960]]}, {}),
}
ADAPTERS = {
    "t2i-full": (dict(channels=[4, 8, 8], num_res_blocks=2, downscale_factor=2), (6, 10)),
    "t2i-xl": (dict(channels=[4, 8, 16, 16], num_res_blocks=1, downscale_factor=2, adapter_type="full_adapter_xl", in_channels=1), (8, 12)),
    "t2i-light": (dict(channels=[4, 8], num_res_blocks=1, downscale_factor=2, adapter_type="light_adapter"), (8, 12)),
}
BATCH = 2


def controlnet(name, config, sides, conditions, asked):
    model = fill(ControlNetModel(**config), name)
    pixels = 2 ** (len(config["conditioning_embedding_out_channels"]) - 1)
    given = {}
    for key, value in conditions.items():
        if isinstance(value, tuple):
            given[key] = numbers(f"{name}/{key}", (BATCH, *value)).requires_grad_()
        else:
            given[key] = torch.tensor(value) if key == "label" else torch.tensor(value).double()
    x = numbers(f"{name}/x", (BATCH, 4, *sides)).requires_grad_()
    hint = numbers(f"{name}/hint", (BATCH, config.get("conditioning_channels", 3), sides[0] * pixels, sides[1] * pixels)).requires_grad_()
    time = torch.tensor([2.0, 637.25])
    added = {"text_embeds": given["pooled"], "time_ids": given["time_ids"]} if "pooled" in given else None
    down, middle = model(x, time, given["text"], hint, conditioning_scale=asked.get("scale", 1.0), class_labels=given.get("label"), added_cond_kwargs=added,
                         guess_mode=asked.get("emphasis") == "guess", return_dict=False)
    outputs = {**{f"control.{i}": value for i, value in enumerate(down)}, "control.middle": middle}
    return {"name": name, "class": "ControlNetModel", "config": config, "sides": list(sides), "hint": list(hint.shape), "time": time.tolist(), "asked": asked,
            "conditions": {key: {"shape": value} if isinstance(value, tuple) else {"values": value} for key, value in conditions.items()},
            **record(name, model, {"x": x, "hint": hint, **given}, outputs)}


def adapter(name, config, sides):
    model = fill(T2IAdapter(**config), name)
    hint = numbers(f"{name}/hint", (BATCH, config.get("in_channels", 3), *sides)).requires_grad_()
    features = model(hint)
    middle = len(features) - 1 if config.get("adapter_type") == "full_adapter_xl" else None
    outputs = {"adapter.middle" if i == middle else f"adapter.{i}": value for i, value in enumerate(features)}
    return {"name": name, "class": "T2IAdapter", "config": config, "hint": list(hint.shape), **record(name, model, {"hint": hint}, outputs)}


def count(kind, config):
    with torch.device("meta"):
        return {"class": kind.__name__, "config": config, "parameters": sum(p.numel() for p in kind(**config).parameters())}


def main():
    golden = header("steering_golden.py", {"output": 2e-5, "gradients": 1e-4, "of": "largest magnitude; norm"}, torch=torch.__version__,
                    diffusers=diffusers.__version__)
    golden |= {
        "controlnets": [controlnet(name, *what) for name, what in CONTROLNETS.items()],
        "adapters": [adapter(name, *what) for name, what in ADAPTERS.items()],
        "counts": [count(ControlNetModel, dict(cross_attention_dim=768)), count(T2IAdapter, {}),
                   count(T2IAdapter, dict(adapter_type="full_adapter_xl", downscale_factor=16)), count(T2IAdapter, dict(adapter_type="light_adapter"))],
    }
    (OUT / "steering.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
