"""Regenerates packages/pipelines/test/golden/{stable-diffusion-tasks,stable-diffusion-xl-tasks,refiner,inpainting,lcm,image-prompts}.json: what a tiny Stable Diffusion does beside pictures of prompts, by diffusers.

Run: PYTHONPATH=<where peft lies> python tooling/parity/pipelines_tasks_golden.py [name ...]
Needs: torch 2.13 (CPU), diffusers 0.42, transformers, tokenizers, peft 0.21.
"""
import copy
import json
import sys

import torch
from diffusers import (ControlNetModel, LatentConsistencyModelPipeline, LCMScheduler, StableDiffusionAdapterPipeline, StableDiffusionControlNetImg2ImgPipeline,
                       StableDiffusionControlNetPipeline, StableDiffusionInpaintPipeline, StableDiffusionPipeline, StableDiffusionXLControlNetPipeline, StableDiffusionXLImg2ImgPipeline, StableDiffusionXLInpaintPipeline,
                       StableDiffusionXLPipeline, T2IAdapter, UNet2DConditionModel)
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from pipeline_case import BETAS, PROMPTS, SCHEDULERS, component, maker, mask, picture, run, saved, write
from pipelines_golden import stable_diffusion_index, stable_diffusion_parts, stable_diffusion_xl_index, stable_diffusion_xl_parts
from tiny_checkpoints import fill_tensors

SIX = ("pndm", "ddim", "euler", "euler-ancestral", "dpmpp-2m-karras", "heun")
CALL = dict(prompt=PROMPTS[0], negative_prompt="blurry, ugly", guidance_scale=4.0, num_inference_steps=4)


def given(make, **always):
    """A pipeline whose calls have some pictures, which a golden file names by their rule."""
    return lambda: (lambda **call: make()(**always, **call))


def filled(name, scheduler, make, **call):
    return {"scheduler": saved(scheduler), "name": name, "picture": [16, 16], "mask": [16, 16],
            **run(given(make, image=picture(16, 16), mask_image=mask(16, 16), height=16, width=16), call)}


def stable_diffusion_tasks():
    parts, components = stable_diffusion_parts()
    cases = []
    # What is under a mask is made anew, the rest is blended in.
    for name in SIX:
        make = maker(StableDiffusionInpaintPipeline, SCHEDULERS[name], **parts)
        for strength in (1.0, 0.6) if name in ("pndm", "euler-ancestral", "heun") else (1.0,):
            cases.append(filled(f"{name}, under a mask", SCHEDULERS[name], make, **CALL, strength=strength))
    # ControlNets and T2I-Adapters.
    nets = [ControlNetModel(in_channels=4, block_out_channels=(16, 32), layers_per_block=1, norm_num_groups=4, attention_head_dim=2, cross_attention_dim=16,
                            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), conditioning_embedding_out_channels=(8, 16)).eval() for _ in range(2)]
    adapter = T2IAdapter(in_channels=3, channels=[16, 32], num_res_blocks=1, downscale_factor=2, adapter_type="full_adapter").eval()
    controls = {"edges": component(nets[0], 21, 1.0), "depth": component(nets[1], 22, 1.0), "sketch": component(adapter, 23, 1.0)}
    for name in SIX:
        make = maker(StableDiffusionControlNetPipeline, SCHEDULERS[name], controlnet=nets[0], **parts)
        cases.append({"scheduler": saved(SCHEDULERS[name]), "name": f"{name}, steered", "controls": [{"control": "edges", "picture": [16, 16], "scale": 0.7}],
                      **run(given(make, image=picture(16, 16), controlnet_conditioning_scale=0.7), CALL)})
    make = maker(StableDiffusionControlNetPipeline, SCHEDULERS["euler"], controlnet=nets, **parts)
    two = dict(CALL, prompt=PROMPTS, negative_prompt=["blurry, ugly", ""])
    cases.append({"scheduler": saved(SCHEDULERS["euler"]), "name": "euler, steered by two", "controls": [
        {"control": "edges", "picture": [16, 24], "scale": 0.5, "from": 0.0, "until": 0.5}, {"control": "depth", "picture": [16, 24], "scale": 1.25, "from": 0.25, "until": 1.0}],
        **run(given(make, image=[picture(16, 24)] * 2, controlnet_conditioning_scale=[0.5, 1.25], control_guidance_start=[0.0, 0.25], control_guidance_end=[0.5, 1.0]), two)})
    make = maker(StableDiffusionControlNetImg2ImgPipeline, SCHEDULERS["ddim"], controlnet=nets[0], **parts)
    cases.append({"scheduler": saved(SCHEDULERS["ddim"]), "name": "ddim, steered, from a picture", "picture": [16, 16], "controls": [{"control": "edges", "picture": [16, 16], "scale": 1.0}],
                  **run(given(make, image=picture(16, 16), control_image=picture(16, 16), controlnet_conditioning_scale=1.0), dict(CALL, strength=0.6))})
    make = maker(StableDiffusionAdapterPipeline, SCHEDULERS["euler"], adapter=adapter, **parts)
    cases.append({"scheduler": saved(SCHEDULERS["euler"]), "name": "euler, steered by a T2I-Adapter", "controls": [{"control": "sketch", "picture": [16, 16], "scale": 0.8}],
                  **run(given(make, image=picture(16, 16), adapter_conditioning_scale=0.8), dict(CALL, height=16, width=16))})
    # LoRAs: as PEFT spells them and as kohya's trainer does, alone and together.
    files = {"peft": lora_of(parts["unet"], 31, "unet.{}.lora_A.weight", "unet.{}.lora_B.weight"),
             "kohya": lora_of(parts["unet"], 32, "lora_unet_{}.lora_down.weight", "lora_unet_{}.lora_up.weight", alpha=1.0)}
    for used in ([("peft", 1.0)], [("kohya", 0.8)], [("peft", 0.5), ("kohya", -0.7)]):
        for name in ("euler", "dpmpp-2m-karras") if len(used) == 1 else SIX:
            pipe = maker(StableDiffusionPipeline, SCHEDULERS[name], **parts)

            def make():
                made = pipe()
                made.unload_lora_weights()
                for which, _ in used:
                    made.load_lora_weights({key: value.clone() for key, value in files[which][1].items()}, adapter_name=which)
                made.set_adapters([which for which, _ in used], [strength for _, strength in used])
                return made
            cases.append({"scheduler": saved(SCHEDULERS[name]), "name": f"{name}, with {' and '.join(which for which, _ in used)}",
                          "adapters": [{"adapter": which, "strength": strength} for which, strength in used], **run(make, CALL)})
            pipe().unload_lora_weights()
    # A word of two vectors, by textual inversion: the text encoder and its tokenizer are changed by it.
    vectors = {"<it>": torch.empty(2, 16)}
    files["word"] = ({"seed": 33, "gain": 1.0, "weights": fill_tensors(vectors, 33, 4.0), "alphas": {}}, vectors)
    files["word"][0]["gain"] = 4.0
    for name in SIX:
        changed = dict(parts, text_encoder=copy.deepcopy(parts["text_encoder"]), tokenizer=copy.deepcopy(parts["tokenizer"]))
        pipe = maker(StableDiffusionPipeline, SCHEDULERS[name], **changed)
        pipe().load_textual_inversion({"<it>": vectors["<it>"].clone()})
        call = dict(CALL, prompt="a photograph of <it>, sitting", negative_prompt="<it> blurry")
        cases.append({"scheduler": saved(SCHEDULERS[name]), "name": f"{name}, with a word", "words": ["word"],
                      **run(lambda: (lambda **given: (lambda pipe: pipe(**given))(pipe())), call)})
    return {"index": stable_diffusion_index(StableDiffusionPipeline), "tokenizers": {"tokenizer": "tiny-clip"}, "components": components, "controls": controls,
            "adapters": {name: listed for name, (listed, _) in files.items()}, "cases": cases}


def lora_of(model, seed, down, up, rank=2, alpha=None):
    """The file of a LoRA for the attentions of a model, by the rule of tiny checkpoints."""
    tensors = {}
    for name, module in model.named_modules():
        if not name.endswith(("to_q", "to_k", "to_v", "to_out.0")):
            continue
        spelt = name.replace(".", "_") if alpha is not None else name
        tensors[down.format(spelt)] = torch.empty(rank, module.in_features)
        tensors[up.format(spelt)] = torch.empty(module.out_features, rank)
    weights = fill_tensors(tensors, seed, 1.0)
    alphas = {name.replace(".lora_up.weight", ".alpha"): alpha for name in tensors if alpha is not None and name.endswith(".lora_up.weight")}
    return {"seed": seed, "gain": 1.0, "weights": weights, "alphas": alphas}, {**tensors, **{name: torch.tensor(value) for name, value in alphas.items()}}


def stable_diffusion_xl_tasks():
    parts, components = stable_diffusion_xl_parts()
    cases = []
    for name in SIX:
        begin, paint = maker(StableDiffusionXLImg2ImgPipeline, SCHEDULERS[name], **parts), maker(StableDiffusionXLInpaintPipeline, SCHEDULERS[name], **parts)
        cases.append({"scheduler": saved(SCHEDULERS[name]), "name": f"{name}, from a picture", "picture": [16, 16],
                      **run(given(begin, image=picture(16, 16)), dict(CALL, strength=0.6))})
        cases.append(filled(f"{name}, under a mask", SCHEDULERS[name], paint, **CALL, strength=1.0))
    net = ControlNetModel(in_channels=4, block_out_channels=(16, 32), layers_per_block=1, norm_num_groups=4, attention_head_dim=(2, 4), cross_attention_dim=40,
                          down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), transformer_layers_per_block=(1, 2), use_linear_projection=True, addition_embed_type="text_time",
                          addition_time_embed_dim=8, projection_class_embeddings_input_dim=20 + 6 * 8, conditioning_embedding_out_channels=(8, 16)).eval()
    controls = {"edges": component(net, 21, 1.0)}
    for name in ("euler", "ddim"):
        make = maker(StableDiffusionXLControlNetPipeline, SCHEDULERS[name], controlnet=net, **parts)
        cases.append({"scheduler": saved(SCHEDULERS[name]), "name": f"{name}, steered", "controls": [{"control": "edges", "picture": [16, 16], "scale": 0.7}],
                      **run(given(make, image=picture(16, 16), controlnet_conditioning_scale=0.7), CALL)})
    return {"index": stable_diffusion_xl_index(StableDiffusionXLPipeline), "tokenizers": {"tokenizer": "tiny-clip", "tokenizer_2": "tiny-clip"}, "padding": {"tokenizer_2": "!"},
            "components": components, "controls": controls, "cases": cases}


def refiner():
    """SDXL's second model: one text encoder, and a score of beauty."""
    parts, components = stable_diffusion_xl_parts()
    unet = UNet2DConditionModel(sample_size=8, block_out_channels=(16, 32), layers_per_block=1, norm_num_groups=4, attention_head_dim=(2, 4), cross_attention_dim=24,
                                down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), transformer_layers_per_block=(1, 2),
                                use_linear_projection=True, addition_embed_type="text_time", addition_time_embed_dim=8, projection_class_embeddings_input_dim=20 + 5 * 8).eval()
    components = {"text_encoder_2": components["text_encoder_2"], "unet": component(unet, 9, 1.2), "vae": components["vae"]}
    parts = dict(parts, text_encoder=None, tokenizer=None, unet=unet, requires_aesthetics_score=True, force_zeros_for_empty_prompt=False)
    cases = []
    for name in SIX:
        make = maker(StableDiffusionXLImg2ImgPipeline, SCHEDULERS[name], **parts)
        for call in (dict(CALL, strength=0.6),) if name != "euler" else (dict(CALL, strength=0.6), dict(prompt=PROMPTS[1], guidance_scale=5.0, num_inference_steps=4, strength=0.5)):
            cases.append({"scheduler": saved(SCHEDULERS[name]), "name": f"{name}, refined", "picture": [16, 16], **run(given(make, image=picture(16, 16)), call)})
    index = stable_diffusion_xl_index(StableDiffusionXLImg2ImgPipeline, text_encoder=[None, None], tokenizer=[None, None], requires_aesthetics_score=True, force_zeros_for_empty_prompt=False)
    return {"index": index, "tokenizers": {"tokenizer_2": "tiny-clip"}, "padding": {"tokenizer_2": "!"}, "components": components, "cases": cases}


def inpainting():
    """A network that was made for masks: it is told them."""
    parts, components = stable_diffusion_parts(in_channels=9)
    cases = []
    for name in SIX:
        make = maker(StableDiffusionInpaintPipeline, SCHEDULERS[name], **parts)
        for strength in (1.0, 0.6) if name in ("pndm", "euler-ancestral", "heun") else (1.0,):
            cases.append(filled(name, SCHEDULERS[name], make, **CALL, strength=strength))
    return {"index": stable_diffusion_index(StableDiffusionInpaintPipeline), "tokenizers": {"tokenizer": "tiny-clip"}, "components": components, "cases": cases}


def lcm():
    """A network that was distilled: it is told how strongly it is guided."""
    parts, components = stable_diffusion_parts(time_cond_proj_dim=8)
    scheduler = LCMScheduler(**BETAS)
    make = maker(LatentConsistencyModelPipeline, scheduler, **parts)
    calls = [dict(prompt=PROMPTS[0], num_inference_steps=4, guidance_scale=8.5), dict(prompt=PROMPTS, num_inference_steps=2, guidance_scale=1.5),
             dict(prompt=PROMPTS[1], num_inference_steps=1, guidance_scale=4.0, height=24, width=16)]
    index = stable_diffusion_index(LatentConsistencyModelPipeline)
    return {"index": index, "tokenizers": {"tokenizer": "tiny-clip"}, "components": components, "cases": [{"scheduler": saved(scheduler), "name": "lcm", **run(make, call)} for call in calls]}


def image_prompts():
    """IP-Adapters: a plain one, which reads the whole of a picture, and one that reads its parts."""
    encoder = CLIPVisionModelWithProjection(CLIPVisionConfig(hidden_size=16, intermediate_size=24, projection_dim=12, num_hidden_layers=3, num_attention_heads=4, image_size=8, patch_size=4,
                                                             hidden_act="gelu")).eval()
    processor = CLIPImageProcessorPil(size={"shortest_edge": 8}, crop_size={"height": 8, "width": 8})
    parts, components = stable_diffusion_parts()
    parts = dict(parts, image_encoder=encoder, feature_extractor=processor)
    components["image_encoder"] = component(encoder, 6, 1.0)
    files = {kind: ip_adapter_of(parts["unet"], kind, seed) for kind, seed in (("plain", 41), ("plus", 42))}
    cases = []
    for kind, size in (("plain", [20, 16]), ("plus", [16, 16])):
        for name in SIX if kind == "plain" else ("euler", "dpmpp-2m-karras"):
            # One after another they share a network: what was loaded is loaded anew.
            make = maker(StableDiffusionPipeline, SCHEDULERS[name], **parts)

            def loaded():
                pipe = make()
                pipe.load_ip_adapter({part: {key[len(part) + 1:]: value.clone() for key, value in files[kind][1].items() if key.startswith(part + ".")} for part in ("image_proj", "ip_adapter")},
                                     subfolder="", weight_name="", low_cpu_mem_usage=False)
                pipe.set_ip_adapter_scale(0.7)
                return lambda **given: pipe(ip_adapter_image=picture(*size), **given)
            cases.append({"scheduler": saved(SCHEDULERS[name]), "name": f"{name}, shown a picture, {kind}", "imagePrompts": [{"file": kind, "picture": size, "scale": 0.7}], **run(loaded, CALL)})
            make().unload_ip_adapter()
            parts["image_encoder"], parts["feature_extractor"] = encoder, processor
    index = stable_diffusion_index(StableDiffusionPipeline, image_encoder=["transformers", "CLIPVisionModelWithProjection"], feature_extractor=["transformers", "CLIPImageProcessor"])
    return {"index": index, "tokenizers": {"tokenizer": "tiny-clip"}, "components": components, "files": {"feature_extractor/preprocessor_config.json": json.loads(processor.to_json_string())},
            "adapters": {kind: listed for kind, (listed, _) in files.items()}, "cases": cases}


def ip_adapter_of(unet, kind, seed):
    """The file of an IP-Adapter, by the rule of tiny checkpoints: its layers beside each attention to the text, and what leads to their tokens."""
    tensors = {}
    attentions = [name for name in unet.attn_processors if name.endswith("attn2.processor")]
    for i, name in enumerate(attentions):
        module = unet.get_submodule(name.removesuffix(".processor"))
        for layer in ("to_k_ip", "to_v_ip"):
            tensors[f"ip_adapter.{2 * i + 1}.{layer}.weight"] = torch.empty(module.to_k.out_features, 16)
    if kind == "plain":
        tensors |= {"image_proj.proj.weight": torch.empty(4 * 16, 12), "image_proj.proj.bias": torch.empty(4 * 16), "image_proj.norm.weight": torch.empty(16), "image_proj.norm.bias": torch.empty(16)}
    else:
        # Heads of 64 features, whatever the file; four layers, which diffusers takes for granted; three tokens.
        hidden, inner = 20, 64
        tensors |= {"image_proj.latents": torch.empty(1, 3, hidden), "image_proj.proj_in.weight": torch.empty(hidden, 16), "image_proj.proj_in.bias": torch.empty(hidden),
                    "image_proj.proj_out.weight": torch.empty(16, hidden), "image_proj.proj_out.bias": torch.empty(16), "image_proj.norm_out.weight": torch.empty(16),
                    "image_proj.norm_out.bias": torch.empty(16)}
        for i in range(4):
            block = f"image_proj.layers.{i}"
            tensors |= {f"{block}.0.norm1.weight": torch.empty(hidden), f"{block}.0.norm1.bias": torch.empty(hidden), f"{block}.0.norm2.weight": torch.empty(hidden),
                        f"{block}.0.norm2.bias": torch.empty(hidden), f"{block}.0.to_q.weight": torch.empty(inner, hidden), f"{block}.0.to_kv.weight": torch.empty(2 * inner, hidden),
                        f"{block}.0.to_out.weight": torch.empty(hidden, inner), f"{block}.1.0.weight": torch.empty(hidden), f"{block}.1.0.bias": torch.empty(hidden),
                        f"{block}.1.1.weight": torch.empty(4 * hidden, hidden), f"{block}.1.3.weight": torch.empty(hidden, 4 * hidden)}
    return {"seed": seed, "gain": 1.0, "weights": fill_tensors(tensors, seed, 1.0), "alphas": {}}, tensors


if __name__ == "__main__":
    write("pipelines_tasks_golden.py", {"stable-diffusion-tasks": stable_diffusion_tasks, "inpainting": inpainting, "lcm": lcm, "stable-diffusion-xl-tasks": stable_diffusion_xl_tasks, "refiner": refiner, "image-prompts": image_prompts}, sys.argv[1:])
