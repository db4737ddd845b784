"""What the golden files of layers and networks have in common: provenance, samples of large tensors, reproducible weights."""
import datetime
import pathlib

import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]


def header(script, tolerance, **versions):
    return {"script": f"tooling/parity/{script}", "versions": versions, "date": datetime.date.today().isoformat(), "tolerance": tolerance}


def digits(flat):
    """Nine digits: enough for any float32, and a fraction of what float64 prints."""
    return [float(f"{value:.9g}") for value in flat.tolist()]


def sampled(tensor, most=16):
    """Every `stride`-th element, the sum and the sum of magnitudes of a tensor."""
    flat = tensor.detach().flatten().double()
    stride = max(1, flat.numel() // most) | 1
    return {"shape": list(tensor.shape), "stride": stride, "values": digits(flat[::stride]), "sum": flat.sum().item(), "absSum": flat.abs().sum().item()}


def whole(tensor):
    return {"shape": list(tensor.shape), "values": digits(tensor.detach().flatten())}


def randomize(model, seed, scale=0.2):
    """Weights away from their special starting values (zeros, ones) that float16 holds exactly, so that files stay small."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64) * scale
            base = 1.0 if parameter.ndim == 1 and name.endswith("weight") else 0.0
            parameter.copy_((base + noise).to(torch.float16))
    return model


def weights16(model):
    return {name: tensor.detach().to(torch.float16).contiguous() for name, tensor in model.state_dict().items()}
