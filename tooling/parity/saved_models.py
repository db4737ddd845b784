"""Proves that folders which Langevin writes load in diffusers and make the same pictures: run with the folder that `saved_models.mjs` has made.

Run: npm run build, then node tooling/parity/saved_models.mjs <empty folder>, then python tooling/parity/saved_models.py <the same folder>
Needs: torch 2.13 (CPU), diffusers 0.42, transformers.
"""
import json
import pathlib
import sys

import numpy as np
import torch
from diffusers import DiffusionPipeline, DiTPipeline
from PIL import Image

home = pathlib.Path(sys.argv[1])
FLOATS = ("initializer_factor", "attention_dropout", "dropout_rate", "dropout", "initializer_range", "classifier_dropout")
worst = 0
for entry in json.loads((home / "calls.json").read_text()):
    name, call = entry["name"], entry["call"]
    # The tiny checkpoints were written by JSON without 1.0, which transformers tells from 1.
    for path in (home / name).glob("*/config.json"):
        config = json.loads(path.read_text())
        path.write_text(json.dumps({key: float(value) if key in FLOATS and value is not None else value for key, value in config.items()}))
    pipe = DiffusionPipeline.from_pretrained(home / name)
    pipe.set_progress_bar_config(disable=True)
    generator = torch.Generator().manual_seed(call["seed"])
    if isinstance(pipe, DiTPipeline):
        made = pipe(class_labels=[int(call["prompt"])], guidance_scale=call["guidance"], num_inference_steps=call["steps"], generator=generator)
    else:
        more = {} if "PixArt" not in type(pipe).__name__ else {"use_resolution_binning": False, "clean_caption": False}
        more |= {key: call[key] for key in ("width", "height") if key in call}
        more |= {"max_sequence_length": 64} if "Flux" in type(pipe).__name__ else {}
        made = pipe(prompt=call["prompt"], guidance_scale=call["guidance"], num_inference_steps=call["steps"], generator=generator, **more)
    theirs = np.asarray(made.images[0]).astype(int)
    ours = np.asarray(Image.open(home / f"{name}.png")).astype(int)
    difference = int(np.abs(theirs - ours).max())
    worst = max(worst, difference)
    print(f"{name}: {type(pipe).__name__}, largest difference of a pixel {difference}, pixels deviate by {ours.std():.1f}")
sys.exit(0 if worst <= 1 else 1)
