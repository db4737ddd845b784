"""Regenerates packages/backbones/test/golden/ip-adapter.json.

Run: python tooling/parity/ip_adapter_golden.py
Needs: torch 2.13 (CPU), diffusers 0.42.
Projections of images from the tensors of files in their original spelling, and tiny U-Nets with adapters, in float64; weights and inputs follow from names.
"""
import json
import types

import diffusers
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import IPAdapterAttnProcessor2_0

from by_rule import fill, numbers, record, weight
from golden import ROOT, header

OUT = ROOT / "packages/backbones/test/golden"
CONTEXT, IMAGE, BATCH = 12, 10, 2
TINY = dict(sample_size=8, layers_per_block=1, block_out_channels=[8, 16], norm_num_groups=4, cross_attention_dim=CONTEXT, attention_head_dim=2,
            down_block_types=["CrossAttnDownBlock2D", "DownBlock2D"], up_block_types=["UpBlock2D", "CrossAttnUpBlock2D"])


def plus_shapes(hidden=16, inner=128, tokens=3, layers=4):
    shapes = {"latents": (1, tokens, hidden), "proj_in.weight": (hidden, IMAGE), "proj_in.bias": (hidden,), "proj_out.weight": (CONTEXT, hidden),
              "proj_out.bias": (CONTEXT,), "norm_out.weight": (CONTEXT,), "norm_out.bias": (CONTEXT,)}
    for i in range(layers):
        shapes |= {f"layers.{i}.0.norm1.weight": (hidden,), f"layers.{i}.0.norm1.bias": (hidden,), f"layers.{i}.0.norm2.weight": (hidden,),
                   f"layers.{i}.0.norm2.bias": (hidden,), f"layers.{i}.0.to_q.weight": (inner, hidden), f"layers.{i}.0.to_kv.weight": (2 * inner, hidden),
                   f"layers.{i}.0.to_out.weight": (hidden, inner), f"layers.{i}.1.0.weight": (hidden,), f"layers.{i}.1.0.bias": (hidden,),
                   f"layers.{i}.1.1.weight": (4 * hidden, hidden), f"layers.{i}.1.3.weight": (hidden, 4 * hidden)}
    return shapes


# Tensors of image_proj, and the shape of one item's images
FILES = {
    "plain": ({"proj.weight": (4 * CONTEXT, IMAGE), "proj.bias": (4 * CONTEXT,), "norm.weight": (CONTEXT,), "norm.bias": (CONTEXT,)}, (2, IMAGE)),
    "full": ({"proj.0.weight": (IMAGE, IMAGE), "proj.0.bias": (IMAGE,), "proj.2.weight": (CONTEXT, IMAGE), "proj.2.bias": (CONTEXT,),
              "proj.3.weight": (CONTEXT,), "proj.3.bias": (CONTEXT,)}, (2, 5, IMAGE)),
    "face": ({"proj.0.weight": (2 * IMAGE, IMAGE), "proj.0.bias": (2 * IMAGE,), "proj.2.weight": (4 * CONTEXT, 2 * IMAGE), "proj.2.bias": (4 * CONTEXT,),
              "norm.weight": (CONTEXT,), "norm.bias": (CONTEXT,)}, (1, IMAGE)),
    "plus": (plus_shapes(), (2, 5, IMAGE)),
}


def unet(config):
    return UNet2DConditionModel(**config).double()


def attention_shapes(model):
    names = [name for name in model.attn_processors if name.endswith("attn2.processor")]
    layers = [model.get_submodule(name.removesuffix(".processor")) for name in names]
    return {2 * i + 1: tuple(layer.to_k.weight.shape) for i, layer in enumerate(layers)}


def file_of(case, model, kind):
    """The tensors of a file in its original spelling."""
    projection = {name: weight(f"{case}/image_proj.{name}", shape).double() for name, shape in FILES[kind][0].items()}
    attentions = {}
    for key, shape in attention_shapes(model).items():
        for name in ("to_k_ip", "to_v_ip"):
            attentions[f"{key}.{name}.weight"] = weight(f"{case}/ip_adapter.{key}.{name}.weight", shape).double()
    return {"image_proj": projection, "ip_adapter": attentions}


def projected_images(kind):
    model = unet(TINY)
    case = f"file-{kind}"
    model._load_ip_adapter_weights([file_of(case, model, kind)], low_cpu_mem_usage=False)
    images = numbers(f"{case}/images", (BATCH, *FILES[kind][1])).requires_grad_()
    tokens, = model.encoder_hid_proj.double()([images])
    module = model.encoder_hid_proj.image_projection_layers[0]
    shapes = {f"image_proj.{name}": list(shape) for name, shape in FILES[kind][0].items()}
    shapes |= {f"ip_adapter.{key}.{name}.weight": list(shape) for key, shape in attention_shapes(unet(TINY)).items() for name in ("to_k_ip", "to_v_ip")}
    return {"name": case, "kind": kind, "shapes": shapes, "images": list(images.shape),
            **record(case, module, {"images": images}, {"tokens": tokens.reshape(BATCH, -1, CONTEXT)})}


def prompted(name, config, kinds, scales, sides=(4, 6)):
    model = unet(config)
    model._load_ip_adapter_weights([file_of(name, model, kind) for kind in kinds], low_cpu_mem_usage=False)
    model.double()
    fill(model, f"{name}/network")
    named = {f"network.{key}": p for key, p in model.named_parameters() if "_ip." not in key and "encoder_hid_proj" not in key}
    key = 1
    for processor in model.attn_processors.values():
        if not isinstance(processor, IPAdapterAttnProcessor2_0):
            continue
        processor.scale = scales
        for layer in ("to_k_ip", "to_v_ip"):
            for i, linear in enumerate(getattr(processor, layer)):
                named[f"adapters.{i}.{key}.{layer}.weight"] = linear.weight
        key += 2
    with torch.no_grad():
        for key, parameter in named.items():
            parameter.copy_(weight(f"{name}/{key}", tuple(parameter.shape)))
    x = numbers(f"{name}/x", (BATCH, 4, *sides)).requires_grad_()
    text = numbers(f"{name}/text", (BATCH, 5, CONTEXT)).requires_grad_()
    # What the projections would give, in their place.
    tokens = [numbers(f"{name}/image_prompt.{i}", (BATCH, 3 + i, CONTEXT)).requires_grad_() for i in range(len(kinds))]
    model.encoder_hid_proj = torch.nn.Module()
    model.encoder_hid_proj.forward = lambda given: given
    time = torch.tensor([2.0, 637.25])
    out = model(x, time, text, added_cond_kwargs={"image_embeds": tokens}).sample
    inputs = {"x": x, "text": text, **{f"image_prompt.{i}": value for i, value in enumerate(tokens)}}
    holder = types.SimpleNamespace(named_parameters=lambda: named.items())
    return {"name": name, "config": config, "sides": list(sides), "time": time.tolist(), "scales": scales, "tokens": [list(value.shape) for value in tokens],
            **record(name, holder, inputs, {"sample": out})}


def main():
    golden = header("ip_adapter_golden.py", {"output": 2e-5, "gradients": 1e-4, "of": "largest magnitude; norm"}, torch=torch.__version__,
                    diffusers=diffusers.__version__)
    deep = dict(TINY, transformer_layers_per_block=2, attention_head_dim=[2, 4], down_block_types=["CrossAttnDownBlock2D"] * 2, up_block_types=["CrossAttnUpBlock2D"] * 2)
    golden |= {"files": [projected_images(kind) for kind in FILES],
               "prompted": [prompted("one-adapter", TINY, ["plain"], [0.6]), prompted("two-adapters", deep, ["plus", "plain"], [1.0, 0.3], (3, 4))]}
    (OUT / "ip-adapter.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
