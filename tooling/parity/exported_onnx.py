"""Runs what `langevin export --onnx` wrote in onnxruntime alone, beside the same components in diffusers and transformers.

Run: python tooling/parity/exported_onnx.py CHECKPOINT EXPORTED
Needs: torch 2.13 (CPU), diffusers 0.42, transformers, onnxruntime 1.23 or newer (PyPI).
Prints the largest difference of each part in units of its largest value; ends with 1 above 2e-5.
"""
import json
import pathlib
import sys

import diffusers
import numpy
import onnxruntime
import torch
import transformers

source, exported = map(pathlib.Path, sys.argv[1:3])
index = json.loads((source / "model_index.json").read_text())
random = numpy.random.default_rng(7)
TYPES = {"tensor(float)": numpy.float32, "tensor(int32)": numpy.int32, "tensor(bool)": bool}
worst = 0.0


def loaded(library, name, folder):
    if library == "diffusers":
        return getattr(diffusers, name).from_pretrained(folder)
    kind = getattr(transformers, name)
    # Whoever writes JSON outside of Python has 1 for 1.0, which transformers' own check refuses.
    given = json.loads((folder / "config.json").read_text())
    floats = ("initializer_factor", "initializer_range", "attention_dropout", "dropout", "layer_norm_eps", "logit_scale_init_value")
    config = kind.config_class(**{key: float(value) if key in floats else value for key, value in given.items()})
    return kind.from_pretrained(folder, config=config)


for folder in sorted(path for path in exported.iterdir() if path.is_dir()):
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    component = "vae" if folder.name == "vae_decoder" else folder.name
    library, name = index[component]
    model = loaded(library, name, source / component).eval().float()
    feeds = {}
    for each in session.get_inputs():
        kind = TYPES[each.type]
        if each.name == "timestep":
            feeds[each.name] = numpy.full(each.shape, 401 if component == "unet" else 0.4, kind)
        else:
            feeds[each.name] = random.integers(0, 40, each.shape).astype(kind) if kind is numpy.int32 else random.standard_normal(each.shape).astype(kind)
    given = {name: torch.from_numpy(value) for name, value in feeds.items()}
    with torch.no_grad():
        if folder.name == "vae_decoder":
            wanted = model.decode(given["latent_sample"]).sample
        elif folder.name.startswith("text_encoder"):
            wanted = model(given["input_ids"].long()).last_hidden_state
        else:
            sample = given.pop("sample")
            added = {"time_ids": given.pop("time_ids"), "text_embeds": given.pop("pooled_projections")} if "time_ids" in given else None
            wanted = model(sample, **given, **({"added_cond_kwargs": added} if added else {})).sample
    found = session.run(None, feeds)[0]
    difference = float(numpy.abs(found - wanted.numpy()).max() / numpy.abs(wanted.numpy()).max())
    worst = max(worst, difference)
    print(f"{folder.name}: {difference:.2e}")
sys.exit(worst > 2e-5)
