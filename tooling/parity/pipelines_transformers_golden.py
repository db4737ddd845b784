"""Regenerates packages/pipelines/test/golden/{dit,stable-diffusion-3,pixart,flux}.json: pictures of tiny checkpoints of transformers, made by diffusers as users call it.

Run: python tooling/parity/pipelines_transformers_golden.py [name ...]
Needs: torch 2.13 (CPU), diffusers 0.42, transformers, tokenizers.
"""
import inspect
import sys

import diffusers
import torch
from diffusers import (AutoencoderKL, DDIMScheduler, DDPMPipeline, DDPMScheduler, DEISMultistepScheduler, PNDMScheduler, UNet2DModel, DiTPipeline, DiTTransformer2DModel, FlowMatchEulerDiscreteScheduler, FlowMatchHeunDiscreteScheduler,
                       DPMSolverMultistepScheduler, DPMSolverSinglestepScheduler, FluxImg2ImgPipeline, FluxPipeline, FluxTransformer2DModel, PixArtAlphaPipeline, PixArtTransformer2DModel, SD3Transformer2DModel,
                       StableDiffusion3Img2ImgPipeline, StableDiffusion3InpaintPipeline, StableDiffusion3Pipeline, UniPCMultistepScheduler, SASolverScheduler)
from diffusers.utils.torch_utils import randn_tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, T5Config, T5EncoderModel

from golden import whole
from pipeline_case import PROMPTS, SCHEDULERS, component, maker, mask, picture, pixels, run, saved, write
from tiny_checkpoints import clip_tokenizer, t5_tokenizer


def autoencoder(channels, **more):
    return AutoencoderKL(block_out_channels=(8, 16), down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2, layers_per_block=1,
                         norm_num_groups=4, latent_channels=channels, sample_size=16, **more).eval()


def clip_with_projection(tokenizer, size, projection, activation):
    return CLIPTextModelWithProjection(CLIPTextConfig(vocab_size=len(tokenizer), hidden_size=size, intermediate_size=32, num_hidden_layers=3, num_attention_heads=4,
                                                      max_position_embeddings=77, hidden_act=activation, projection_dim=projection, eos_token_id=tokenizer.eos_token_id,
                                                      bos_token_id=tokenizer.bos_token_id, pad_token_id=tokenizer.pad_token_id)).eval()


def t5(tokenizer, size):
    return T5EncoderModel(T5Config(vocab_size=len(tokenizer), d_model=size, d_kv=4, d_ff=32, num_layers=2, num_heads=4, feed_forward_proj="gated-gelu",
                                   relative_attention_num_buckets=8, relative_attention_max_distance=20)).eval()


def dit():
    """Classes 0 to 999, as the pipeline fixes the null class at 1000. It gives its schedulers no generator: those that draw noise are not the same twice."""
    transformer = DiTTransformer2DModel(num_attention_heads=2, attention_head_dim=8, in_channels=4, out_channels=8, num_layers=2, sample_size=8, patch_size=2, num_embeds_ada_norm=1000,
                                        norm_num_groups=4).eval()
    vae = autoencoder(4)
    components = {"transformer": component(transformer, 2, 1.2), "vae": component(vae, 3, 0.7)}
    plain = dict(num_train_timesteps=1000)
    schedulers = {"ddim": diffusers.DDIMScheduler(**plain, clip_sample=False), "dpmpp-singlestep": DPMSolverSinglestepScheduler(**plain),
                  "dpmpp-2m": DPMSolverMultistepScheduler(**plain), "unipc": UniPCMultistepScheduler(**plain), "deis": DEISMultistepScheduler(**plain), "pndm": diffusers.PNDMScheduler(**plain)}
    names = {str(i): f"class {i}, number {i}" for i in (0, 3, 207, 999)}
    cases = []

    def made(scheduler, labels, seed, **call):
        pipe = DiTPipeline(transformer=transformer, vae=vae, scheduler=type(scheduler).from_config(scheduler.config), id2label={int(i): name for i, name in names.items()})
        pipe.set_progress_bar_config(disable=True)
        latents = []
        decode = vae.decode
        vae.decode = lambda z, *args, **more: (latents.append(z * vae.config.scaling_factor), decode(z, *args, **more))[1]
        try:
            generators = [torch.Generator().manual_seed(seed + i) for i in range(len(labels))] if len(labels) > 1 else torch.Generator().manual_seed(seed)
            pictures = pipe(class_labels=labels, generator=generators, **call).images
        finally:
            vae.decode = decode
        return {"latents": whole(latents[0]), "pictures": pixels(pictures)}

    for name, scheduler in schedulers.items():
        calls = [(["number 207"], [207], dict(guidance_scale=4.0, num_inference_steps=4))]
        if name in ("ddim", "dpmpp-2m"):
            calls += [(["3", "class 999"], [3, 999], dict(guidance_scale=1.5, num_inference_steps=3)), (["0"], [0], dict(guidance_scale=1.0, num_inference_steps=3))]
        for prompt, labels, call in calls:
            cases.append({"scheduler": saved(scheduler), "name": name, "call": {**call, "prompt": prompt, "seed": 11}, **made(scheduler, labels, 11, **call)})
    index = {"_class_name": "DiTPipeline", "_diffusers_version": diffusers.__version__, "id2label": names, "scheduler": ["diffusers", "DDIMScheduler"],
             "transformer": ["diffusers", "Transformer2DModel"], "vae": ["diffusers", "AutoencoderKL"]}
    return {"index": index, "tokenizers": {}, "components": components, "cases": cases}


FLOWS = {
    "flow-euler": FlowMatchEulerDiscreteScheduler(shift=3.0),
    "flow-euler-dynamic": FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, base_image_seq_len=4, max_image_seq_len=64, base_shift=0.5, max_shift=1.15),
    "flow-heun": FlowMatchHeunDiscreteScheduler(shift=3.0),
    "dpmpp-2m-flow": DPMSolverMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0),
    "unipc-flow": UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0),
    "dpm-singlestep-flow": DPMSolverSinglestepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0),
    "dpmpp-2m-flow-dynamic": DPMSolverMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, use_dynamic_shifting=True, time_shift_type="exponential"),
    "unipc-flow-dynamic": UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, use_dynamic_shifting=True, time_shift_type="exponential"),
    "flow-euler-karras": FlowMatchEulerDiscreteScheduler(shift=2.0, use_karras_sigmas=True),
    "flow-euler-exponential": FlowMatchEulerDiscreteScheduler(shift=2.0, use_exponential_sigmas=True),
}


def stable_diffusion_3_parts(channels):
    tokenizer, tokenizer_3 = clip_tokenizer(), t5_tokenizer()
    text, text_2 = clip_with_projection(tokenizer, 16, 12, "quick_gelu"), clip_with_projection(tokenizer, 24, 20, "gelu")
    text_3 = t5(tokenizer_3, 48)
    transformer = SD3Transformer2DModel(sample_size=8, patch_size=2, in_channels=channels, out_channels=channels, num_layers=2, attention_head_dim=8, num_attention_heads=4, joint_attention_dim=48,
                                        caption_projection_dim=32, pooled_projection_dim=32, pos_embed_max_size=12, qk_norm="rms_norm", dual_attention_layers=(0,)).eval()
    vae = autoencoder(channels, scaling_factor=1.5305, shift_factor=0.0609, use_quant_conv=False, use_post_quant_conv=False)
    components = {"text_encoder": component(text, 1, 1.0), "text_encoder_2": component(text_2, 4, 1.0), "text_encoder_3": component(text_3, 5, 1.0),
                  "transformer": component(transformer, 2, 0.7), "vae": component(vae, 3, 0.7)}
    parts = dict(vae=vae, text_encoder=text, text_encoder_2=text_2, tokenizer=tokenizer, tokenizer_2=tokenizer, transformer=transformer)
    return parts, text_3, tokenizer_3, components


def stable_diffusion_3_index():
    return {"_class_name": "StableDiffusion3Pipeline", "_diffusers_version": diffusers.__version__, "feature_extractor": [None, None], "image_encoder": [None, None],
            "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"], "text_encoder": ["transformers", "CLIPTextModelWithProjection"],
            "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"], "text_encoder_3": ["transformers", "T5EncoderModel"], "tokenizer": ["transformers", "CLIPTokenizer"],
            "tokenizer_2": ["transformers", "CLIPTokenizer"], "tokenizer_3": ["transformers", "T5TokenizerFast"], "transformer": ["diffusers", "SD3Transformer2DModel"],
            "vae": ["diffusers", "AutoencoderKL"]}


SD3_TOKENIZERS = {"tokenizer": "tiny-clip", "tokenizer_2": "tiny-clip", "tokenizer_3": "tiny-t5"}


def stable_diffusion_3():
    parts, text_3, tokenizer_3, components = stable_diffusion_3_parts(4)
    with_t5, without_t5 = dict(parts, text_encoder_3=text_3, tokenizer_3=tokenizer_3), dict(parts, text_encoder_3=None, tokenizer_3=None)
    cases = []
    for name, scheduler in FLOWS.items():
        if name in ("flow-euler-exponential", "dpmpp-2m-flow-dynamic", "unipc-flow-dynamic"):
            continue
        for t5_there, all_parts in ((True, with_t5), (False, without_t5)) if name == "flow-euler" else ((True, with_t5),):
            make = maker(StableDiffusion3Pipeline, scheduler, **all_parts)
            calls = [dict(prompt=PROMPTS[0], negative_prompt="blurry, ugly", guidance_scale=4.0, num_inference_steps=4)]
            if name in ("flow-euler", "flow-euler-dynamic"):
                calls += [dict(prompt=PROMPTS, guidance_scale=5.0, num_inference_steps=3), dict(prompt=PROMPTS[1], guidance_scale=1.0, num_inference_steps=3, height=24, width=16, clip_skip=1)]
            for call in calls:
                cases.append({"scheduler": saved(scheduler), "name": name, **({} if t5_there else {"absent": ["text_encoder_3", "tokenizer_3"]}), **run(make, call)})
    return {"index": stable_diffusion_3_index(), "tokenizers": SD3_TOKENIZERS, "components": components, "cases": cases}


def stable_diffusion_3_tasks():
    """From pictures, and under a mask: which the pipeline blends for 16 channels alone."""
    parts, text_3, tokenizer_3, components = stable_diffusion_3_parts(16)
    parts = dict(parts, text_encoder_3=text_3, tokenizer_3=tokenizer_3)
    cases = []
    for name, strength in (("flow-euler", 0.6), ("flow-euler-dynamic", 0.3), ("flow-heun", 0.6), ("flow-euler", 1.0)):
        make = maker(StableDiffusion3Img2ImgPipeline, FLOWS[name], **parts)
        call = dict(prompt=PROMPTS[0], negative_prompt="blurry, ugly", guidance_scale=4.0, num_inference_steps=4, strength=strength)
        cases.append({"scheduler": saved(FLOWS[name]), "name": f"{name}, from a picture", "picture": [16, 16],
                      **run(lambda: (lambda **given: make()(image=picture(16, 16), height=16, width=16, **given)), call)})
        paint = maker(StableDiffusion3InpaintPipeline, FLOWS[name], **parts)
        case = run(lambda: (lambda **given: paint()(image=picture(16, 16), mask_image=mask(16, 16), height=16, width=16, **given)), call)
        # This pipeline leaves out the shift of latents when it decodes them; its text-to-image and image-to-image do not.
        latents = torch.tensor(case["latents"]["values"]).reshape(case["latents"]["shape"])
        vae, processor = parts["vae"], paint().image_processor
        decoded = vae.decode(latents / vae.config.scaling_factor + vae.config.shift_factor, return_dict=False)[0]
        cases.append({"scheduler": saved(FLOWS[name]), "name": f"{name}, under a mask", "picture": [16, 16], "mask": [16, 16], **case,
                      "pictures": pixels(processor.postprocess(decoded, output_type="pil"))})
    return {"index": stable_diffusion_3_index(), "tokenizers": SD3_TOKENIZERS, "components": components, "cases": cases}


def pixel_diffusion():
    """Networks over pixels, without a prompt."""
    unet = UNet2DModel(sample_size=16, in_channels=3, out_channels=3, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4, attention_head_dim=8,
                       down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D")).eval()
    components = {"unet": component(unet, 2, 1.2)}
    plain = dict(num_train_timesteps=1000)
    schedulers = {"ddpm": DDPMScheduler(**plain), "ddim": DDIMScheduler(**plain), "dpmpp-2m": DPMSolverMultistepScheduler(**plain), "unipc": UniPCMultistepScheduler(**plain),
                  "pndm": PNDMScheduler(**plain), "deis": DEISMultistepScheduler(**plain)}
    cases = []
    for name, scheduler in schedulers.items():
        for batch in (1, 2) if name in ("ddpm", "ddim") else (1,):
            # The pipeline takes one generator or a list; it asks its scheduler for nothing but what DDPM's takes.
            generators = torch.Generator().manual_seed(11) if batch == 1 else [torch.Generator().manual_seed(11 + i) for i in range(2)]
            image = randn_tensor((batch, 3, 16, 16), generator=generators)
            own = type(scheduler).from_config(scheduler.config)
            own.set_timesteps(4)
            for t in own.timesteps:
                takes = set(inspect.signature(own.step).parameters)
                image = own.step(unet(image, t).sample, t, image, **({"generator": generators} if "generator" in takes else {})).prev_sample
            if name == "ddpm" and batch == 1:
                pipe = DDPMPipeline(unet, type(scheduler).from_config(scheduler.config))
                pipe.set_progress_bar_config(disable=True)
                theirs = pipe(generator=torch.Generator().manual_seed(11), num_inference_steps=4, output_type="pt").images
                assert torch.equal(theirs, (image / 2 + 0.5).clamp(0, 1).permute(0, 1, 2, 3)), "the loop is the pipeline's"
            pictures = DDPMPipeline.numpy_to_pil((image / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).numpy())
            cases.append({"scheduler": saved(scheduler), "name": name, "call": {"seed": 11, "count": batch, "num_inference_steps": 4}, "latents": whole(image), "pictures": pixels(pictures)})
    index = {"_class_name": "DDPMPipeline", "_diffusers_version": diffusers.__version__, "scheduler": ["diffusers", "DDPMScheduler"], "unet": ["diffusers", "UNet2DModel"]}
    return {"index": index, "tokenizers": {}, "components": components, "cases": cases}


def pixart(side=8):
    """A network of latents of side 128 is told the size of pictures, in features of which a third is for each of three numbers."""
    width = 16 if side == 8 else 24
    tokenizer = t5_tokenizer()
    text = t5(tokenizer, 24)
    transformer = PixArtTransformer2DModel(num_attention_heads=2, attention_head_dim=width // 2, in_channels=4, out_channels=8, num_layers=2, sample_size=side, patch_size=2, cross_attention_dim=width,
                                           caption_channels=24, norm_num_groups=4).eval()
    vae = autoencoder(4)
    components = {"text_encoder": component(text, 1, 1.0), "transformer": component(transformer, 2, 1.2), "vae": component(vae, 3, 0.7)}
    cases = []
    schedulers = {name: SCHEDULERS[name] for name in ("dpmpp-2m-karras", "ddim", "euler", "euler-ancestral", "heun")}
    schedulers["sa-solver"] = SASolverScheduler(beta_start=0.0001, beta_end=0.02, beta_schedule="linear")
    if side != 8:
        schedulers = {"ddim": SCHEDULERS["ddim"]}
    for name, scheduler in schedulers.items():
        make = maker(PixArtAlphaPipeline, scheduler, vae=vae, text_encoder=text, tokenizer=tokenizer, transformer=transformer)
        always = dict(use_resolution_binning=False, clean_caption=False)
        calls = [dict(prompt=PROMPTS[0], negative_prompt="blurry, ugly", guidance_scale=4.0, num_inference_steps=4)]
        if side != 8:
            calls = [dict(calls[0], height=16, width=16), dict(prompt=PROMPTS, guidance_scale=4.5, num_inference_steps=3, height=24, width=16)]
        elif name in ("dpmpp-2m-karras", "euler"):
            calls += [dict(prompt=PROMPTS, guidance_scale=4.5, num_inference_steps=3), dict(prompt=PROMPTS[1], guidance_scale=1.0, num_inference_steps=3, height=24, width=16)]
        for call in calls:
            cases.append({"scheduler": saved(scheduler), "name": name, **run(lambda: (lambda **given: make()(**always, **given)), call)})
    index = {"_class_name": "PixArtAlphaPipeline", "_diffusers_version": diffusers.__version__, "scheduler": ["diffusers", "DPMSolverMultistepScheduler"],
             "text_encoder": ["transformers", "T5EncoderModel"], "tokenizer": ["transformers", "T5TokenizerFast"], "transformer": ["diffusers", "Transformer2DModel"],
             "vae": ["diffusers", "AutoencoderKL"]}
    return {"index": index, "tokenizers": {"tokenizer": "tiny-t5"}, "components": components, "cases": cases}


def flux():
    tokenizer, tokenizer_2 = clip_tokenizer(), t5_tokenizer()
    text = CLIPTextModel(CLIPTextConfig(vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=3, num_attention_heads=4, max_position_embeddings=77,
                                        hidden_act="quick_gelu", eos_token_id=tokenizer.eos_token_id, bos_token_id=tokenizer.bos_token_id, pad_token_id=tokenizer.pad_token_id)).eval()
    text_2 = t5(tokenizer_2, 24)
    made = {}
    for name, guided in (("dev", True), ("schnell", False)):
        transformer = FluxTransformer2DModel(patch_size=1, in_channels=16, num_layers=1, num_single_layers=2, attention_head_dim=16, num_attention_heads=2, joint_attention_dim=24,
                                             pooled_projection_dim=16, guidance_embeds=guided, axes_dims_rope=(4, 4, 8)).eval()
        vae = autoencoder(4, scaling_factor=0.3611, shift_factor=0.1159, use_quant_conv=False, use_post_quant_conv=False)
        components = {"text_encoder": component(text, 1, 1.0), "text_encoder_2": component(text_2, 5, 1.0), "transformer": component(transformer, 2, 0.7), "vae": component(vae, 3, 0.7)}
        cases = []
        for scheduler_name in ("flow-euler", "flow-euler-dynamic", "flow-euler-exponential", "dpmpp-2m-flow-dynamic", "unipc-flow-dynamic", "flow-euler-karras") if guided else ("flow-euler",):
            scheduler = FLOWS[scheduler_name]
            make = maker(FluxPipeline, scheduler, vae=vae, text_encoder=text, text_encoder_2=text_2, tokenizer=tokenizer, tokenizer_2=tokenizer_2, transformer=transformer)
            calls = [dict(prompt=PROMPTS[0], guidance_scale=3.5, num_inference_steps=4, height=16, width=16)]
            if scheduler_name.startswith("flow-euler") and scheduler_name[10:] in ("", "-dynamic"):
                calls += [dict(prompt=PROMPTS, guidance_scale=2.0, num_inference_steps=3, height=16, width=24)]
            for call in calls:
                # What is told no guidance ignores it.
                call = call if guided else dict(call, guidance_scale=1.0)
                case = run(make, dict(call, max_sequence_length=64))
                height, width = call["height"], call["width"]
                # The pipeline keeps latents packed: as tokens of 2x2 positions.
                packed = torch.tensor(case["latents"]["values"]).reshape(case["latents"]["shape"])
                case["latents"] = whole(FluxPipeline._unpack_latents(packed, height, width, 2))
                cases.append({"scheduler": saved(scheduler), "name": f"{name}, {scheduler_name}", **case})
            if scheduler_name in ("flow-euler", "flow-euler-dynamic") and guided:
                begin = maker(FluxImg2ImgPipeline, scheduler, vae=vae, text_encoder=text, text_encoder_2=text_2, tokenizer=tokenizer, tokenizer_2=tokenizer_2, transformer=transformer)
                call = dict(prompt=PROMPTS[0], guidance_scale=3.5, num_inference_steps=4, strength=0.6, height=16, width=16)
                case = run(lambda: (lambda **given: begin()(image=picture(16, 16), max_sequence_length=64, **given)), call)
                packed = torch.tensor(case["latents"]["values"]).reshape(case["latents"]["shape"])
                case["latents"] = whole(FluxPipeline._unpack_latents(packed, 16, 16, 2))
                cases.append({"scheduler": saved(scheduler), "name": f"{name}, {scheduler_name}, from a picture", "picture": [16, 16], **case})
        made[name] = (components, cases)
    index = {"_class_name": "FluxPipeline", "_diffusers_version": diffusers.__version__, "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
             "text_encoder": ["transformers", "CLIPTextModel"], "text_encoder_2": ["transformers", "T5EncoderModel"], "tokenizer": ["transformers", "CLIPTokenizer"],
             "tokenizer_2": ["transformers", "T5TokenizerFast"], "transformer": ["diffusers", "FluxTransformer2DModel"], "vae": ["diffusers", "AutoencoderKL"]}
    return {name: {"index": index, "tokenizers": {"tokenizer": "tiny-clip", "tokenizer_2": "tiny-t5"}, "components": components, "cases": cases} for name, (components, cases) in made.items()}


if __name__ == "__main__":
    write("pipelines_transformers_golden.py", {"dit": dit, "pixel-diffusion": pixel_diffusion, "stable-diffusion-3": stable_diffusion_3, "stable-diffusion-3-tasks": stable_diffusion_3_tasks, "pixart": pixart, "pixart-1024": lambda: pixart(128), "flux-dev": lambda: flux()["dev"], "flux-schnell": lambda: flux()["schnell"]},
          sys.argv[1:])
