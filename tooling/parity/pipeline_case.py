"""What the golden files of whole tiny pipelines have in common: schedulers as saved on the disk, components by a rule, cases as users call them."""
import base64
import json

import diffusers
import numpy as np
import torch
import transformers
from diffusers import (DDIMScheduler, DPMSolverMultistepScheduler, EulerAncestralDiscreteScheduler, EulerDiscreteScheduler, HeunDiscreteScheduler, LMSDiscreteScheduler,
                       PNDMScheduler, UniPCMultistepScheduler)
from PIL import Image

from golden import header, whole
from tiny_checkpoints import GOLDEN, fill

BETAS = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000, steps_offset=1)
# Each as a checkpoint would have it on the disk.
SCHEDULERS = {
    "pndm": PNDMScheduler(**BETAS, skip_prk_steps=True),
    "ddim": DDIMScheduler(**BETAS, clip_sample=False, set_alpha_to_one=False),
    "euler": EulerDiscreteScheduler(**BETAS),
    "euler-ancestral": EulerAncestralDiscreteScheduler(**BETAS),
    "dpmpp-2m-karras": DPMSolverMultistepScheduler(**BETAS, use_karras_sigmas=True),
    "heun": HeunDiscreteScheduler(**BETAS),
    "lms": LMSDiscreteScheduler(**BETAS),
    "unipc": UniPCMultistepScheduler(**BETAS),
}
PROMPTS = ["a photograph of a red cat, it's sitting", "the old astronaut riding a horse!"]


def config_of(model):
    config = model.config.to_dict() if hasattr(model.config, "to_dict") else dict(model.config)
    return json.loads(model.config.to_json_string()) if hasattr(model.config, "to_json_string") else {
        "_class_name": type(model).__name__, **{key: value for key, value in config.items() if not key.startswith("_")}}


def component(model, seed, gain):
    return {"config": config_of(model), "seed": seed, "gain": gain, "weights": fill(model, seed, gain)}


def saved(scheduler):
    return {"_class_name": type(scheduler).__name__, **{key: value for key, value in scheduler.config.items() if not key.startswith("_")}}


def maker(pipeline, scheduler, **parts):
    """Makes a fresh pipeline at each call, with a fresh scheduler."""
    def make():
        pipe = pipeline(**parts, scheduler=type(scheduler).from_config(scheduler.config))
        pipe.set_progress_bar_config(disable=True)
        return pipe
    return make


def pixels(images):
    return [{"size": image.size, "rgb": base64.b64encode(image.tobytes()).decode()} for image in images]


def run(make, call, seed=11, noise="each"):
    """`each`: a generator for each picture, of seed, seed + 1, ...; `shared`: one generator for the batch."""
    def generators():
        if noise == "shared" or isinstance(call["prompt"], str):
            return torch.Generator().manual_seed(seed)
        return [torch.Generator().manual_seed(seed + i) for i in range(len(call["prompt"]))]
    latents = make()(**call, generator=generators(), output_type="latent").images
    pictures = make()(**call, generator=generators()).images
    return {"call": {**call, "seed": seed, "noise": noise}, "latents": whole(latents), "pictures": pixels(pictures)}


def picture(width, height):
    """Byte c of pixel (x, y) is (40 x + 24 y + 80 c + 3 x y) mod 256."""
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    return Image.fromarray(((40 * x + 24 * y + 80 * c + 3 * x * y) % 256).astype(np.uint8))


def mask(width, height):
    """Byte c of pixel (x, y) is (24 x + 40 y + 60 c) mod 256: colours whose light is on both sides of a half."""
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    return Image.fromarray(((24 * x + 40 * y + 60 * c) % 256).astype(np.uint8))


def write(script, makers, names):
    """Writes the golden files of some names, or of all, and prints how far their pictures and latents deviate."""
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for name in names or makers:
        with torch.no_grad():
            made = makers[name]()
        golden = header(script, {"latents": 1e-3, "of": "their deviation", "pixels": 1}, torch=torch.__version__, diffusers=diffusers.__version__,
                        transformers=transformers.__version__)
        path = GOLDEN / f"{name}.json"
        path.write_text(json.dumps({**golden, **made}, ensure_ascii=False) + "\n")
        for case in made["cases"]:
            rgb = torch.frombuffer(bytearray(base64.b64decode(case["pictures"][0]["rgb"])), dtype=torch.uint8).float()
            latents = torch.tensor(case["latents"]["values"])
            print(f"{name} {case['name']}: pixels deviate by {rgb.std():.1f}, latents by {latents.std():.3f}, largest {latents.abs().max():.2f}")
        print(f"{path.relative_to(GOLDEN.parents[3])}: {path.stat().st_size} bytes")
