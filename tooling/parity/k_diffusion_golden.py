"""Regenerates packages/samplers/test/golden/k-diffusion.json: every sampling function of k-diffusion, in float64.

Run: python tooling/parity/k_diffusion_golden.py
Needs: torch 2.13 (CPU), numpy 2.4, k-diffusion 0.1.1 installed without its dependencies, and torchsde, torchdiffeq, scipy, trampoline, tqdm.

The denoiser is the closed-form one of the three-mode mixture of @langevin/core-schedules/testing. Noise is a list in the file, used
from its start in the order of the draws by every case, so that both sides see the same numbers.
"""
import datetime
import importlib.metadata
import json
import math
import pathlib
import sys
import types

import torch

# What the package imports beside sampling and does not need here.
stub = types.ModuleType("k_diffusion.utils")
stub.append_dims = lambda x, ndim: x[(...,) + (None,) * (ndim - x.ndim)]
package = types.ModuleType("k_diffusion")
package.__path__ = [str(pathlib.Path(importlib.metadata.distribution("k-diffusion").locate_file("k_diffusion")))]
package.utils = stub
sys.modules.update({"k_diffusion": package, "k_diffusion.utils": stub})
try:
    import trampoline  # noqa: F401  (torchsde's tree)
except ImportError:
    raise SystemExit("install trampoline")
from k_diffusion import sampling as k  # noqa: E402

torch.set_default_dtype(torch.float64)
OUT = pathlib.Path(__file__).resolve().parents[2] / "packages/samplers/test/golden/k-diffusion.json"
WEIGHTS, MEANS, STDS = [0.3, 0.5, 0.2], [-1.2, 0.4, 1.5], [0.25, 0.35, 0.2]
DRAWS = 48


def denoise(x, sigma):
    s = sigma.reshape(-1, *([1] * (x.ndim - 1)))
    logs, means = [], []
    for w, m, d in zip(WEIGHTS, MEANS, STDS):
        v = d * d + s * s
        logs.append(math.log(w) - (x - m) ** 2 / v / 2 - torch.log(2 * math.pi * v) / 2)
        means.append(m + d * d / v * (x - m))
    share = torch.softmax(torch.stack(logs), 0)
    return (share * torch.stack(means)).sum(0)


def full(tensor):
    """Seventeen digits name a float64."""
    return [float(f"{v:.17g}") for v in tensor.double().flatten().tolist()]


noise = torch.randn((DRAWS, 2, 3), generator=torch.Generator().manual_seed(11))
start = torch.randn((2, 3), generator=torch.Generator().manual_seed(12))

GRIDS = {
    "karras-6": k.get_sigmas_karras(6, 0.0292, 14.6146),
    "karras-13": k.get_sigmas_karras(13, 0.002, 80.0),
    "exponential-8": k.get_sigmas_exponential(8, 0.03, 10.0),
    "polyexponential-5-no-zero": k.get_sigmas_polyexponential(5, 0.1, 14.6146, rho=1.5)[:-1],
    "vp-7": k.get_sigmas_vp(7),
    "one-step": torch.tensor([5.0, 0.0]),
    "uneven": torch.tensor([20.0, 19.0, 7.0, 6.9, 1.0, 0.8, 0.05]),
}


class Recorded:
    """A noise sampler that reads the list, and remembers for which interval it was asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, sigma, sigma_next):
        self.asked.append([float(sigma), float(sigma_next)])
        return noise[len(self.asked) - 1]


def run(function, grid, options):
    sigmas = GRIDS[grid]
    recorded = Recorded()
    plain = torch.randn_like
    churns = function in ("euler", "heun", "dpm_2")
    torch.randn_like = lambda x: recorded(0.0, 0.0)
    try:
        call = getattr(k, f"sample_{function}")
        x = start * sigmas[0]
        extra = {} if churns or function in ("lms", "dpmpp_2m") else {"noise_sampler": recorded}
        info = None
        if function == "dpm_fast":
            out = call(denoise, x, float(sigmas[sigmas > 0][-1]), float(sigmas[0]), disable=True, **options, **extra)
        elif function == "dpm_adaptive":
            out, info = call(denoise, x, float(sigmas[sigmas > 0][-1]), float(sigmas[0]), disable=True, return_info=True, **options, **extra)
        else:
            out = call(denoise, x, sigmas, disable=True, **options, **extra)
    finally:
        torch.randn_like = plain
    case = {"function": function, "grid": grid, "options": options}
    if not churns and recorded.asked:
        case["intervals"] = recorded.asked
    if info is not None:
        case["info"] = {name: int(value) for name, value in info.items()}
    return {**case, "result": full(out)}


CHURN = [{}, {"s_churn": 40.0, "s_tmin": 0.05, "s_tmax": 50.0, "s_noise": 1.003}, {"s_churn": 2.0}]
SDE = [{}, {"eta": 0.0}, {"eta": 0.4, "s_noise": 1.1}]
OPTIONS = {
    "euler": CHURN, "heun": CHURN, "dpm_2": CHURN,
    "euler_ancestral": SDE, "dpm_2_ancestral": SDE, "dpmpp_2s_ancestral": SDE,
    "lms": [{}, {"order": 1}, {"order": 2}, {"order": 3}],
    "dpmpp_sde": [*SDE, {"r": 0.3}],
    "dpmpp_2m": [{}],
    "dpmpp_2m_sde": [{**o, "solver_type": t} for t in ("midpoint", "heun") for o in SDE],
    "dpmpp_3m_sde": SDE,
}
cases = []
for function, settings in OPTIONS.items():
    for grid in GRIDS:
        if grid == "one-step" and function in ("dpmpp_2m_sde", "dpmpp_3m_sde"):
            continue  # they raise UnboundLocalError there: h has no value when the first step is the last
        # Every option on two grids, the first one on all of them.
        for options in settings if grid in ("karras-6", "uneven") else settings[:1]:
            cases.append(run(function, grid, options))
for n in (3, 4, 5, 9, 10, 11):
    cases.append(run("dpm_fast", "karras-6", {"n": n}))
cases.append(run("dpm_fast", "karras-6", {"n": 11, "eta": 0.7, "s_noise": 1.02}))
# Where noise is all of it and blocks are long, their inner evaluations lie below the start of the next block.
for n in (1, 2, 3, 4, 5, 8):
    cases.append(run("dpm_fast", "karras-6", {"n": n, "eta": 1.0}))
for options in [{}, {"order": 2}, {"rtol": 0.005, "atol": 0.0007}, {"eta": 0.5}, {"pcoeff": 0.2, "icoeff": 0.7, "dcoeff": 0.1, "rtol": 0.01}]:
    cases.append(run("dpm_adaptive", "karras-6", options))


def brownian():
    """Float32, as it is used: the noise of one tree for a batch, and of one tree an image."""
    out = []
    for seeds in (7, [3, 2**40 + 1]):
        x = torch.zeros((2, 3), dtype=torch.float32)
        sampler = k.BrownianTreeNoiseSampler(x, 0.0292, 14.6146, seed=seeds)
        steps = [[14.6146, 6.5], [6.5, 2.1], [2.1, 0.73], [0.73, 0.0292], [14.6146, 2.1]]
        out.append({"seed": [str(s) for s in seeds] if isinstance(seeds, list) else str(seeds), "sigmaMin": 0.0292, "sigmaMax": 14.6146,
                    "draws": [{"from": a, "to": b, "values": [float(f"{v:.9g}") for v in sampler(torch.tensor(a, dtype=torch.float64), torch.tensor(b, dtype=torch.float64)).flatten().tolist()]} for a, b in steps]})
    return out


def likelihood():
    """log_likelihood with its Rademacher probe in the file."""
    out = []
    for sigma_min, sigma_max in ((0.02, 20.0), (0.1, 80.0)):
        torch.manual_seed(5)
        probe = torch.randint_like(start, 2) * 2 - 1
        torch.manual_seed(5)
        value, info = k.log_likelihood(denoise, start, sigma_min, sigma_max, atol=1e-10, rtol=1e-10)
        out.append({"sigmaMin": sigma_min, "sigmaMax": sigma_max, "probe": full(probe), "result": full(value), "fevals": info["fevals"]})
    return out


versions = {"torch": torch.__version__, **{name: importlib.metadata.version(name) for name in ("k-diffusion", "torchsde", "torchdiffeq", "scipy")}}
document = {
    "header": {"script": "tooling/parity/k_diffusion_golden.py", "versions": versions, "date": datetime.date.today().isoformat(), "tolerance": "1e-12 relative"},
    "start": full(start), "noise": [full(z) for z in noise], "grids": {name: full(grid) for name, grid in GRIDS.items()},
    "cases": cases, "brownian": brownian(), "logLikelihood": likelihood(),
}
OUT.parent.mkdir(parents=True, exist_ok=True)
OUT.write_text(json.dumps(document, separators=(",", ":")).replace('{"function"', '\n{"function"').replace('{"seed"', '\n{"seed"') + "\n")
print(len(cases), "cases,", OUT.stat().st_size, "bytes")
