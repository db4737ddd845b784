"""Regenerates packages/pipelines/test/golden/adapters.json: adapters of PEFT on three small layers, and the weights that they make.

Run: PYTHONPATH=<where peft lies> OMP_NUM_THREADS=1 python tooling/parity/adapters_golden.py
Needs: torch 2.13 (CPU), peft 0.21.

`cases` have a file as PEFT saves it, its settings (the note that diffusers puts beside it) and the merged weights. `convolutions` have no PEFT:
the up, middle and down weights of LoCon, and the output of the three convolutions one after another, which the delta has to give in one.
"""
import json

import peft
import torch
from torch import nn

from golden import ROOT, header, whole

OUT = ROOT / "packages/pipelines/test/golden/adapters.json"
torch.set_num_threads(1)


class Layers(nn.Module):
    def __init__(self):
        super().__init__()
        self.wide = nn.Linear(4, 6)
        self.square = nn.Linear(4, 4)
        self.conv = nn.Conv2d(4, 5, 3)

    def forward(self, x):
        return self.conv(x)


NAMES = ["wide", "square", "conv"]
CASES = {
    "lora": peft.LoraConfig(r=2, lora_alpha=3, target_modules=NAMES, init_lora_weights=False),
    "lora, patterns": peft.LoraConfig(r=2, lora_alpha=3, target_modules=NAMES, rank_pattern={"square": 1}, alpha_pattern={"conv": 5, "squ.re": 7}, init_lora_weights=False),
    "rslora": peft.LoraConfig(r=2, lora_alpha=3, use_rslora=True, target_modules=NAMES, init_lora_weights=False),
    "lora with biases": peft.LoraConfig(r=2, lora_alpha=3, lora_bias=True, target_modules=NAMES, init_lora_weights=False),
    "dora": peft.LoraConfig(r=2, lora_alpha=3, use_dora=True, target_modules=NAMES, init_lora_weights=False),
    "loha": peft.LoHaConfig(r=2, alpha=3, target_modules=NAMES, init_weights=False),
    "loha, tucker": peft.LoHaConfig(r=2, alpha=3, use_effective_conv2d=True, target_modules=NAMES, init_weights=False),
    "lokr": peft.LoKrConfig(r=1, alpha=3, target_modules=NAMES, init_weights=False),
    "lokr, both": peft.LoKrConfig(r=1, alpha=3, decompose_both=True, decompose_factor=2, target_modules=NAMES, init_weights=False),
    "lokr, tucker": peft.LoKrConfig(r=1, alpha=3, use_effective_conv2d=True, target_modules=NAMES, init_weights=False),
}


def randomize(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.5)


def settings(config):
    fields = config.to_dict()
    return {name: fields[name] for name in ("r", "lora_alpha", "alpha", "rank_pattern", "alpha_pattern", "use_rslora") if fields.get(name) is not None}


base = Layers()
randomize(base, 0)
weights = {name: whole(value) for name, value in base.state_dict().items()}
cases = []
for seed, (name, config) in enumerate(CASES.items()):
    layers = Layers()
    layers.load_state_dict(base.state_dict())
    model = peft.get_peft_model(layers, config)
    generator = torch.Generator().manual_seed(100 + seed)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if "magnitude" in key:
                parameter.copy_(parameter * (1 + 0.3 * torch.rand(parameter.shape, generator=generator)))
            elif "base_layer" not in key:
                parameter.copy_(0.6 * torch.randn(parameter.shape, generator=generator))
    file = {key: whole(value) for key, value in peft.get_peft_model_state_dict(model).items()}
    merged = model.merge_and_unload()
    cases.append({"name": name, "settings": settings(config), "file": file, "merged": {key: whole(value) for key, value in merged.state_dict().items()}})

generator = torch.Generator().manual_seed(7)
convolutions = []
for form in ("plain", "middle"):
    middle = form == "middle"
    x = torch.randn([1, 4, 5, 5], generator=generator)
    down = torch.randn([2, 4, *((1, 1) if middle else (3, 3))], generator=generator)
    mid = torch.randn([2, 2, 3, 3], generator=generator) if middle else None
    up = torch.randn([5, 2, 1, 1], generator=generator)
    y = nn.functional.conv2d(x, down)
    y = y if mid is None else nn.functional.conv2d(y, mid)
    y = nn.functional.conv2d(y, up)
    convolutions.append({"form": form, "x": whole(x), "down": whole(down), "mid": None if mid is None else whole(mid), "up": whole(up), "y": whole(y)})

tolerance = "2e-6 of the greatest magnitude: sums of few float32 products in another order"
OUT.write_text(json.dumps({**header("adapters_golden.py", tolerance, torch=torch.__version__, peft=peft.__version__), "weights": weights, "cases": cases, "convolutions": convolutions}) + "\n")
for case in cases:
    print(case["name"], {key: value["shape"] for key, value in case["file"].items()})
