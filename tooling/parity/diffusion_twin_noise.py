"""How noise enters the training of the twin: levels, preconditioning and loss, from the papers' formulas in float64 numpy.

A level is (alpha, sigma): x = alpha x0 + sigma epsilon. The network is told cNoise and given cIn x, and should answer
targetX0 x0 + targetNoise epsilon; the loss is the plain squared error of its answer.
"""
import numpy as np
from scipy.special import ndtri


class Edm:
    """Karras et al. 2022 (arXiv:2206.00364), table 1, column "Ours"; log sigma is normal."""

    def __init__(self, noise):
        levels = noise.get("levels", {})
        expect(levels.get("name", "log-normal"), "log-normal", "levels")
        self.mean, self.std = levels.get("mean", -1.2), levels.get("std", 1.2)
        given = noise.get("preconditioning", {})
        expect(given.get("name", "edm"), "edm", "preconditioning")
        self.sigma_data = given.get("sigmaData", 0.5)

    def coefficients(self, uniforms):
        sigma = np.exp(self.mean + self.std * ndtri(uniforms))
        data = self.sigma_data
        total = np.sqrt(sigma**2 + data**2)
        # F = (x0 - cSkip x) / cOut with cSkip = data^2 / total^2, cOut = sigma data / total.
        skip, out = data**2 / total**2, sigma * data / total
        return dict(alpha=np.ones_like(sigma), sigma=sigma, cIn=1 / total, cNoise=np.log(sigma) / 4,
                    targetX0=(1 - skip) / out, targetNoise=-skip * sigma / out)


class Ddpm:
    """Ho et al. 2020 (arXiv:2006.11239): 1,000 steps with beta from 1e-4 to 0.02, equally likely; the network predicts epsilon."""

    def __init__(self, noise):
        process = noise["process"]
        unknown = set(process) - {"name"}
        if unknown:
            raise SystemExit(f"[twin/noise] options of the chain are not known here: {sorted(unknown)}. Leave them out.")
        expect(noise.get("prediction", "epsilon"), "epsilon", "prediction")
        expect(noise.get("levels", {}).get("name", "uniform"), "uniform", "levels")
        self.alpha_bars = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))

    def coefficients(self, uniforms):
        step = np.minimum(999, np.floor(uniforms * 1000).astype(int))
        alpha_bar = self.alpha_bars[step]
        one = np.ones(len(step))
        return dict(alpha=np.sqrt(alpha_bar), sigma=np.sqrt(1 - alpha_bar), cIn=one, cNoise=step.astype(float), targetX0=0 * one, targetNoise=one)


class Flow:
    """Liu et al. 2022 (arXiv:2209.03003): x = (1 - t) x0 + t epsilon; the network predicts epsilon - x0 and is told 1000 t."""

    def __init__(self, noise):
        expect(noise.get("prediction", "flow"), "flow", "prediction")
        levels = noise.get("levels", {})
        self.kind = levels.get("name", "uniform")
        if self.kind not in ("uniform", "logit-normal"):
            raise SystemExit(f"[twin/noise] levels are not known here: levels.name={self.kind}. Known: uniform, logit-normal.")
        self.mean, self.std = levels.get("mean", 0), levels.get("std", 1)

    def coefficients(self, uniforms):
        if self.kind == "uniform":
            # Song et al. 2021 keep 1e-5 off the clean end.
            t = 1e-5 + uniforms * (1 - 1e-5)
        else:
            t = 1 / (1 + np.exp(-(self.mean + self.std * ndtri(uniforms))))
        one = np.ones_like(t)
        return dict(alpha=1 - t, sigma=t, cIn=one, cNoise=1000 * t, targetX0=-one, targetNoise=one)


KINDS = {"edm": Edm, "discrete-vp": Ddpm, "flow": Flow}


def recipe(noise):
    """The recipe that an entry `noise` of a training configuration names."""
    name = noise.get("process", {"name": "edm"})["name"]
    if name not in KINDS:
        raise SystemExit(f"[twin/noise] process is not known here: process.name={name}. Known: {', '.join(KINDS)}.")
    expect(noise.get("weight", {"name": "plain"})["name"], "plain", "weight")
    expect(noise.get("spread", "stratified"), "stratified", "spread")
    expect(noise.get("variance", "fixed"), "fixed", "variance")
    return KINDS[name](noise)


def stratified(count, generator):
    """One uniform number from each of `count` equal bands, in random order."""
    return (generator.permutation(count) + generator.random(count)) / count


def expect(found, wanted, entry):
    if found != wanted:
        raise SystemExit(f"[twin/noise] entry is not known here: noise.{entry}={found}. Known: {wanted}.")
