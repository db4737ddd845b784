"""Regenerates packages/pipelines/test/golden/{stable-diffusion,stable-diffusion-xl}.json: pictures of whole tiny checkpoints, made by diffusers as users call it.

Run: python tooling/parity/pipelines_golden.py [name ...]
Needs: torch 2.13 (CPU), diffusers 0.42, transformers, tokenizers.
"""
import sys

import diffusers
from diffusers import AutoencoderKL, StableDiffusionImg2ImgPipeline, StableDiffusionPipeline, StableDiffusionXLPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from pipeline_case import PROMPTS, SCHEDULERS, component, maker, picture, run, saved, write
from tiny_checkpoints import clip_tokenizer, clip_tokenizer_padding_with


def stable_diffusion_parts(**changed):
    """The parts of a tiny Stable Diffusion, and what a golden file says of them; `changed` are entries of its U-Net."""
    tokenizer = clip_tokenizer()
    text = CLIPTextModel(CLIPTextConfig(vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=3, num_attention_heads=4,
                                        max_position_embeddings=77, hidden_act="quick_gelu", eos_token_id=tokenizer.eos_token_id,
                                        bos_token_id=tokenizer.bos_token_id, pad_token_id=tokenizer.pad_token_id)).eval()
    # diffusers 0.42 looks for the final norm there, transformers 5 keeps it in the model itself: clip_skip of the two together fails otherwise.
    text.__dict__["text_model"] = text
    unet = UNet2DConditionModel(sample_size=8, block_out_channels=(16, 32), layers_per_block=1, norm_num_groups=4, attention_head_dim=2, cross_attention_dim=16,
                                down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"), **changed).eval()
    vae = AutoencoderKL(block_out_channels=(8, 16), down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2, layers_per_block=1,
                        norm_num_groups=4, latent_channels=4, sample_size=16).eval()
    components = {"text_encoder": component(text, 1, 1.0), "unet": component(unet, 2, 1.2), "vae": component(vae, 3, 0.7)}
    parts = dict(vae=vae, text_encoder=text, tokenizer=tokenizer, unet=unet, safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    return parts, components


def stable_diffusion_index(pipeline, **more):
    return {"_class_name": pipeline.__name__, "_diffusers_version": diffusers.__version__, "requires_safety_checker": False,
            "feature_extractor": [None, None], "safety_checker": [None, None], "scheduler": ["diffusers", "PNDMScheduler"],
            "text_encoder": ["transformers", "CLIPTextModel"], "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
            "vae": ["diffusers", "AutoencoderKL"], **more}


def stable_diffusion():
    parts, components = stable_diffusion_parts()
    cases = []
    for name, scheduler in SCHEDULERS.items():
        make = maker(StableDiffusionPipeline, scheduler, **parts)
        calls = [dict(prompt=PROMPTS[0], negative_prompt="blurry, ugly", guidance_scale=4.0, num_inference_steps=5)]
        if name in ("pndm", "euler-ancestral", "dpmpp-2m-karras"):
            calls += [dict(prompt=PROMPTS, guidance_scale=7.5, num_inference_steps=4), dict(prompt=PROMPTS[1], guidance_scale=1.0, num_inference_steps=3, height=24, width=16),
                      dict(prompt=PROMPTS[0], guidance_scale=5.0, guidance_rescale=0.7, num_inference_steps=4, clip_skip=1)]
        if name == "euler-ancestral":
            calls.append(dict(calls[1], noise="shared"))
        for call in calls:
            given = {key: value for key, value in call.items() if key != "noise"}
            cases.append({"scheduler": saved(scheduler), "name": name, **run(make, given, noise=call.get("noise", "each"))})
    # From a picture: what a case begins with follows from a rule, which the other side has as well.
    for name in ("pndm", "ddim", "euler", "euler-ancestral", "heun", "dpmpp-2m-karras"):
        scheduler = SCHEDULERS[name]
        make_from_picture = maker(StableDiffusionImg2ImgPipeline, scheduler, **parts)
        for strength in (0.6, 1.0) if name in ("pndm", "euler-ancestral", "heun") else (0.6,):
            call = dict(prompt=PROMPTS[0], strength=strength, guidance_scale=4.0, num_inference_steps=5)
            made = run(lambda: (lambda **given: make_from_picture()(image=picture(16, 16), **given)), call)
            cases.append({"scheduler": saved(scheduler), "name": f"{name}, from a picture",
                          "picture": [16, 16], **made})
    return {"index": stable_diffusion_index(StableDiffusionPipeline), "tokenizers": {"tokenizer": "tiny-clip"}, "components": components, "cases": cases}


def stable_diffusion_xl_parts():
    tokenizer, tokenizer_2 = clip_tokenizer(), clip_tokenizer_padding_with("!")
    shape = dict(vocab_size=len(tokenizer), intermediate_size=32, num_hidden_layers=3, num_attention_heads=4, max_position_embeddings=77,
                 eos_token_id=tokenizer.eos_token_id, bos_token_id=tokenizer.bos_token_id)
    text = CLIPTextModel(CLIPTextConfig(**shape, hidden_size=16, hidden_act="quick_gelu", pad_token_id=tokenizer.pad_token_id)).eval()
    text_2 = CLIPTextModelWithProjection(CLIPTextConfig(**shape, hidden_size=24, hidden_act="gelu", projection_dim=20, pad_token_id=tokenizer_2.pad_token_id)).eval()
    unet = UNet2DConditionModel(sample_size=8, block_out_channels=(16, 32), layers_per_block=1, norm_num_groups=4, attention_head_dim=(2, 4), cross_attention_dim=40,
                                down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), transformer_layers_per_block=(1, 2),
                                use_linear_projection=True, addition_embed_type="text_time", addition_time_embed_dim=8, projection_class_embeddings_input_dim=20 + 6 * 8).eval()
    vae = AutoencoderKL(block_out_channels=(8, 16), down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2, layers_per_block=1,
                        norm_num_groups=4, latent_channels=4, sample_size=16, scaling_factor=0.13025).eval()
    components = {"text_encoder": component(text, 1, 1.0), "text_encoder_2": component(text_2, 4, 1.0), "unet": component(unet, 2, 1.2), "vae": component(vae, 3, 0.7)}
    return dict(vae=vae, text_encoder=text, text_encoder_2=text_2, tokenizer=tokenizer, tokenizer_2=tokenizer_2, unet=unet, add_watermarker=False), components


def stable_diffusion_xl_index(pipeline, **more):
    return {"_class_name": pipeline.__name__, "_diffusers_version": diffusers.__version__, "force_zeros_for_empty_prompt": True, "feature_extractor": [None, None],
             "image_encoder": [None, None], "scheduler": ["diffusers", "EulerDiscreteScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
             "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"], "tokenizer": ["transformers", "CLIPTokenizer"],
             "tokenizer_2": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"], **more}


def stable_diffusion_xl():
    parts, components = stable_diffusion_xl_parts()
    cases = []
    for name in ("euler", "euler-ancestral", "dpmpp-2m-karras", "ddim", "heun", "unipc"):
        scheduler = SCHEDULERS[name]
        make = maker(StableDiffusionXLPipeline, scheduler, **parts)
        calls = [dict(prompt=PROMPTS[0], negative_prompt="blurry, ugly", guidance_scale=4.0, num_inference_steps=4)]
        if name in ("euler", "euler-ancestral"):
            calls += [dict(prompt=PROMPTS, guidance_scale=5.0, num_inference_steps=3), dict(prompt=PROMPTS[1], negative_prompt="", guidance_scale=5.0, num_inference_steps=3),
                      dict(prompt=PROMPTS[1], guidance_scale=1.0, num_inference_steps=3, height=24, width=16, clip_skip=1)]
        for call in calls:
            cases.append({"scheduler": saved(scheduler), "name": name, **run(make, call)})
    return {"index": stable_diffusion_xl_index(StableDiffusionXLPipeline), "tokenizers": {"tokenizer": "tiny-clip", "tokenizer_2": "tiny-clip"}, "padding": {"tokenizer_2": "!"}, "components": components, "cases": cases}


if __name__ == "__main__":
    write("pipelines_golden.py", {"stable-diffusion": stable_diffusion, "stable-diffusion-xl": stable_diffusion_xl}, sys.argv[1:])
