"""Regenerates packages/backbones/test/golden/unet2d.{json,safetensors}.

Run: python tooling/parity/unet2d_golden.py
Needs: torch 2.13 (CPU), diffusers 0.42, safetensors 0.6 or newer.
Tiny networks in float64 (but for the features of time, which diffusers computes in float32): outputs, and the gradients of
sum(output * cotangent). Then what a seed makes of a fresh network, and how many parameters published configurations have.
"""
import json

import diffusers
import torch
from diffusers import UNet2DModel
from safetensors.torch import save_file

from golden import ROOT, header, randomize, sampled, weights16, whole

OUT = ROOT / "packages/backbones/test/golden"
TINY = dict(sample_size=8, layers_per_block=1, block_out_channels=[8, 16], norm_num_groups=4)
CONFIGS = {
    "additive": dict(TINY, down_block_types=["DownBlock2D", "AttnDownBlock2D"], up_block_types=["AttnUpBlock2D", "UpBlock2D"],
                     attention_head_dim=4, flip_sin_to_cos=False, freq_shift=1),
    "ada-group-norm": dict(TINY, in_channels=4, out_channels=6, down_block_types=["AttnDownBlock2D", "DownBlock2D"], up_block_types=["UpBlock2D", "AttnUpBlock2D"],
                           attention_head_dim=8, resnet_time_scale_shift="scale_shift", downsample_type="resnet", upsample_type="resnet",
                           num_class_embeds=5, time_embedding_dim=12, dropout=0.1),
    "fourier": dict(TINY, down_block_types=["AttnDownBlock2D", "DownBlock2D"], up_block_types=["UpBlock2D", "AttnUpBlock2D"], attention_head_dim=None,
                    time_embedding_type="fourier", mid_block_scale_factor=1.4142135, downsample_padding=0, center_input_sample=True, norm_eps=1e-6,
                    class_embed_type="timestep"),
    "three-levels": dict(TINY, block_out_channels=[4, 8, 8], layers_per_block=2, down_block_types=["DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"],
                         up_block_types=["UpBlock2D", "AttnUpBlock2D", "UpBlock2D"], upsample_type="resnet", attention_head_dim=2, act_fn="gelu", add_attention=False,
                         time_embedding_type="learned", num_train_timesteps=50, class_embed_type="identity"),
    "no-middle": dict(TINY, in_channels=1, out_channels=1, mid_block_type=None, down_block_types=["DownBlock2D", "DownBlock2D"], up_block_types=["UpBlock2D", "UpBlock2D"], act_fn="relu"),
}
CIFAR10 = dict(sample_size=32, block_out_channels=[128, 256, 256, 256], down_block_types=["DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"],
               up_block_types=["UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"], attention_head_dim=None, downsample_padding=0, flip_sin_to_cos=False,
               freq_shift=1, norm_eps=1e-6)
CELEBA = dict(sample_size=256, block_out_channels=[128, 128, 256, 256, 512, 512], attention_head_dim=None, downsample_padding=0, flip_sin_to_cos=False, freq_shift=1,
              norm_eps=1e-6, down_block_types=["DownBlock2D"] * 4 + ["AttnDownBlock2D", "DownBlock2D"], up_block_types=["UpBlock2D", "AttnUpBlock2D"] + ["UpBlock2D"] * 4)


def make(config):
    return UNet2DModel(**{"in_channels": 3, "out_channels": 3, **config})


def labels_for(config, batch, generator):
    if config.get("class_embed_type") == "identity":
        return torch.randn(batch, 4 * config["block_out_channels"][0], generator=generator, dtype=torch.float64)
    if config.get("class_embed_type") == "timestep":
        return torch.tensor([1.5, 4.0])
    return torch.tensor([4, 1]) if "num_class_embeds" in config else None


def case(name, config, weights, seed):
    model = randomize(make(config).double(), seed).eval()
    weights.update({f"{name}/{key}": value for key, value in weights16(model).items()})
    generator = torch.Generator().manual_seed(seed + 1000)
    x = torch.randn(2, config.get("in_channels", 3), 4, 8, generator=generator, dtype=torch.float64).float().double().requires_grad_()
    time = torch.tensor([2, 37]) if config.get("time_embedding_type") == "learned" else torch.tensor([2.0, 37.25])
    labels = labels_for(config, 2, generator)
    out = model(x, time, class_labels=labels).sample
    cotangent = torch.randn(out.shape, generator=generator, dtype=torch.float64).float().double()
    (out * cotangent).sum().backward()
    gradients = {key: sampled(p.grad, most=6) for key, p in model.named_parameters() if p.grad is not None}
    return {"name": name, "config": config, "x": whole(x), "time": time.tolist(), "labels": None if labels is None else whole(labels), "output": whole(out),
            "cotangent": whole(cotangent), "inputGradient": whole(x.grad), "gradients": gradients}


def fresh(name, config):
    torch.manual_seed(7)
    return {"name": name, "seed": 7, "config": config, "parameters": {key: sampled(value, most=4) for key, value in make(config).state_dict().items()}}


def count(config):
    with torch.device("meta"):
        return {"config": config, "parameters": sum(p.numel() for p in make(config).parameters())}


def main():
    weights = {}
    cases = [case(name, config, weights, seed) for seed, (name, config) in enumerate(CONFIGS.items())]
    golden = header("unet2d_golden.py", {"float64": 1e-5, "float32": 1e-4, "init": 1e-6, "of": "largest magnitude"}, torch=torch.__version__, diffusers=diffusers.__version__)
    golden |= {"cases": cases, "fresh": [fresh(name, config) for name, config in CONFIGS.items()], "counts": [count(CIFAR10), count(CELEBA), count({})]}
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "unet2d.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    save_file(weights, OUT / "unet2d.safetensors", metadata={"script": golden["script"], "date": golden["date"]})
    (OUT / "unet2d.safetensors").chmod(0o644)


if __name__ == "__main__":
    main()
