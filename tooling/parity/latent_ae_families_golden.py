"""Regenerates packages/latent-ae/test/golden/{autoencoder-tiny,vq-model,autoencoder-dc}.json.

Run: python tooling/parity/latent_ae_families_golden.py
Needs: torch 2.13 (CPU), diffusers 0.42.
Tiny autoencoders in float64, whose weights and inputs follow from names (by_rule.py): latents, pictures, gradients, parameters of true sizes.
"""
import json

import diffusers
import torch
from diffusers import AutoencoderDC, AutoencoderTiny, VQModel

from by_rule import fill, numbers, record, weight
from golden import ROOT, header

OUT = ROOT / "packages/latent-ae/test/golden"
TWO = dict(down_block_types=["DownEncoderBlock2D"] * 2, up_block_types=["UpDecoderBlock2D"] * 2, block_out_channels=[8, 16], norm_num_groups=4)
DC = dict(latent_channels=4, attention_head_dim=4, encoder_block_types=["ResBlock", "EfficientViTBlock"], decoder_block_types=["ResBlock", "EfficientViTBlock"],
          encoder_block_out_channels=[8, 16], decoder_block_out_channels=[8, 16], encoder_layers_per_block=[1, 1], decoder_layers_per_block=[1, 2],
          encoder_qkv_multiscales=[[], [5]], decoder_qkv_multiscales=[[], [5]])
# class, config, sides of the pictures, sides of the latents
CASES = {
    "autoencoder-tiny": {
        "two-levels": (AutoencoderTiny, dict(encoder_block_out_channels=[6, 6], decoder_block_out_channels=[6, 6], num_encoder_blocks=[1, 2], num_decoder_blocks=[2, 1]), (8, 10), (4, 5)),
        "odd-sides": (AutoencoderTiny, dict(encoder_block_out_channels=[4] * 3, decoder_block_out_channels=[8] * 3, num_encoder_blocks=[0, 1, 1], num_decoder_blocks=[1, 0, 1],
                                            in_channels=1, out_channels=2, latent_channels=16, act_fn="gelu", latent_magnitude=2, latent_shift=0.25), (9, 7), (2, 3)),
        "bilinear": (AutoencoderTiny, dict(encoder_block_out_channels=[4, 4], decoder_block_out_channels=[4, 4], num_encoder_blocks=[1, 1], num_decoder_blocks=[1, 1],
                                           upsample_fn="bilinear", act_fn="silu", scaling_factor=0.5, shift_factor=0.1), (6, 6), (3, 1)),
        "one-level": (AutoencoderTiny, dict(encoder_block_out_channels=[4], decoder_block_out_channels=[4], num_encoder_blocks=[1], num_decoder_blocks=[1], act_fn="mish"), (5, 1), (1, 4)),
    },
    "vq-model": {
        "three-numbers": (VQModel, dict(TWO, layers_per_block=1, num_vq_embeddings=12), (8, 6), (4, 3)),
        "other-size-of-codes": (VQModel, dict(TWO, layers_per_block=2, num_vq_embeddings=20, vq_embed_dim=5, latent_channels=4, lookup_from_codebook=True, scaling_factor=1.0), (9, 7), (3, 3)),
        "no-attention": (VQModel, dict(block_out_channels=[8], norm_num_groups=2, num_vq_embeddings=7, mid_block_add_attention=False, act_fn="swish", in_channels=1, out_channels=2), (5, 4), (1, 6)),
    },
    "autoencoder-dc": {
        "rearranging": (AutoencoderDC, DC, (8, 12), (4, 6)),
        "strides-and-copies": (AutoencoderDC, dict(DC, downsample_block_type="conv", upsample_block_type="interpolate", decoder_conv_act_fn="silu", scaling_factor=0.41407), (6, 4), (2, 3)),
        # Three pixels are fewer than a head has numbers: there diffusers sums in the other order.
        "few-pixels": (AutoencoderDC, dict(DC, attention_head_dim=8, encoder_qkv_multiscales=[[], [3, 5]], decoder_qkv_multiscales=[[], []]), (2, 6), (1, 3)),
        "empty-first-level": (AutoencoderDC, dict(DC, encoder_block_types=["ResBlock"] * 3, decoder_block_types=["ResBlock", "ResBlock", "EfficientViTBlock"],
                                                  encoder_block_out_channels=[4, 8, 16], decoder_block_out_channels=[4, 8, 16], encoder_layers_per_block=[0, 1, 1],
                                                  decoder_layers_per_block=[0, 1, 1], encoder_qkv_multiscales=[[], [], []], decoder_qkv_multiscales=[[], [], [5]]), (8, 8), (2, 2)),
        "batch-norm": (AutoencoderDC, dict(DC, decoder_norm_types=["batch_norm", "rms_norm"], decoder_act_fns=["relu", "silu"], encoder_out_shortcut=False, decoder_in_shortcut=False,
                                           encoder_block_types="ResBlock"), (4, 4), (2, 2)),
        "batch-norm-of-attention": (AutoencoderDC, dict(DC, decoder_norm_types="batch_norm", decoder_block_types="EfficientViTBlock", decoder_qkv_multiscales=[[5], [3]]), (4, 4), (2, 4)),
    },
}
LEVELS = dict(down_block_types=["DownEncoderBlock2D"] * 3, up_block_types=["UpDecoderBlock2D"] * 3, block_out_channels=[128, 256, 512], layers_per_block=2)
VIT = ["ResBlock"] * 3 + ["EfficientViTBlock"] * 3
SIZES = {
    "autoencoder-tiny": {"taesd": (AutoencoderTiny, {}), "taef1": (AutoencoderTiny, dict(latent_channels=16))},
    "vq-model": {"vq-f4": (VQModel, dict(LEVELS, num_vq_embeddings=8192))},
    "autoencoder-dc": {"sana": (AutoencoderDC, dict(encoder_block_types=VIT, decoder_block_types=VIT, downsample_block_type="Conv", upsample_block_type="interpolate"))},
}


def buffers(model, name):
    """Statistics of batch norms that follow from their names: the variances around 1."""
    for key, buffer in model.named_buffers():
        if key.endswith("running_mean"):
            buffer.copy_(weight(f"{name}/{key}", tuple(buffer.shape)))
        elif key.endswith("running_var"):
            buffer.copy_(1 + weight(f"{name}/{key}", tuple(buffer.shape)).double())


def case(name, kind, config, sides, latent_sides):
    model = fill(kind(**config), name)
    buffers(model, name)
    channels = config.get("vq_embed_dim") or model.config.latent_channels
    x = numbers(f"{name}/x", (2, model.config.in_channels, *sides)).requires_grad_()
    z = numbers(f"{name}/z", (2, channels, *latent_sides)).requires_grad_()
    extra = {}
    if kind is AutoencoderTiny:
        latent = model.encode(x).latents
        outputs = {"mode": latent, "decoded": model.decode(z).sample, "unit": model.scale_latents(z), "back": model.unscale_latents(z)}
    elif kind is VQModel:
        latent = model.encode(x).latents
        quantized, legacy, (_, _, indices) = model.quantize(z)
        model.quantize.legacy = False
        corrected = model.quantize(z)[1]
        codes = torch.arange(2 * 2 * 3).reshape(2, 2, 3) * 5 % config["num_vq_embeddings"]
        looked = model.quantize.get_codebook_entry(codes, (2, 2, 3, channels))
        decoded = model.decode(z).sample
        from_codes = model.decode(looked, force_not_quantize=True).sample if not model.config.lookup_from_codebook else model.decode(codes, force_not_quantize=True, shape=(2, 2, 3, channels)).sample
        outputs = {"mode": latent, "quantized": quantized, "legacy": legacy, "corrected": corrected, "decoded": decoded, "fromCodes": from_codes}
        extra = {"indices": indices.reshape(2, *latent_sides).tolist(), "codes": codes.tolist()}
    else:
        outputs = {"mode": model.encode(x).latent, "decoded": model.decode(z).sample}
    saved = json.loads(model.to_json_string())
    parameters = sorted(key for key in model.state_dict() if not key.endswith("num_batches_tracked"))
    return {"name": name, "config": saved, "sides": list(sides), "latentSides": list(latent_sides), "parameters": parameters, **extra, **record(name, model, {"x": x, "z": z}, outputs)}


def count(kind, config):
    with torch.device("meta"):
        return {"config": {"_class_name": kind.__name__, **config}, "parameters": sum(p.numel() for p in kind(**config).parameters())}


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for family, cases in CASES.items():
        golden = header("latent_ae_families_golden.py", {"output": 2e-5, "gradients": 1e-4, "of": "largest magnitude; norm"}, torch=torch.__version__, diffusers=diffusers.__version__)
        made = [case(name, *how) for name, how in cases.items()]
        counts = {name: count(*how) for name, how in SIZES[family].items()}
        path = OUT / f"{family}.json"
        path.write_text(json.dumps({**golden, "cases": made, "counts": counts}) + "\n")
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")


main()
