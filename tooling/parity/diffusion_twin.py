"""The PyTorch twin of `langevin train`: diffusers' own networks, torch's Adam, the same configurations.

    python tooling/parity/diffusion_twin.py steps <folder>
    python tooling/parity/diffusion_twin.py train <config.json> --folder <run> --steps <n> [--minutes <n>] [--start <file>]
    python tooling/parity/diffusion_twin.py time <config.json>

`steps` repeats the first steps of a training run that `npm run evidence -- quality` wrote down (weights, pictures, noise, levels, labels) and
writes losses and the first gradients beside them. `train` trains with random numbers of its own, goes on from its checkpoint where there is
one, and leaves the moving average as a model folder in the layout of diffusers; with `--start` it has the initial weights of that
safetensors file, and takes the items of the data in its `order`. `time` prints milliseconds of a step
for each line on its standard input, after the number of its parameters.

Needs: torch 2.13 (CPU), diffusers 0.42, safetensors, numpy, scipy.
"""
import argparse
import json
import math
import pathlib
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import DiTTransformer2DModel, UNet2DModel
from safetensors.torch import load_file, save_file
from scipy.optimize import brentq

import diffusion_twin_data as data
import diffusion_twin_noise as noise


CHECKPOINT_EVERY = 200


class Twin(torch.nn.Module):
    """A network of diffusers on squares of pixels: `patch * patch` pixels become channels, as torch's pixel_unshuffle has them."""

    def __init__(self, backbone, patch):
        super().__init__()
        config = {key: value for key, value in backbone.items() if key != "_class_name"}
        classes = {"UNet2DModel": UNet2DModel, "DiTTransformer2DModel": DiTTransformer2DModel}
        self.inner = classes[backbone["_class_name"]](**config)
        self.takes_labels = backbone["_class_name"] != "UNet2DModel" or config.get("num_class_embeds") is not None
        self.patch = patch
        for module in self.inner.modules():
            # DiT drops labels on its own accord; here the training step does, for all networks alike.
            if hasattr(module, "dropout_prob"):
                module.dropout_prob = 0

    def forward(self, x, time, labels):
        h = F.pixel_unshuffle(x, self.patch)
        y = self.inner(h, time, class_labels=labels if self.takes_labels else None).sample
        return F.pixel_shuffle(y, self.patch)

    def initialise(self):
        """Zeros in the last layer of the network, of each residual block and of each attention, as Ho et al. 2020 begin."""
        for name, module in self.inner.named_modules():
            if name == "conv_out" or name.endswith((".conv2", ".to_out.0")):
                torch.nn.init.zeros_(module.weight)
                torch.nn.init.zeros_(module.bias)


def none_label(config):
    """The label that stands for none: the row behind those of the classes."""
    backbone = config["backbone"]
    return backbone["num_embeds_ada_norm"] if "num_embeds_ada_norm" in backbone else backbone.get("num_class_embeds", 1) - 1


def optimizer_of(parameters, config):
    chosen = config["optimizer"]
    kind = {"adam": torch.optim.Adam, "adamW": torch.optim.AdamW}[chosen["name"]]
    decay = {} if chosen.get("weightDecay") is None else {"weight_decay": chosen["weightDecay"]}
    return kind(parameters, lr=chosen["learningRate"], betas=tuple(chosen.get("betas", (0.9, 0.999))), eps=1e-8, **decay)


def rate_at(step, config):
    """The learning rate of a step, counted from 0."""
    chosen = config["optimizer"]
    rate = chosen["learningRate"]
    if chosen.get("cosineSteps"):
        rate *= (1 + math.cos(math.pi * min(step / chosen["cosineSteps"], 1))) / 2
    warm = chosen.get("warmUp", 0)
    return rate * (1 if warm == 0 else min((step + 1) / warm, 1))


def decay_at(step, config):
    """How much of the moving average survives a step, counted from 1."""
    average = config["average"]
    if "decay" in average:
        return average["decay"]
    if "std" in average:
        # Karras et al. 2024 (arXiv:2312.02696), section 3.1: the profile t^gamma of this relative width.
        std = average["std"]
        gamma = brentq(lambda g: (g + 1) / ((g + 2) ** 2 * (g + 3)) - std**2, 0, 1e6)
        return (1 - 1 / step) ** (gamma + 1)
    life = min(average["halfLifeImages"], (step - 1) * config["batchSize"] * 0.05)
    return 0.5 ** (config["batchSize"] / max(life, 1e-8))


def loss_of(model, x0, unit, coefficients, labels):
    c = {key: torch.from_numpy(value.astype(np.float32)) for key, value in coefficients.items()}
    image = lambda key: c[key][:, None, None, None]
    x = image("alpha") * x0 + image("sigma") * unit
    output = model(image("cIn") * x, c["cNoise"], labels)
    target = image("targetX0") * x0 + image("targetNoise") * unit
    return F.mse_loss(output, target)


def update(model, optimizer, loss, step, config):
    """One step of the optimiser; the norm of the gradients before clipping."""
    optimizer.zero_grad()
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), config.get("clipNorm") or math.inf)
    for group in optimizer.param_groups:
        group["lr"] = rate_at(step, config)
    optimizer.step()
    return norm.item()


def steps(folder):
    """Repeats recorded steps: `config.json`, `weights.safetensors`, and what each step drew in `batches.safetensors` and `levels.json`."""
    folder = pathlib.Path(folder)
    config = json.loads((folder / "config.json").read_text())
    drawn = load_file(folder / "batches.safetensors")
    levels = json.loads((folder / "levels.json").read_text())
    model = Twin(config["backbone"], config.get("patch", 1))
    model.inner.load_state_dict(load_file(folder / "weights.safetensors"))
    model.train()
    recipe = noise.recipe(config.get("noise", {}))
    optimizer = optimizer_of(model.parameters(), config)
    losses, norms = [], []
    for step, uniforms in enumerate(levels):
        part = {key: drawn[f"{step}.{key}"] for key in ("x0", "noise", "labels", "dropout")}
        dropped = part["dropout"] < config.get("dropout", {}).get("label", 0)
        labels = torch.where(dropped, none_label(config), part["labels"].long())
        coefficients = recipe.coefficients(np.array(uniforms))
        loss = loss_of(model, part["x0"], part["noise"], coefficients, labels)
        norms.append(update(model, optimizer, loss, step, config))
        losses.append(loss.item())
        if step == 0:
            save_file({name: p.grad.contiguous() for name, p in model.inner.named_parameters()}, folder / "twin-gradients.safetensors")
    save_file({name: p.detach().contiguous() for name, p in model.inner.named_parameters()}, folder / "twin-weights.safetensors")
    (folder / "twin.json").write_text(json.dumps({"torch": torch.__version__, "losses": losses, "norms": norms}))


def identity(config):
    """What makes a training this one: all of its configuration but the place of the data, which differs between checkouts."""
    data_without_place = {key: value for key, value in config["data"].items() if key != "folder"}
    return json.dumps({**config, "data": data_without_place}, sort_keys=True)


class Training:
    """A training and its random numbers; all of it is in its checkpoint, so that what was ended goes on as if it had not been."""

    def __init__(self, config):
        if config.get("accumulate", 1) != 1:
            raise SystemExit("[twin/train] accumulation is not known here: accumulate > 1. Use a larger batch.")
        torch.manual_seed(config["seed"])
        self.config = config
        self.model = Twin(config["backbone"], config.get("patch", 1))
        self.model.initialise()
        self.model.train()
        self.average = {name: p.detach().clone() for name, p in self.model.inner.named_parameters()}
        self.optimizer = optimizer_of(self.model.parameters(), config)
        self.recipe = noise.recipe(config.get("noise", {}))
        self.generator = np.random.Generator(np.random.PCG64(config["seed"]))
        self.step, self.place, self.seconds = 0, (0, 0), 0.0

    def begin_with(self, weights):
        self.model.inner.load_state_dict(weights)
        self.average = {name: p.detach().clone() for name, p in self.model.inner.named_parameters()}

    def one(self, images, targets, numbers, place):
        """One step; its loss and the norm of its gradients."""
        config, generator, count = self.config, self.generator, len(numbers)
        x0 = torch.from_numpy(images[numbers].astype(np.float32) / 127.5 - 1)
        if config.get("flip", "none") == "horizontal":
            mirrored = torch.from_numpy(generator.random(count) < 0.5)[:, None, None, None]
            x0 = torch.where(mirrored, x0.flip(3), x0)
        dropped = torch.from_numpy(generator.random(count) < config.get("dropout", {}).get("label", 0))
        labels = torch.where(dropped, none_label(config), torch.from_numpy(targets[numbers]))
        coefficients = self.recipe.coefficients(noise.stratified(count, generator))
        loss = loss_of(self.model, x0, torch.randn(x0.shape), coefficients, labels)
        norm = update(self.model, self.optimizer, loss, self.step, config)
        self.step, self.place = self.step + 1, place
        share = 1 - decay_at(self.step, config)
        with torch.no_grad():
            for name, p in self.model.inner.named_parameters():
                self.average[name].lerp_(p, share)
        if not math.isfinite(loss.item()):
            raise SystemExit(f"[twin/train] loss is not finite: step={self.step}.")
        return loss.item(), norm

    def save(self, path):
        """Whole or not at all."""
        state = dict(config=identity(self.config), params=self.model.inner.state_dict(), optimizer=self.optimizer.state_dict(),
                     average=self.average, step=self.step, place=list(self.place), seconds=self.seconds,
                     generator=json.dumps(self.generator.bit_generator.state), torch=torch.get_rng_state())
        unfinished = path.with_suffix(".part")
        torch.save(state, unfinished)
        unfinished.replace(path)

    def load(self, path):
        state = torch.load(path, weights_only=True)
        if state["config"] != identity(self.config):
            raise SystemExit(f"[twin/train] the checkpoint is of another configuration: checkpoint={path}. Choose another folder.")
        self.model.inner.load_state_dict(state["params"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average, self.step, self.place, self.seconds = state["average"], state["step"], tuple(state["place"]), state["seconds"]
        self.generator.bit_generator.state = json.loads(state["generator"])
        torch.set_rng_state(state["torch"])


def train(config_path, folder, total, minutes, start):
    config = json.loads(pathlib.Path(config_path).read_text())
    started = time.monotonic()
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    training = Training(config)
    given = load_file(start) if start else {}
    listed = given.pop("order", None)
    if given:
        training.begin_with(given)
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.exists():
        training.load(checkpoint)
    images, targets = data.load(config["data"])
    if listed is None:
        order = data.batches(len(images), config["batchSize"], config["seed"], *training.place)
    else:
        order = data.in_order(listed.numpy(), config["batchSize"], training.step)
    spent = training.seconds
    with (folder / "log.jsonl").open("a") as log:
        while training.step < total and (minutes is None or time.monotonic() - started < 60 * minutes):
            loss, norm = training.one(images, targets, *next(order))
            training.seconds = spent + time.monotonic() - started
            if training.step % 10 == 0 or training.step == total:
                log.write(json.dumps({"step": training.step, "loss": loss, "gradNorm": norm}) + "\n")
                log.flush()
            if training.step % CHECKPOINT_EVERY == 0:
                training.save(checkpoint)
    training.save(checkpoint)
    export(folder / "model", training.model, training.average, config)
    print(json.dumps({"step": training.step, "steps": total, "seconds": round(training.seconds, 1)}))


def export(folder, model, average, config):
    """A model folder: network and weights as diffusers names them, and how noise entered the training."""
    name = config["backbone"]["_class_name"]
    component = "unet" if name.startswith("UNet") else "transformer"
    (folder / component).mkdir(parents=True, exist_ok=True)
    weights = {key: average.get(key, value).contiguous() for key, value in model.inner.state_dict().items()}
    save_file(weights, folder / component / "diffusion_pytorch_model.safetensors", metadata={"format": "pt"})
    (folder / component / "config.json").write_text(json.dumps(config["backbone"], indent=2) + "\n")
    none = none_label(config)
    labels = {"classes": [str(label) for label in range(none)], "none": none}
    (folder / "labels.json").write_text(json.dumps(labels, indent=2) + "\n")
    index = {"_class_name": "ImageDiffusionPipeline", component: ["diffusers", name], "patch": config.get("patch", 1), "noise": config.get("noise", {})}
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")


def times(config_path):
    config = json.loads(pathlib.Path(config_path).read_text())
    model = Twin(config["backbone"], config.get("patch", 1)).train()
    optimizer = optimizer_of(model.parameters(), config)
    recipe = noise.recipe(config.get("noise", {}))
    backbone = config["backbone"]
    side, channels, patch = backbone["sample_size"], backbone["in_channels"], config.get("patch", 1)
    x0 = torch.randn(config["batchSize"], channels // patch**2, side * patch, side * patch)
    average = {name: p.detach().clone() for name, p in model.inner.named_parameters()}
    print(json.dumps({"torch": torch.__version__, "parameters": sum(p.numel() for p in model.parameters())}), flush=True)
    generator = np.random.Generator(np.random.PCG64(0))
    labels = torch.zeros(len(x0), dtype=torch.long)
    for step, _ in enumerate(sys.stdin):
        start = time.perf_counter()
        loss = loss_of(model, x0, torch.randn(x0.shape), recipe.coefficients(noise.stratified(len(x0), generator)), labels)
        update(model, optimizer, loss, step, config)
        with torch.no_grad():
            for name, p in model.inner.named_parameters():
                average[name].lerp_(p, 0.01)
        print(json.dumps({"ms": 1000 * (time.perf_counter() - start)}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=0, help="0: torch's own choice")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("steps").add_argument("folder")
    timed = commands.add_parser("time")
    timed.add_argument("config")
    trained = commands.add_parser("train")
    trained.add_argument("config")
    trained.add_argument("--folder", required=True)
    trained.add_argument("--steps", type=int, required=True)
    trained.add_argument("--minutes", type=float)
    trained.add_argument("--start", help="safetensors file with initial weights and `order`")
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    if given.command == "steps":
        steps(given.folder)
    elif given.command == "time":
        times(given.config)
    else:
        train(given.config, given.folder, given.steps, given.minutes, given.start)


if __name__ == "__main__":
    main()
