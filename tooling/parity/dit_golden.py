"""Regenerates packages/backbones/test/golden/dit.{json,safetensors}.

Run: python tooling/parity/dit_golden.py
Needs: torch 2.13 (CPU), diffusers 0.42, safetensors 0.6 or newer.
Tiny transformers in float64 (but for the features of time, which diffusers computes in float32): outputs, and the gradients of
sum(output * cotangent). Then what a seed makes of a fresh network.
"""
import json

import diffusers
import torch
from diffusers import DiTTransformer2DModel
from safetensors.torch import save_file

from golden import ROOT, header, randomize, sampled, weights16, whole

OUT = ROOT / "packages/backbones/test/golden"
CONFIGS = {
    "patch-2": dict(num_attention_heads=2, attention_head_dim=4, in_channels=4, out_channels=8, num_layers=2, sample_size=8, patch_size=2, num_embeds_ada_norm=3),
    "patch-4": dict(num_attention_heads=3, attention_head_dim=4, in_channels=1, num_layers=2, sample_size=16, patch_size=4, num_embeds_ada_norm=2, attention_bias=False,
                    activation_fn="gelu-approximate", norm_elementwise_affine=True, norm_eps=1e-6, dropout=0.1),
}


def make(config):
    return DiTTransformer2DModel(**config)


def case(name, config, weights, seed):
    model = randomize(make(config).double(), seed).eval()
    weights.update({f"{name}/{key}": value for key, value in weights16(model).items()})
    generator = torch.Generator().manual_seed(seed + 1000)
    # The second case has another grid than the network was made for: positions are stretched.
    side = 8
    x = torch.randn(2, config["in_channels"], side, side, generator=generator, dtype=torch.float64).float().double().requires_grad_()
    time, labels = torch.tensor([2.0, 37.25]), torch.tensor([config["num_embeds_ada_norm"], 1])
    out = model(x, timestep=time, class_labels=labels).sample
    cotangent = torch.randn(out.shape, generator=generator, dtype=torch.float64).float().double()
    (out * cotangent).sum().backward()
    gradients = {key: sampled(p.grad, most=6) for key, p in model.named_parameters() if p.grad is not None}
    return {"name": name, "config": config, "x": whole(x), "time": time.tolist(), "labels": labels.tolist(), "output": whole(out), "cotangent": whole(cotangent),
            "inputGradient": whole(x.grad), "gradients": gradients}


def fresh(name, config):
    torch.manual_seed(7)
    return {"name": name, "seed": 7, "config": config, "parameters": {key: sampled(value, most=4) for key, value in make(config).state_dict().items()}}


def main():
    weights = {}
    cases = [case(name, config, weights, seed) for seed, (name, config) in enumerate(CONFIGS.items())]
    golden = header("dit_golden.py", {"float64": 1e-5, "float32": 1e-4, "init": 1e-6, "of": "largest magnitude"}, torch=torch.__version__, diffusers=diffusers.__version__)
    golden |= {"cases": cases, "fresh": [fresh(name, config) for name, config in CONFIGS.items()]}
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "dit.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    save_file(weights, OUT / "dit.safetensors", metadata={"script": golden["script"], "date": golden["date"]})
    (OUT / "dit.safetensors").chmod(0o644)


if __name__ == "__main__":
    main()
