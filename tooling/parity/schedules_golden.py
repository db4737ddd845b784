"""Golden values of spacings: k-diffusion's get_sigmas_* and its discrete schedule in float64, and scipy's beta distribution.

pip install torch k-diffusion scipy mpmath; python tooling/parity/schedules_golden.py
"""
import importlib.metadata
import json
import pathlib
import sys
import types

import mpmath
import numpy
import scipy
import torch
from scipy import stats

from golden import ROOT, header

# The package's own __init__ wants its training dependencies; only two modules are of use here.
stub = types.ModuleType("k_diffusion.utils")
package = types.ModuleType("k_diffusion")
package.__path__ = [str(pathlib.Path(importlib.metadata.distribution("k-diffusion").locate_file("k_diffusion")))]
package.utils = stub
sys.modules.update({"k_diffusion": package, "k_diffusion.utils": stub})

from k_diffusion import external, sampling  # noqa: E402

torch.set_default_dtype(torch.float64)
mpmath.mp.dps = 40

STEPS = [1, 2, 5, 10, 18, 40]
RANGES = [(0.0291675, 14.614642), (0.002, 80.0)]
FUNCTIONS = {
    "karras": (sampling.get_sigmas_karras, {"rho": 7.0}),
    "exponential": (sampling.get_sigmas_exponential, {}),
    "polyexponential": (sampling.get_sigmas_polyexponential, {"rho": 1.7}),
}


def numbers(tensor):
    return [float(f"{value:.16g}") for value in tensor.tolist()]


def sigmas():
    cases = []
    for name, (function, options) in FUNCTIONS.items():
        for low, high in RANGES:
            for steps in STEPS:
                cases.append({"name": name, "steps": steps, "sigmaMin": low, "sigmaMax": high, "options": options, "sigmas": numbers(function(steps, low, high, **options))})
    for steps in STEPS:
        cases.append({"name": "vp", "steps": steps, "options": {}, "sigmas": numbers(sampling.get_sigmas_vp(steps))})
        cases.append({"name": "vp", "steps": steps, "options": {"betaD": 9.9, "betaMin": 0.2, "epsilon": 1e-4}, "sigmas": numbers(sampling.get_sigmas_vp(steps, beta_d=9.9, beta_min=0.2, eps_s=1e-4))})
    return cases


def discrete():
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
    schedule = external.DiscreteEpsDDPMDenoiser(torch.nn.Identity(), torch.cumprod(1 - betas, 0), quantize=False)
    return [{"name": "normal", "steps": steps, "sigmas": numbers(schedule.get_sigmas(steps))} for steps in STEPS]


def quantiles():
    rows = []
    for a, b in [(0.6, 0.6), (1.0, 1.0), (2.0, 5.0), (0.3, 4.0), (50.0, 80.0)]:
        for p in [1e-6, 0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999]:
            scipys = float(stats.beta.ppf(p, a, b))
            exact = mpmath.exp(mpmath.findroot(lambda u: mpmath.log(mpmath.betainc(a, b, 0, mpmath.exp(u), regularized=True) / mpmath.mpf(p)), mpmath.log(scipys)))
            share = mpmath.betainc(a, b, 0, mpmath.mpf(p), regularized=True)
            rows.append({"p": p, "a": a, "b": b, "scipy": scipys, "quantile": float(mpmath.re(exact)), "share": float(share)})
    return rows


def timesteps():
    """The rule of arXiv:2407.12173 on 1000 steps, by scipy and numpy."""
    return [{"steps": n, "timesteps": [int(t) for t in numpy.rint(stats.beta.ppf(1 - numpy.linspace(0, 1, n, endpoint=False), 0.6, 0.6) * 999)]} for n in [1, 4, 10, 20, 50]]


target = ROOT / "packages/core-schedules/test/golden/spacings.json"
target.parent.mkdir(exist_ok=True)
versions = {"torch": torch.__version__, "k-diffusion": importlib.metadata.version("k-diffusion"), "scipy": scipy.__version__, "mpmath": mpmath.__version__}
content = {**header("schedules_golden.py", 1e-11, **versions), "sigmas": sigmas(), "discrete": discrete(), "quantiles": quantiles(), "betaTimesteps": timesteps()}
target.write_text(json.dumps(content, separators=(",", ":")) + "\n")
print(f"{target.relative_to(ROOT)}: {target.stat().st_size} bytes")
