"""What golden files ask of each denoising network: outputs and gradients with weights by rule, what a seed makes of it, how large it is."""
import torch

from by_rule import fill, numbers, record, weight
from golden import sampled


def case(model, *, name, config, inputs, given, call, extra=None):
    """What a network with weights by rule makes of inputs by rule, and the gradients of sum(output * numbers) by inputs and weights.

    `inputs` are shapes (those are differentiated), `given` fixed values, `call(model, inputs, given)` gives the output.
    """
    model = fill(model, name)
    stored = model.state_dict()
    for key, buffer in model.named_buffers():
        if key in stored:
            buffer.copy_(weight(f"{name}/{key}", tuple(buffer.shape)))
    drawn = {key: numbers(f"{name}/{key}", shape).requires_grad_() for key, shape in inputs.items()}
    out = call(model, drawn, given)
    values = {key: {"shape": list(x.shape), "values": x.flatten().tolist(), "dtype": str(x.dtype).removeprefix("torch.")} for key, x in given.items()}
    return {
        "name": name, "config": config, "inputs": {key: list(shape) for key, shape in inputs.items()}, "given": values,
        "parameters": sorted(key for key, _ in model.named_parameters()), **record(name, model, drawn, {"output": out}), **(extra or {}),
    }


def fresh(make, seed=7):
    """What a seed makes of a network."""
    torch.manual_seed(seed)
    return {"seed": seed, "parameters": {key: sampled(value, most=4) for key, value in make().state_dict().items()}}


def count(make):
    """How many parameters a network has, without making them."""
    with torch.device("meta"):
        return sum(p.numel() for p in make().parameters())
