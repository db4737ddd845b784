"""Numbers that follow from a name, the same to the last bit in Python and in TypeScript: golden files then carry no weights and no inputs.

The number at an index of a name is a hash of both, as a uniform number of variance 1. `testing/by-rule.ts` of nn has the same rule. A weight of two or
more axes is divided by the root of its inputs, the scale of a norm is 1 + 0.2 u, every other list 0.1 u.
"""
import numpy as np
import torch

from golden import sampled

U32 = np.uint32


def _seed(name):
    h = 2166136261
    for byte in name.encode():
        h = ((h ^ byte) * 16777619) & 0xFFFFFFFF
    return h


def uniform(name, shape):
    """Uniform within the root of 3, float64 numbers that float32 does not hold yet."""
    count = int(np.prod(shape)) if len(shape) else 1
    with np.errstate(over="ignore"):
        h = np.arange(count, dtype=U32) * U32(0x9E3779B9) + U32(_seed(name))
        h = (h ^ (h >> U32(16))) * U32(0x85EBCA6B)
        h = (h ^ (h >> U32(13))) * U32(0xC2B2AE35)
        h = h ^ (h >> U32(16))
    u = (h >> U32(8)).astype(np.float64) / 2**24 * 2 - 1
    return (u * np.sqrt(3.0)).reshape(shape)


def numbers(name, shape):
    """As a float64 tensor of float32 numbers."""
    return torch.from_numpy(uniform(name, shape).astype(np.float32)).double()


def weight(name, shape):
    u = uniform(name, shape)
    if len(shape) >= 2:
        u = u / np.sqrt(float(np.prod(shape[1:])))
    elif name.endswith("weight"):
        u = 1 + 0.2 * u
    else:
        u = 0.1 * u
    return torch.from_numpy(np.asarray(u, dtype=np.float32))


def fill(model, case):
    """A model in float64 whose float32 weights follow from the name of a case and their own."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(weight(f"{case}/{name}", tuple(parameter.shape)))
    return model.double().eval()


def projected(case, name, gradient):
    """[the product with numbers of variance 1, the norm]: an error of a gradient shows in the first as large as it is."""
    direction = numbers(f"{case}/direction/{name}", tuple(gradient.shape))
    return [float(f"{value:.9g}") for value in ((gradient.double() * direction).sum().item(), gradient.double().norm().item())]


def record(case, model, inputs, outputs):
    """What a golden file keeps of a network: outputs, and gradients of the sum of outputs times numbers that follow from their names."""
    sum((value * numbers(f"{case}/cotangent/{key}", tuple(value.shape))).sum() for key, value in outputs.items()).backward()
    return {
        "outputs": {key: sampled(value, most=64) for key, value in outputs.items()},
        "inputGradients": {key: projected(case, key, value.grad) for key, value in inputs.items() if value.requires_grad},
        "gradients": {key: projected(case, key, p.grad) for key, p in model.named_parameters() if p.grad is not None},
    }
