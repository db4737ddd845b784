"""Networks of diffusers whose weights follow from a rule, so that golden files need not hold them; and what is asked of each network."""
import torch

from golden import sampled, whole

SPREAD = 0.5


def ruled(model, seed):
    """Uniform weights in [-0.25, 0.25), those of norms around 1, drawn in the order of their names: exact in float32, here and in TypeScript."""
    generator = torch.Generator().manual_seed(seed)
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name in sorted(parameters):
            parameter = parameters[name]
            drawn = (torch.rand(parameter.shape, generator=generator) - 0.5) * SPREAD
            base = 1.0 if parameter.ndim == 1 and name.endswith("weight") else 0.0
            parameter.copy_(base + drawn)
    return model


def gradient(tensor, most):
    """A sample of a gradient, and its norm, which bounds the difference that is allowed."""
    return sampled(tensor, most=most) | {"norm": tensor.double().norm().item()}


def golden_case(model, *, name, config, seed, inputs, given, call, extra=None):
    """What a network with ruled weights makes of float inputs, and the gradients of sum(output * cotangent) by inputs and weights.

    `inputs` are shapes to draw (those are differentiated), `given` fixed values, `call(model, inputs, given)` the output.
    """
    model = ruled(model, seed).double().eval()
    generator = torch.Generator().manual_seed(seed + 1000)
    drawn = {key: torch.randn(shape, generator=generator).double().requires_grad_() for key, shape in inputs.items()}
    out = call(model, drawn, given)
    cotangent = torch.randn(out.shape, generator=generator, dtype=torch.float32).double()
    (out * cotangent).sum().backward()
    gradients = {key: gradient(p.grad, 4) for key, p in model.named_parameters() if p.grad is not None and p.grad.abs().max() > 0}
    return {
        "name": name, "config": config, "seed": seed, "inputs": {key: whole(x) for key, x in drawn.items()},
        "given": {key: {"shape": list(x.shape), "values": x.tolist() if x.ndim == 1 else x.flatten().tolist(), "dtype": str(x.dtype).removeprefix("torch.")} for key, x in given.items()},
        "output": whole(out), "cotangent": whole(cotangent), "inputGradients": {key: gradient(x.grad, 16) for key, x in drawn.items()},
        "parameters": sorted(key for key, _ in model.named_parameters()), "gradients": gradients, **(extra or {}),
    }


def fresh(make, seed=7):
    """What a seed makes of a network."""
    torch.manual_seed(seed)
    return {"seed": seed, "parameters": {key: sampled(value, most=4) for key, value in make().state_dict().items()}}


def count(make):
    """How many parameters a network has, without making them."""
    with torch.device("meta"):
        return sum(p.numel() for p in make().parameters())
