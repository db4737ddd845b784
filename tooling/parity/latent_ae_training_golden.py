"""Regenerates packages/latent-ae/test/golden/training-step.json.

Run: python tooling/parity/latent_ae_training_golden.py
Needs: torch 2.13 (CPU), diffusers 0.42.
One training step of an autoencoder with a patch discriminator (autoencoder_twin.py) by plain gradient descent in float64, whose weights, inputs and noise
follow from names (by_rule.py).
"""
import json

import diffusers
import torch
from diffusers import AutoencoderKL, VQModel

from autoencoder_twin import Discriminator, balance, divergence, hinge
from by_rule import fill, numbers, projected, weight
from golden import ROOT, header

OUT = ROOT / "packages/latent-ae/test/golden/training-step.json"
TWO = dict(block_out_channels=[8, 8], down_block_types=["DownEncoderBlock2D"] * 2, up_block_types=["UpDecoderBlock2D"] * 2, norm_num_groups=4, layers_per_block=1)
SHAPE = (2, 3, 16, 16)
CASES = {
    "kl": dict(klass=AutoencoderKL, config=TWO, weight=1e-2, discriminator=0.5, r1=0.0, variance="learned", loss="l1"),
    "codes": dict(klass=VQModel, config=dict(TWO, num_vq_embeddings=8, latent_channels=2), weight=1.0, discriminator=0.75, r1=3.0, variance="fixed", loss="l2"),
    "alone": dict(klass=AutoencoderKL, config=TWO, weight=1.0, discriminator=None, r1=0.0, variance="fixed", loss="l2"),
}
RATE = 0.01
CHANNELS, LAYERS = 4, 1


def encode_decode(name, model, how, x):
    """Reconstruction, and the penalty of each item as a sum over its elements."""
    elements = x[0].numel()
    if how["klass"] is AutoencoderKL:
        posterior = model.encode(x).latent_dist
        noise = numbers(f"{name}/posterior", tuple(posterior.mean.shape))
        return model.decode(posterior.mean + posterior.std * noise).sample, how["weight"] * divergence(posterior)
    z = model.encode(x).latents
    book = model.quantize.embedding.weight
    rows = z.permute(0, 2, 3, 1)
    index = ((rows.unsqueeze(-2) - book) ** 2).sum(-1).argmin(-1)
    code = book[index].permute(0, 3, 1, 2)
    pull = 0.25 * ((code.detach() - z) ** 2).mean() + ((code - z.detach()) ** 2).mean()
    straight = z + (code - z).detach()
    return model.decoder(model.post_quant_conv(straight)), (how["weight"] * pull * elements).expand(len(x))


def case(name, how):
    model = fill(how["klass"](**how["config"]), name)
    critic = Discriminator(3, CHANNELS, LAYERS)
    with torch.no_grad():
        for key, parameter in critic.named_parameters():
            parameter.copy_(weight(f"{name}/discriminator/{key}", tuple(parameter.shape)))
    critic = critic.double().train()
    x = numbers(f"{name}/x", SHAPE)
    log_variance = torch.zeros((), dtype=torch.float64, requires_grad=how["variance"] == "learned")
    made, penalty = encode_decode(name, model, how, x)
    distance = ((x - made).abs() if how["loss"] == "l1" else (x - made) ** 2).mean()
    elements = x[0].numel()
    likelihood = elements * (distance / log_variance.exp() + log_variance)
    total, logged = likelihood + penalty.mean(), {"reconstruction": distance.item(), "loss": ((likelihood + penalty.mean()) / elements).item()}
    if how["discriminator"] is not None:
        adversarial = -critic(made).mean()
        share = balance(likelihood, adversarial, model.decoder.conv_out.weight) * how["discriminator"]
        total = total + share * adversarial
        logged |= {"adversarial": adversarial.item(), "adversarialWeight": share.item()}
    trained = [*model.named_parameters()] + ([("logVariance", log_variance)] if log_variance.requires_grad else [])
    gradients = dict(zip([key for key, _ in trained], torch.autograd.grad(total, [p for _, p in trained], retain_graph=True, allow_unused=True)))
    result = {"name": name, "config": json.loads(model.to_json_string()), "logged": logged}
    result["steps"] = {key: projected(name, key, -RATE * value) for key, value in gradients.items() if value is not None}
    if how["discriminator"] is None:
        return result
    # The statistics have seen the reconstructions once, for the autoencoder's own loss.
    for stage in critic.stages:
        if hasattr(stage, "norm"):
            stage.norm.reset_running_stats()
    real_x = x.clone().requires_grad_()
    real, fake = critic(real_x), critic(made.detach())
    verdict = hinge(real, fake)
    loss = verdict
    if how["r1"] > 0:
        (slope,) = torch.autograd.grad(real.mean([1, 2, 3]).sum(), real_x, create_graph=True)
        loss = loss + how["r1"] / 2 * (slope**2).sum([1, 2, 3]).mean()
    loss.backward()
    result["logged"] |= {"discriminator": verdict.item(), "real": real.mean().item(), "made": fake.mean().item()}
    result["discriminatorSteps"] = {key: projected(name, f"discriminator/{key}", -RATE * p.grad) for key, p in critic.named_parameters()}
    result["running"] = {f"{i}": {"mean": stage.norm.running_mean.tolist(), "var": stage.norm.running_var.tolist()} for i, stage in enumerate(s for s in critic.stages if hasattr(s, "norm"))}
    return result


golden = header("latent_ae_training_golden.py", {"logged": 1e-5, "steps": 1e-4, "of": "its size; norm"}, torch=torch.__version__, diffusers=diffusers.__version__)
cases = [case(name, how) for name, how in CASES.items()]
OUT.write_text(json.dumps({**golden, "rate": RATE, "cases": cases}) + "\n")
print(f"{OUT.relative_to(ROOT)}: {OUT.stat().st_size} bytes")
