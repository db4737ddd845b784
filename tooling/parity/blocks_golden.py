"""Regenerates packages/nn/test/blocks/golden/blocks.json.

Run: python tooling/parity/blocks_golden.py
Needs: torch 2.13 (CPU), diffusers 0.42.
For each layer and block: what a seed makes of it. For each block, with other weights and in float64: its output and the gradients of
sum(output * cotangent) by its inputs and weights (those of single layers are in packages/nn/test/parity).
"""
import json

import diffusers
import torch
from diffusers.models.attention_processor import Attention
from diffusers.models.downsampling import Downsample2D
from diffusers.models.embeddings import GaussianFourierProjection, TimestepEmbedding, get_timestep_embedding
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.upsampling import Upsample2D
from torch import nn

from golden import ROOT, header, randomize, sampled, whole

OUT = ROOT / "packages/nn/test/blocks/golden/blocks.json"
SEED = 11


def attention(**options):
    return Attention(**{"query_dim": 12, "heads": 3, "dim_head": 4, "bias": True, **options})


class Masked(nn.Module):
    """Cross-attention in which the first item does not see the last two tokens of its context."""

    def __init__(self):
        super().__init__()
        self.inner = attention(cross_attention_dim=6, bias=False)
        self.register_buffer("keep", torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], dtype=torch.bool), persistent=False)

    def forward(self, x, context):
        mask = torch.zeros(self.keep.shape, dtype=x.dtype).masked_fill(~self.keep, -1e9)[:, None, :]
        return self.inner(x, encoder_hidden_states=context, attention_mask=mask.repeat_interleave(3, dim=0))


def resnet(**options):
    return ResnetBlock2D(**{"in_channels": 8, "temb_channels": 6, "groups": 4, **options})


IMAGE = [(2, 8, 4, 6)]
BLOCK = [(2, 8, 4, 6), (2, 6)]
LAYERS = {
    "linear": lambda: nn.Linear(5, 7),
    "linear-no-bias": lambda: nn.Linear(5, 7, bias=False),
    "conv-1d": lambda: nn.Conv1d(4, 6, 3, padding=1),
    "conv-2d": lambda: nn.Conv2d(4, 6, 3, padding=1),
    "conv-2d-grouped": lambda: nn.Conv2d(4, 6, (3, 2), groups=2, bias=False),
    "conv-3d": lambda: nn.Conv3d(2, 3, (2, 3, 3)),
    "conv-transpose-1d": lambda: nn.ConvTranspose1d(4, 3, 4, stride=2, padding=1),
    "conv-transpose-2d": lambda: nn.ConvTranspose2d(4, 6, 3, groups=2),
    "group-norm": lambda: nn.GroupNorm(4, 8),
    "group-norm-plain": lambda: nn.GroupNorm(2, 8, affine=False),
    "layer-norm": lambda: nn.LayerNorm(6),
    "rms-norm": lambda: nn.RMSNorm(6),
    "embedding": lambda: nn.Embedding(9, 5),
    "sequential": lambda: nn.Sequential(nn.Linear(5, 8), nn.SiLU(), nn.LayerNorm(8), nn.Linear(8, 3)),
    "self-attention": attention,
    "cross-attention": lambda: attention(cross_attention_dim=6, bias=False),
}
INITIALIZERS = {
    "xavier-uniform": nn.init.xavier_uniform_,
    "xavier-normal": nn.init.xavier_normal_,
    "kaiming-normal": nn.init.kaiming_normal_,
    "normal": lambda w: nn.init.normal_(w, mean=0.5, std=0.02),
    "uniform": lambda w: nn.init.uniform_(w, -0.25, 0.75),
}
BLOCKS = {
    "cross-attention-masked": (Masked, [(2, 4, 12), (2, 5, 6)]),
    "pixel-attention": (lambda: Attention(8, heads=2, dim_head=4, norm_num_groups=4, eps=1e-6, residual_connection=True, bias=True, rescale_output_factor=1.5,
                                          _from_deprecated_attn_block=True), IMAGE),
    "resnet-add": (lambda: resnet(out_channels=12), BLOCK),
    "resnet-scale-shift": (lambda: resnet(time_embedding_norm="scale_shift", output_scale_factor=1.25), BLOCK),
    "resnet-up": (lambda: resnet(up=True), BLOCK),
    "resnet-down": (lambda: resnet(down=True, time_embedding_norm="scale_shift"), BLOCK),
    "resnet-unconditional": (lambda: resnet(temb_channels=None, non_linearity="gelu"), IMAGE),
    "downsample": (lambda: Downsample2D(8, use_conv=True, padding=1, name="op"), IMAGE),
    "downsample-one-sided": (lambda: Downsample2D(8, use_conv=True, padding=0, name="op"), IMAGE),
    "upsample": (lambda: Upsample2D(8, use_conv=True), IMAGE),
    "embedding-mlp": (lambda: TimestepEmbedding(6, 10), [(3, 6)]),
    "fourier-features": (lambda: GaussianFourierProjection(5, scale=16, log=False), [(4,)]),
}


def inputs_for(spec, generator):
    if isinstance(spec, torch.Tensor):
        return spec
    return torch.randn(spec, generator=generator, dtype=torch.float64).float().double().requires_grad_()


def fresh(make):
    torch.manual_seed(SEED)
    return {key: sampled(value, most=6) for key, value in make().state_dict().items()}


def initialized(fill):
    torch.manual_seed(SEED)
    return sampled(fill(torch.empty(6, 4, 3, 3)))


def entry(name, make, specs, index):
    start = fresh(make)
    layer = make()
    randomize(layer.double(), index)
    generator = torch.Generator().manual_seed(index + 1000)
    inputs = [inputs_for(spec, generator) for spec in specs]
    arguments = [*inputs, None] if name == "resnet-unconditional" else inputs
    out = layer(*arguments)
    cotangent = torch.randn(out.shape, generator=generator, dtype=torch.float64).float().double()
    if out.requires_grad:
        (out * cotangent).sum().backward()
    return {
        "name": name, "fresh": start, "weights": {key: whole(value) for key, value in layer.state_dict().items()}, "inputs": [whole(x) for x in inputs],
        "output": whole(out), "cotangent": whole(cotangent), "inputGradients": [None if x.grad is None else whole(x.grad) for x in inputs],
        "gradients": {key: sampled(p.grad) for key, p in layer.named_parameters() if p.grad is not None},
    }


def sinusoidal(options, times):
    return {"options": options, "times": times, "output": whole(get_timestep_embedding(torch.tensor(times), **options))}


def main():
    golden = header("blocks_golden.py", {"float32": 2e-5, "init": 1e-6, "of": "largest magnitude"}, torch=torch.__version__, diffusers=diffusers.__version__)
    golden["seed"] = SEED
    golden["layers"] = [{"name": name, "fresh": fresh(make)} for name, make in LAYERS.items()]
    golden["initializers"] = {name: initialized(fill) for name, fill in INITIALIZERS.items()}
    golden["blocks"] = [entry(name, make, specs, i) for i, (name, (make, specs)) in enumerate(BLOCKS.items())]
    golden["sinusoidal"] = [
        sinusoidal(dict(embedding_dim=8, flip_sin_to_cos=True, downscale_freq_shift=0), [0.0, 1.0, 250.0, 999.0]),
        sinusoidal(dict(embedding_dim=9, flip_sin_to_cos=False, downscale_freq_shift=1), [0.5, 20.25]),
        sinusoidal(dict(embedding_dim=6, flip_sin_to_cos=True, downscale_freq_shift=1, scale=10, max_period=100), [0.0, 3.0]),
    ]
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
