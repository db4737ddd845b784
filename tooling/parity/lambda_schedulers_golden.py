"""Regenerates packages/samplers/test/golden/schedulers-{dpmsolver,lambda,edm,flow,few-step}.json from diffusers itself.

Run: python tooling/parity/lambda_schedulers_golden.py [part ...]
Needs: torch 2.13 (CPU), numpy 2.4, scipy, diffusers 0.42.

Every option value is run one at a time beside common combinations. A run is made twice: as diffusers makes it (float32), and with its
float32 tables and inputs but all arithmetic in float64. The file holds the second, and how far the first is from it (`own`): a correct
implementation agrees with the second to far better than one float32 digit. Runs with seeds hold the first, for the noise is float32.
Runs that raise or give NaN upstream are listed as such; the tests demand that ours are refused.
"""
import contextlib
import importlib
import inspect
import json
import math
import sys
import warnings

import diffusers
import numpy as np
import torch

from golden import ROOT, header

warnings.simplefilter("ignore")
diffusers.logging.set_verbosity_error()

SHAPE = (2, 3, 2, 2)
SIZE = math.prod(SHAPE)
OUT = ROOT / "packages/samplers/test/golden"


# --- The formulas that both sides compute: the first state, the network, the noise of a step. All dyadic or nearly so, and free of functions.
def pattern(multiplier, modulus, offset, scale, size=SIZE, shape=SHAPE):
    return torch.tensor([((i * multiplier + offset) % modulus - modulus // 2) / scale for i in range(size)], dtype=torch.float64).reshape(shape)


def start():
    return pattern(7, 13, 0, 4)


def noise_of(k, shape=SHAPE):
    return pattern(5, 17, 3 * k, 5, math.prod(shape), tuple(shape))


def network(x, t, extra=0):
    """0.3 x + a constant of the element + 0.1 t / 1000; `extra` more channels, as networks with learned variance have."""
    out = 0.3 * x + pattern(3, 11, 0, 8, x.numel(), x.shape).to(x.dtype) + 0.1 * float(t) / 1000
    return torch.cat([out, torch.full((x.shape[0], extra, *x.shape[2:]), 0.25, dtype=x.dtype)], dim=1) if extra else out


# --- Running diffusers
WIDE = False
_to = torch.Tensor.to


def _wide_to(self, *args, **kwargs):
    if WIDE:
        args = tuple(torch.float64 if a is torch.float32 else a for a in args)
        kwargs = {k: (torch.float64 if v is torch.float32 else v) for k, v in kwargs.items()}
    return _to(self, *args, **kwargs)


torch.Tensor.to = _wide_to


# Some builds of torch take float32 square roots that are off by one digit in a sixth of the cases (2.13 on AVX2 does, on AVX-512 it
# does not). Tables here have IEEE's, correctly rounded.
def _exact_sqrt(x, *args, _sqrt=torch.sqrt, **kwargs):
    return _to(_sqrt(x.double()), torch.float32) if x.dtype == torch.float32 else _sqrt(x, *args, **kwargs)


def _exact_pow(x, exponent, _pow=torch.Tensor.__pow__):
    return _exact_sqrt(x) if isinstance(exponent, float) and exponent == 0.5 else _pow(x, exponent)


torch.sqrt = torch.Tensor.sqrt = _exact_sqrt
torch.Tensor.__pow__ = _exact_pow


def widen(scheduler):
    for name, value in list(vars(scheduler).items()):
        if isinstance(value, torch.Tensor) and value.dtype == torch.float32:
            setattr(scheduler, name, value.double())
    if getattr(scheduler, "solver_p", None) is not None:
        widen(scheduler.solver_p)


@contextlib.contextmanager
def fixed_noise(module, counter):
    """Replaces the module's randn_tensor by the noise of the formula, one after another."""
    if not hasattr(module, "randn_tensor"):
        yield
        return
    original = module.randn_tensor

    def draw(shape, generator=None, device=None, dtype=None, layout=None):
        if generator is not None:
            return original(shape, generator=generator, device=device, dtype=torch.float32)
        counter.append(1)
        return noise_of(len(counter) - 1, shape).to(torch.float64 if WIDE else torch.float32)

    module.randn_tensor = draw
    try:
        yield
    finally:
        module.randn_tensor = original


def build(case):
    """The scheduler with its timesteps set: always with tables as diffusers makes them."""
    global WIDE
    wide, WIDE = WIDE, False
    try:
        return _build(case)
    finally:
        WIDE = wide


def _build(case):
    cls = getattr(diffusers, case["class"])
    config = dict(case["config"])
    if "tau" in case:
        config["tau_func"] = lambda t, tau=case["tau"]: tau
    if config.get("solver_p"):
        inner = dict(config["solver_p"])
        config["solver_p"] = getattr(diffusers, inner.pop("_class_name"))(**inner)
    scheduler = cls(**config)
    arguments = dict(case["set"])
    if case["class"] == "EDMEulerScheduler" and "sigmas" in arguments:
        arguments["sigmas"] = torch.tensor(arguments["sigmas"])
    if case["class"] == "UniPCMultistepScheduler" and "sigmas" in arguments:
        arguments["sigmas"] = np.array(arguments["sigmas"])
    if "timesteps" in arguments and case["class"] == "SCMScheduler":
        arguments.setdefault("max_timesteps", None)
    scheduler.set_timesteps(**arguments)
    return scheduler


def one_run(case, wide):
    global WIDE
    WIDE = wide
    dtype = torch.float64 if wide else torch.float32
    scheduler = build(case)
    table = {"timesteps": scheduler.timesteps.tolist()}
    if getattr(scheduler, "sigmas", None) is not None:
        table["sigmas"] = scheduler.sigmas.tolist()
    if wide:
        widen(scheduler)
        if case["class"].startswith("CMStochastic"):  # the level that noise is counted from is in the table too
            least = scheduler.config.sigma_min
            scheduler.sigmas[scheduler.sigmas == float(np.float32(least))] = least
    timesteps = scheduler.timesteps[:-1] if case["class"] == "SCMScheduler" else scheduler.timesteps
    if case["class"] == "LTXEulerAncestralRFScheduler" and len(scheduler.sigmas) == len(scheduler.timesteps):
        timesteps = timesteps[:-1]
    begin = case.get("begin", 0)
    if begin and case.get("how", "index") == "index":
        scheduler.set_begin_index(begin)
    init = float(getattr(scheduler, "init_noise_sigma", 1.0))
    x = (start() * init).to(dtype) if init == 1 else (start().to(dtype) * init)
    if "shape" in case:
        x = x.reshape(case["shape"])
    extra = 3 if case["config"].get("variance_type") in ("learned", "learned_range") else 0
    module = importlib.import_module(type(scheduler).__module__)
    counter, trace = [], []
    parameters = inspect.signature(scheduler.step).parameters
    options = dict(case.get("step", {}))
    if "seed" in case:
        options["generator"] = torch.Generator().manual_seed(case["seed"])
    if case["class"].startswith("Cosine") and "seed" not in case:
        class Fixed:
            def __call__(self, a, b):
                counter.append(1)
                return noise_of(len(counter) - 1).to(torch.float64 if WIDE else torch.float32)
        scheduler.noise_sampler = Fixed()
    mixed = mixture(scheduler, dtype) if case.get("mixed") else {}
    tokens = options.pop("per_token_timesteps", None)
    if tokens is not None:
        options["per_token_timesteps"] = torch.tensor(tokens, dtype=dtype).reshape(2, -1)
    shape = (2, 4, 3) if tokens is not None else (2, 3, 1, 2, 2) if case["class"].startswith("HeliosDMD") else SHAPE
    with fixed_noise(module, counter):
        for k, t in enumerate(timesteps[begin:]):
            shown = scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else x
            out = network(shown, t, extra)
            if "variance_noise" in parameters and case.get("variance_noise"):
                options["variance_noise"] = noise_of(k).to(dtype)
            if case["class"].startswith("HeliosDMD"):
                options = {"cur_sampling_step": k, "dmd_noisy_tensor": noise_of(k).to(dtype).reshape(shape), "dmd_sigmas": scheduler.sigmas, "dmd_timesteps": timesteps, "all_timesteps": timesteps}
            result = scheduler.step(out.reshape(shape) if shape != SHAPE else out, t, x if "shape" in case else x.reshape(shape), **options, return_dict=False)
            x = result[0] if "shape" in case else result[0].reshape(SHAPE)
            trace.append(x.flatten()[(7 * k) % x.numel()].item())
    return {**table, "init": init, "final": x.flatten().tolist(), "trace": trace, **mixed}


def mixture(scheduler, dtype):
    """add_noise (or scale_noise) and get_velocity of the first state, one timestep for each item: the first and the last."""
    x0, noise = start().to(dtype), noise_of(0).to(dtype)
    at = torch.stack([scheduler.timesteps[0], scheduler.timesteps[-1]])
    noised = scheduler.add_noise(x0, noise, at) if hasattr(scheduler, "add_noise") else scheduler.scale_noise(x0, at, noise)
    out = {"noised": noised.flatten().tolist()}
    if hasattr(scheduler, "get_velocity"):
        out["velocity"] = scheduler.get_velocity(x0, noise, at).flatten().tolist()
    return out


def rounded(values, digits):
    return [float(f"{v:.{digits}g}") if isinstance(v, float) else v for v in values]


def run(case):
    try:
        narrow = one_run(case, False)
        wide = narrow if "seed" in case else one_run(case, True)
    except Exception as error:  # upstream's own failure, whatever it is
        if case.get("must"):
            raise
        return {**case, "fails": f"{type(error).__name__}"}
    final = np.array(wide["final"])
    if not np.isfinite(final).all():
        return {**case, "fails": "NaN"}
    # Where only float32 gives NaN, nothing is said of its error.
    own = 0.0 if not np.isfinite(narrow["final"]).all() else float(np.max(np.abs(np.array(narrow["final"]) - final)) / np.max(np.abs(final)))
    digits = 9 if "seed" in case else 10
    return {**case, "timesteps": rounded(narrow["timesteps"], 9), **({"sigmas": rounded(narrow["sigmas"], 9)} if "sigmas" in narrow else {}), "init": narrow["init"],
            "final": rounded(wide["final"], digits), "trace": rounded(wide["trace"], 8), **{key: rounded(wide[key], 10) for key in ("noised", "velocity") if key in wide}, "own": float(f"{own:.2g}")}


# --- Cases
def case(name, config=None, n=10, **more):
    arguments = more.pop("set", {"num_inference_steps": n})
    return {"class": name + "Scheduler", "config": config or {}, "set": arguments, **more}


TRAINED = [round(0.001 + 0.004 * i + 0.0005 * (i % 3), 6) for i in range(20)]
STEPS = [1, 2, 3, 5, 15, 20]
TABLE = [
    {"num_train_timesteps": 500}, {"beta_start": 0.00085}, {"beta_end": 0.012}, {"beta_schedule": "scaled_linear"}, {"beta_schedule": "squaredcos_cap_v2"},
    {"trained_betas": TRAINED, "num_train_timesteps": 20},
]
PREDICTIONS = [{"prediction_type": p} for p in ("sample", "v_prediction")]
THRESHOLD = [{"thresholding": True}, {"thresholding": True, "dynamic_thresholding_ratio": 0.7}, {"thresholding": True, "sample_max_value": 1.5}]
SIGMAS = [{"use_karras_sigmas": True}, {"use_exponential_sigmas": True}, {"use_beta_sigmas": True}]
FLOW = [{"use_flow_sigmas": True, "prediction_type": "flow_prediction"}, {"use_flow_sigmas": True, "prediction_type": "flow_prediction", "flow_shift": 3.0}]
SPACINGS = [{"timestep_spacing": "leading"}, {"timestep_spacing": "trailing"}, {"timestep_spacing": "leading", "steps_offset": 1}]
CLIPPED = [{"beta_schedule": "squaredcos_cap_v2", "lambda_min_clipped": -5.1}]
VARIANCE = [{"variance_type": "learned"}, {"variance_type": "learned_range"}]
SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def mixed(name, n=5, config=None):
    return case(name, config, n, mixed=True)


def img2img(name, config=None, n=10):
    return [case(name, config, n, begin=4), case(name, config, n, begin=4, how="timestep")]


def dpm_multistep(name, finals):
    plain = TABLE + PREDICTIONS + THRESHOLD + SIGMAS + FLOW + SPACINGS + CLIPPED + VARIANCE
    rows = [case(name)] + [case(name, {}, n) for n in STEPS] + [case(name, c) for c in plain] + [case(name, c, 7) for c in SIGMAS + FLOW + SPACINGS]
    rows += [case(name, {**SD, "use_karras_sigmas": True}, 20), case(name, {**SD, "timestep_spacing": "leading", "steps_offset": 1}, 20)]
    for algorithm in ("dpmsolver++", "sde-dpmsolver++", "dpmsolver", "sde-dpmsolver"):
        end = {"final_sigmas_type": "sigma_min"} if finals and algorithm in ("dpmsolver", "sde-dpmsolver") else {}
        backwards = not finals and algorithm.startswith("sde")  # NaN or an error upstream, whatever else is chosen
        for order in (1, 2, 3):
            for solver in ("midpoint", "heun"):
                base = {"algorithm_type": algorithm, "solver_order": order, "solver_type": solver, **end}
                if backwards:
                    rows.append(case(name, base))
                    continue
                rows += [case(name, base, 10), case(name, base, 20)]
                if order > 1:
                    rows += [case(name, {**base, **more}, n) for more in ({"lower_order_final": False}, {"euler_at_final": True}) for n in (6, 20)]
        if backwards:
            continue
        base = {"algorithm_type": algorithm, **end}
        rows += [case(name, {**base, "prediction_type": p}) for p in ("sample", "v_prediction")]
        rows += [case(name, {**base, "thresholding": True}), case(name, {**base, "use_karras_sigmas": True})]
        rows += [case(name, {**base, "variance_type": "learned"}), case(name, {**base, "use_flow_sigmas": True, "prediction_type": "flow_prediction"})]
        if algorithm.startswith("sde"):
            rows += [case(name, base, seed=7), case(name, base, variance_noise=True), case(name, {**base, "solver_order": 3}, 12, variance_noise=True)]
    rows += [case(name, {"solver_type": "bh2"}, 3)]
    rows += [case(name, {"algorithm_type": "deis", **({"final_sigmas_type": "sigma_min"} if finals else {})}), case(name, {"solver_type": "logrho"}), case(name, {"solver_type": "bh1"})]
    if finals:
        rows += [case(name, {"final_sigmas_type": "sigma_min"}), case(name, {"final_sigmas_type": "sigma_min", "solver_order": 3}, 20), case(name, {"algorithm_type": "dpmsolver"})]
        rows += [case(name, {"rescale_betas_zero_snr": True}), case(name, {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing", "prediction_type": "v_prediction"}),
                 case(name, {"use_lu_lambdas": True}), case(name, {**SD, "use_lu_lambdas": True}, 15), case(name, {"use_karras_sigmas": True, "beta_schedule": "squaredcos_cap_v2"}),
                 case(name, {"use_lu_lambdas": True, "beta_schedule": "squaredcos_cap_v2"}),
                 case(name, set={"timesteps": [999, 850, 736, 645, 545, 455, 343, 233, 124, 24]}), case(name, {**SD, "use_karras_sigmas": True}, set={"timesteps": [900, 500]}),
                 case(name, {"use_dynamic_shifting": True, "time_shift_type": "exponential", "use_flow_sigmas": True, "prediction_type": "flow_prediction"}, set={"num_inference_steps": 10, "mu": 0.8}),
                 case(name, set={"num_inference_steps": 10, "mu": 0.8}), case(name, {"use_karras_sigmas": True, "use_beta_sigmas": True})]
        rows += img2img(name) + img2img(name, {"solver_order": 3, "algorithm_type": "sde-dpmsolver++"}, 12)
    else:
        rows += [case(name, {}, begin=3, how="timestep")]
    return rows


def deis():
    name = "DEISMultistep"
    rows = [case(name)] + [case(name, {}, n) for n in STEPS] + [case(name, c) for c in TABLE + PREDICTIONS + THRESHOLD + SIGMAS + FLOW + SPACINGS]
    rows += [case(name, {"solver_order": o, "lower_order_final": f}, n) for o in (1, 2, 3) for f in (True, False) for n in (6, 20)]
    rows += [case(name, {"algorithm_type": "dpmsolver"}, 3)] + [case(name, {"solver_type": s}, 3) for s in ("heun", "bh1", "bh2")]
    rows += [case(name, {"algorithm_type": "dpmsolver++"}), case(name, {"solver_type": "midpoint"}), case(name, {**SD, "use_karras_sigmas": True}, 20), case(name, {"solver_order": 3, "use_karras_sigmas": True}, 20)]
    rows += [case(name, {"use_dynamic_shifting": True, "time_shift_type": "exponential", "use_flow_sigmas": True, "prediction_type": "flow_prediction"}, set={"num_inference_steps": 10, "mu": 0.8})]
    return rows + img2img(name)


def unipc():
    name = "UniPCMultistep"
    rows = [case(name)] + [case(name, {}, n) for n in STEPS] + [case(name, c) for c in TABLE + PREDICTIONS + THRESHOLD + SIGMAS + FLOW + SPACINGS]
    for order in (1, 2, 3):
        for solver in ("bh1", "bh2"):
            for x0 in (True, False):
                for end in ("zero", "sigma_min"):
                    rows.append(case(name, {"solver_order": order, "solver_type": solver, "predict_x0": x0, "final_sigmas_type": end}, 10))
            rows.append(case(name, {"solver_order": order, "solver_type": solver, "lower_order_final": False, "final_sigmas_type": "sigma_min"}, 7))
        rows.append(case(name, {"solver_order": order, "lower_order_final": False}, 7))
        rows.append(case(name, {"solver_order": order, "disable_corrector": [0, 1, 3]}, 8))
    rows += [case(name, {"predict_x0": False, "final_sigmas_type": "sigma_min", "prediction_type": p}) for p in ("sample", "v_prediction", "flow_prediction")]
    rows += [case(name, {**c, "final_sigmas_type": "sigma_min"}) for c in SIGMAS + FLOW]
    rows += [case(name, {"rescale_betas_zero_snr": True}), case(name, {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing", "prediction_type": "v_prediction"}), case(name, {**SD, "use_karras_sigmas": True}, 20), case(name, {"solver_type": "midpoint"}),
             case(name, {"use_karras_sigmas": True, "sigma_min": 0.1}), case(name, {"use_karras_sigmas": True, "sigma_max": 50.0}), case(name, {"use_exponential_sigmas": True, "sigma_min": 0.1, "sigma_max": 50.0}), case(name, {"use_beta_sigmas": True, "sigma_min": 0.1, "sigma_max": 50.0})]
    flow = {"use_flow_sigmas": True, "prediction_type": "flow_prediction"}
    rows += [case(name, {**flow, "flow_shift": 5.0}, 20), case(name, {**flow, "flow_shift": 5.0, "solver_order": 3}, 20), case(name, {**flow, "shift_terminal": 0.1}), case(name, {**flow, "use_karras_sigmas": True}),
             case(name, {**flow, "use_karras_sigmas": True, "sigma_max": 200.0, "sigma_min": 0.01}, 12),
             case(name, {**flow, "use_dynamic_shifting": True}, set={"num_inference_steps": 10, "mu": 0.8}), case(name, {**flow, "use_dynamic_shifting": True, "time_shift_type": "linear"}, set={"num_inference_steps": 10, "mu": 0.8}),
             case(name, {**flow, "use_dynamic_shifting": True}), case(name, flow, set={"sigmas": [1.0, 0.9, 0.7, 0.4, 0.2]}), case(name, set={"sigmas": [1.0, 0.5]}), case(name, {"shift_terminal": 0.1})]
    rows += [case(name, {"solver_p": None})] + [case(name, {"solver_type": s}, 3) for s in ("heun", "logrho")]
    dpm = {"_class_name": "DPMSolverMultistepScheduler"}
    rows += [case(name, {"solver_p": dpm}, 10), case(name, {"solver_p": {**dpm, "solver_order": 3}, "solver_order": 3}, 8), case(name, {"solver_p": dpm, "disable_corrector": [0, 2]}, 6), case(name, {"solver_p": dpm, "predict_x0": False, "final_sigmas_type": "sigma_min"}, 6),
             case(name, {"solver_p": {"_class_name": "DEISMultistepScheduler"}, "solver_order": 3}, 7), case(name, {"solver_p": dpm, "prediction_type": "v_prediction"}, 6), case(name, {"solver_p": {**dpm, "use_karras_sigmas": True, "prediction_type": "sample"}, "use_karras_sigmas": True, "prediction_type": "sample"}, 6)]
    return rows + img2img(name) + img2img(name, {"solver_order": 3})


def singlestep():
    name = "DPMSolverSinglestep"
    rows = [case(name)] + [case(name, {}, n) for n in STEPS] + [case(name, c) for c in TABLE + PREDICTIONS + THRESHOLD + SIGMAS + FLOW + CLIPPED + VARIANCE]
    for algorithm in ("dpmsolver++", "dpmsolver", "sde-dpmsolver++"):
        for order in (1, 2, 3):
            for solver in ("midpoint", "heun"):
                for lower in (True, False):
                    for end in ("zero", "sigma_min"):
                        if algorithm == "dpmsolver" and end == "zero":
                            continue
                        n = 9 if order == 3 else 10
                        rows.append(case(name, {"algorithm_type": algorithm, "solver_order": order, "solver_type": solver, "lower_order_final": lower, "final_sigmas_type": end}, n))
    rows += [case(name, {"solver_type": s}, 3) for s in ("logrho", "bh1")]
    rows += [case(name, {"solver_order": 3, "lower_order_final": True}, n) for n in (7, 8, 10)] + [case(name, {"solver_order": 2, "lower_order_final": True}, 7), case(name, {"algorithm_type": "dpmsolver"})]
    rows += [case(name, {"algorithm_type": "dpmsolver", "final_sigmas_type": "sigma_min", **c}) for c in PREDICTIONS + [{"variance_type": "learned"}, {"thresholding": True}]]
    rows += [case(name, {"algorithm_type": "sde-dpmsolver++"}, seed=7), case(name, {"algorithm_type": "deis", "final_sigmas_type": "sigma_min"}), case(name, {"solver_type": "bh2"}), case(name, {**SD, "use_karras_sigmas": True, "lower_order_final": True}, 20),
             case(name, set={"timesteps": [999, 850, 736, 645, 545, 455, 343, 233, 124, 24]}),
             case(name, {"use_dynamic_shifting": True, "time_shift_type": "exponential", "use_flow_sigmas": True, "prediction_type": "flow_prediction"}, set={"num_inference_steps": 10, "mu": 0.8})]
    return rows + img2img(name) + [case(name, begin=5), case(name, {"solver_order": 3}, 12, begin=4)]


def sa():
    name = "SASolver"
    rows = [case(name)] + [case(name, {}, n) for n in STEPS] + [case(name, c) for c in TABLE + PREDICTIONS + THRESHOLD + SIGMAS + FLOW + SPACINGS + CLIPPED + VARIANCE]
    for algorithm in ("data_prediction", "noise_prediction"):
        rows += [case(name, {"algorithm_type": algorithm, "predictor_order": p, "corrector_order": c}, 8) for p in (1, 2, 3) for c in (1, 2, 3, 4)]
        rows += [case(name, {"algorithm_type": algorithm, "lower_order_final": False}), case(name, {"algorithm_type": algorithm, "predictor_order": 3, "corrector_order": 4, "lower_order_final": False}, 8)]
        rows += [case(name, {"algorithm_type": algorithm}, tau=tau) for tau in (0, 0.5, 1)]
        rows += [case(name, {"algorithm_type": algorithm, **c}) for c in PREDICTIONS + [{"variance_type": "learned"}, {"thresholding": True}]]
    return rows + [case(name, {"tau_func": None}), case(name, seed=7)] + img2img(name)


def dpmsolver_part():
    return [mixed(name) for name in ("DPMSolverMultistep", "DPMSolverMultistepInverse", "DPMSolverSinglestep")], dpm_multistep("DPMSolverMultistep", True), dpm_multistep("DPMSolverMultistepInverse", False), singlestep()


def lambda_part():
    return [mixed(name) for name in ("DEISMultistep", "UniPCMultistep", "SASolver")], deis(), unipc(), sa()


def edm_part():
    euler = "EDMEuler"
    grid = [{"sigma_min": 0.02}, {"sigma_max": 20.0}, {"sigma_data": 1.0}, {"sigma_schedule": "exponential"}, {"num_train_timesteps": 500}, {"prediction_type": "v_prediction"}, {"rho": 3.0}, {"final_sigmas_type": "sigma_min"}]
    churn = {"s_churn": 4.0, "s_tmin": 0.05, "s_tmax": 50.0, "s_noise": 1.003}
    first = [case(euler, {}, n) for n in STEPS + [10]] + [case(euler, c) for c in grid] + [case(euler, step=churn), case(euler, step=churn, seed=7), case(euler, {"sigma_schedule": "exponential"}, set={"sigmas": [0.0, 0.5, 1.0], "num_inference_steps": 3}),
             case(euler, set={"sigmas": [0.0, 0.2, 0.5, 1.0], "num_inference_steps": 4})] + img2img(euler)
    multi = "EDMDPMSolverMultistep"
    second = [case(multi, {}, n) for n in STEPS + [10]] + [case(multi, c) for c in grid + [{"thresholding": True}, {"thresholding": True, "dynamic_thresholding_ratio": 0.7}, {"thresholding": True, "sample_max_value": 1.5}, {"prediction_type": "sample"}, {"algorithm_type": "deis"}, {"solver_type": "logrho"}]] + [case(multi, {"solver_type": s}, 3) for s in ("bh1", "bh2")]
    second += [case(multi, {"algorithm_type": a, "solver_order": o, "solver_type": s, **m}, n) for a in ("dpmsolver++", "sde-dpmsolver++") for o in (1, 2, 3) for s in ("midpoint", "heun")
               for m in ({}, {"lower_order_final": False}, {"euler_at_final": True}, {"final_sigmas_type": "sigma_min"}) for n in (6, 20) if not (a == "sde-dpmsolver++" and o == 3 and (m or n == 6))]
    second += [case(multi, {"algorithm_type": "sde-dpmsolver++"}, seed=7)] + img2img(multi)
    cosine = "CosineDPMSolverMultistep"
    third = [case(cosine, {}, n) for n in STEPS + [10]] + [case(cosine, {**{"sigma_max": 100.0}, **c}) for c in [{}, {"sigma_min": 0.1}, {"sigma_data": 0.5}, {"sigma_schedule": "karras"}, {"sigma_schedule": "karras", "rho": 3.0}, {"num_train_timesteps": 500}, {"prediction_type": "epsilon"}, {"prediction_type": "sample"},
             {"solver_order": 1}, {"solver_order": 3}, {"solver_type": "heun"}, {"solver_type": "bh1"}, {"lower_order_final": False}, {"euler_at_final": True}, {"final_sigmas_type": "sigma_min"}, {"final_sigmas_type": "sigma_min", "lower_order_final": False}]]
    third += [case(cosine, {"sigma_max": 100.0, "solver_type": s}, 3) for s in ("logrho", "bh2")]
    third += [case(cosine, {"solver_type": "heun", "final_sigmas_type": "sigma_min"}, 20), case(cosine, {}, 6, seed=7), case(cosine, {"sigma_max": 100.0}, 8, seed=11)] + img2img(cosine)
    return [mixed(name) for name in (euler, multi, cosine)], first, second, third


#: modes of torch's interpolate, with states whose predictions they enlarge
RESIZES = {mode: [[2, 3, 2, 2]] for mode in ("nearest", "bilinear", "bicubic", "area", "nearest-exact")} | {"linear": [[2, 3, 4]], "trilinear": [[1, 3, 2, 2, 2]]}


def flow_part():
    euler, lcm, heun, ltx, flow_map, minimax = "FlowMatchEulerDiscrete", "FlowMatchLCM", "FlowMatchHeunDiscrete", "LTXEulerAncestralRF", "FlowMapEulerDiscrete", "MiniMaxH3"
    dynamic = {"use_dynamic_shifting": True}
    grid = [{"num_train_timesteps": 500}, {"shift": 3.0}, {"invert_sigmas": True}, {"shift_terminal": 0.1}, {"base_shift": 0.4}, {"max_shift": 1.2}, {"base_image_seq_len": 128}, {"max_image_seq_len": 2048}, {"time_shift_type": "linear"}] + SIGMAS
    mu = {"num_inference_steps": 10, "mu": 0.8}

    def both(name):
        rows = [case(name, {}, n) for n in STEPS + [10]] + [case(name, c) for c in grid]
        rows += [case(name, dynamic, set=mu), case(name, dynamic), case(name, {**dynamic, "time_shift_type": "linear"}, set=mu), case(name, {**dynamic, "shift_terminal": 0.1}, set=mu), case(name, {**dynamic, "shift": 3.0}, set=mu),
                 case(name, {"shift": 3.0, "use_karras_sigmas": True}, 12), case(name, {"shift": 3.0, "invert_sigmas": True, "use_exponential_sigmas": True}), case(name, {"use_karras_sigmas": True, "use_beta_sigmas": True}),
                 case(name, {"shift": 3.0}, 20), case(name, set={"sigmas": [1.0, 0.8, 0.5, 0.25]}), case(name, {"shift": 3.0}, set={"timesteps": [1000.0, 700.0, 300.0]}),
                 case(name, set={"timesteps": [1000.0, 700.0, 300.0], "sigmas": [1.0, 0.7, 0.3]}), case(name, dynamic, set={"sigmas": [1.0, 0.8, 0.5, 0.25], "mu": 1.15}), case(name, set={"sigmas": [1.0, 0.5], "num_inference_steps": 3})]
        return rows + img2img(name) + img2img(name, {"shift": 3.0})

    churn = {"s_churn": 4.0, "s_tmin": 0.05, "s_tmax": 0.9, "s_noise": 1.003}
    return (both(euler) + [case(euler, {"stochastic_sampling": True}), case(euler, {"stochastic_sampling": True, "shift": 3.0}, seed=7), case(euler, step=churn)],
            both(lcm) + [case(lcm, {"shift": 3.0}, 4, seed=7), case(lcm, {"scale_factors": []}), case(lcm, {"upscale_mode": "bilinear"})]
            + [case(lcm, {"scale_factors": [1.5, 2.0], "upscale_mode": mode}, 3, shape=shape) for mode, shapes in RESIZES.items() for shape in shapes]
            + [case(lcm, {"scale_factors": [1.5]}, 2, shape=[2, 3, 2, 2], seed=7), case(lcm, {"scale_factors": [0.5, 2.0]}, 3, shape=[1, 2, 4, 3]), case(lcm, {"scale_factors": [2.0]}, 3, shape=[2, 3, 2, 2])],
            [case(heun, step=c, n=n) for c, n in ((churn, 5), ({"s_churn": 40.0}, 4), ({"s_churn": 4.0, "s_noise": 1.1}, 1))] + [case(heun, {"shift": 3.0}, 5, step=churn, seed=7), case(heun, {"shift": 3.0}, 6, step=churn, begin=4)]
            + [case(heun, {}, n) for n in STEPS + [10]] + [case(heun, {"shift": 3.0}), case(heun, {"num_train_timesteps": 500}), case(heun, {"shift": 3.0}, 28), case(heun, begin=4)],
            [case(ltx, c, set={"sigmas": [1.0, 0.99, 0.9, 0.7, 0.4, 0.1, 0.0]}) for c in ({}, {"eta": 0.0}, {"eta": 0.5}, {"s_noise": 0.0}, {"s_noise": 1.1}, {"num_train_timesteps": 500})] + [case(ltx, {}, n) for n in STEPS + [10]]
            + [case(ltx, set={"timesteps": [1.0, 0.5, 0.0]}), case(ltx, {}, 6, seed=7), case(ltx, begin=3), case(ltx, set={"sigmas": [0.9, 0.5, 0.2]})],
            [case(flow_map, {}, n) for n in STEPS + [10]] + [case(flow_map, {"shift": 3.0}), case(flow_map, {"num_train_timesteps": 500}), case(flow_map, set={"sigmas": [1.0, 0.5, 0.2]}), case(flow_map, {"shift": 2.0}, set={"timesteps": [1000.0, 400.0]}), case(flow_map, begin=2),
             case(flow_map, {}, 4, step={"r_timestep": 100.0}), case(flow_map, {}, 4, step={"r_timestep": 0.0}), case(flow_map, set={"sigmas": [1.0, 0.5], "num_inference_steps": 3})],
            [case(minimax, {}, n) for n in (1, 2, 3, 5, 10, 20)] + [case(minimax, {"shift": 1.0}), case(minimax, {"shift": 3.0}, 28), case(minimax, {"shift": 0.0}), case(minimax, set={"sigmas": [1.0, 0.6, 0.3, 0.0]}), case(minimax, set={"sigmas": [1.0, 0.6]}), case(minimax, begin=2)],
            helios(), [mixed(name) for name in (euler, lcm, flow_map, minimax)], [mixed(euler, config={"invert_sigmas": True})],
            [case(euler, {}, 3, step={"per_token_timesteps": [1000.0, 700.0, 0.0, 1000.0, 333.0, 500.0, 1000.0, 250.0]})])


def helios():
    """With one stage, runs begin at sigma = 1, where lambda is infinite and UniPC has no rule: only Euler's steps are compared there."""
    name = "Helios"
    stage = {"num_inference_steps": 8, "stage_index": 1}
    rows = [case(name, set={"num_inference_steps": n, "stage_index": i}) for i in range(3) for n in (2, 5)]
    rows += [case(name, c, set=stage) for c in [{"thresholding": True}, {"solver_order": 1}, {"solver_order": 3}, {"solver_type": "bh1"}, {"solver_type": "midpoint"}, {"solver_type": "heun"}, {"solver_type": "logrho"}, {"solver_p": {"_class_name": "DPMSolverMultistepScheduler"}}, {"lower_order_final": False}, {"disable_corrector": [0, 2]}, {"scheduler_type": "dmd"}, {"num_train_timesteps": 900},
             {"prediction_type": "epsilon"}, {"prediction_type": "sample"}, {"prediction_type": "v_prediction"}, {"predict_x0": False}, {"predict_x0": False, "prediction_type": "epsilon"}, {"gamma": 0.5}, {"shift": 3.0}, {"use_flow_sigmas": False}, {"solver_p": None}]]
    rows += [case(name, {"scheduler_type": "euler", **c}, set={"num_inference_steps": 5, "stage_index": i}) for i in range(3) for c in ({}, {"gamma": 0.5}, {"stage_range": [0, 0.5, 0.75, 1]}, {"shift": 3.0})]
    rows += [case(name, {"stages": 2, "stage_range": [0, 0.5, 1], "scheduler_type": "euler"}, set={"num_inference_steps": 4, "stage_index": 1})]
    one = {"stages": 1, "stage_range": [0, 1], "scheduler_type": "euler"}
    rows += [case(name, {**one, **c}, n) for c in ({}, {"shift": 3.0, "time_shift_type": "linear"}, {"shift": 3.0}) for n in (2, 8)]
    rows += [case(name, {**one, "use_dynamic_shifting": True, "time_shift_type": t}, set={"num_inference_steps": 6, "mu": 0.8}) for t in ("exponential", "linear")]
    rows += [case(name, {"use_dynamic_shifting": True, **c}, set={"num_inference_steps": 6, "mu": 0.8, "stage_index": 1}) for c in ({}, {"scheduler_type": "euler"})]
    dmd = "HeliosDMD"
    rows += [case(dmd, c, set={"num_inference_steps": 3, "stage_index": i, **m}) for i in range(3) for c in ({}, {"gamma": 0.5}) for m in ({}, {"is_amplify_first_chunk": True})]
    rows += [case(dmd, c, set={"num_inference_steps": 3, "stage_index": 1}) for c in [{"shift": 3.0}, {"num_train_timesteps": 900}, {"stage_range": [0, 0.5, 0.75, 1]}, {"use_flow_sigmas": False}, {"prediction_type": "flow_prediction"}]] + [case(dmd, {"stages": 1, "stage_range": [0, 1]}, 3)]
    rows += [case(dmd, {"use_dynamic_shifting": True, "time_shift_type": t}, set={"num_inference_steps": 3, "mu": 0.8, "stage_index": 1}) for t in ("exponential", "linear")]
    return rows


def few_step_part():
    cm = "CMStochasticIterative"
    first = [case(cm, {}, n) for n in STEPS + [10, 40, 41]] + [case(cm, c) for c in [{"num_train_timesteps": 20}, {"sigma_min": 0.02}, {"sigma_max": 20.0}, {"sigma_data": 1.0}, {"s_noise": 0.9}, {"rho": 3.0}, {"clip_denoised": False}]]
    first += [case(cm, set={"timesteps": [39, 22, 0]}), case(cm, set={"timesteps": [22, 39]}), case(cm, set={"timesteps": [40, 3]}), case(cm, {}, 4, seed=7), case(cm, begin=4), case(cm, begin=4, how="timestep")]

    def distilled(name):
        rows = [case(name, {}, n) for n in (1, 2, 4, 5, 8, 10, 20, 50, 51)]
        rows += [case(name, c, 4) for c in TABLE[:5] + PREDICTIONS + THRESHOLD + [{"original_inference_steps": 25}, {"clip_sample": True}, {"clip_sample": True, "clip_sample_range": 0.5}, {"set_alpha_to_one": False}, {"timestep_scaling": 5.0}, {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction"}, {"timestep_spacing": "trailing"}, {"steps_offset": 1}]]
        rows += [case(name, {"trained_betas": TRAINED, "num_train_timesteps": 20, "original_inference_steps": 10}, 3), case(name, {"beta_schedule": "linear"}, 4), case(name, {"timestep_spacing": "linspace"}, 4)]
        rows += [case(name, set={"num_inference_steps": 4, "original_inference_steps": 100}), case(name, set={"num_inference_steps": 4, "strength": 0.5}), case(name, set={"timesteps": [999, 759, 499, 259]}), case(name, set={"timesteps": [999, 759, 499, 259], "strength": 0.5}), case(name, set={"timesteps": [259, 499]}),
                 case(name, set={"num_inference_steps": 30, "strength": 0.5}), case(name, {}, 4, seed=7), case(name, {}, 8, begin=3), case(name, {}, 8, begin=3, how="timestep")]
        return rows

    scm = "SCM"
    two = {"num_inference_steps": 2}
    third = [case(scm, set=two), case(scm, {"sigma_data": 1.0}, set=two), case(scm, {"num_train_timesteps": 500}, set=two), case(scm, set={**two, "intermediate_timesteps": None}), case(scm, set={**two, "max_timesteps": 1.5, "intermediate_timesteps": 1.0}), case(scm, set=two, seed=7),
             case(scm, {"prediction_type": "epsilon"}, set=two)] + [case(scm, set={"num_inference_steps": n, "intermediate_timesteps": None}) for n in (1, 3, 5, 10)] + [case(scm, set={"num_inference_steps": 3, "intermediate_timesteps": None, "timesteps": [1.5, 1.0, 0.5, 0.0]})]
    return [mixed(name) for name in (cm, "LCM", "TCD")], first, distilled("LCM"), distilled("TCD") + [case("TCD", {}, 4, step={"eta": e}) for e in (0.0, 0.5, 1.0)], third


PARTS = {"dpmsolver": dpmsolver_part, "lambda": lambda_part, "edm": edm_part, "flow": flow_part, "few-step": few_step_part}

def regenerate(parts, script):
    """Runs the parts named on the command line, or all, and writes a file for each."""
    for part in sys.argv[1:] or parts:
        rows, seen = [], set()
        for row in (row for group in parts[part]() for row in group):
            key = json.dumps(row, sort_keys=True)
            if key not in seen:
                seen.add(key)
                rows.append(run(row))
        head = header(script, "2^-23 of the largest element, against diffusers with its float32 tables in float64 arithmetic; runs with seeds 1e-5", diffusers=diffusers.__version__, torch=torch.__version__, numpy=np.__version__)
        text = json.dumps({"header": head, "shape": SHAPE, "cases": rows}, separators=(",", ":"), allow_nan=False).replace('{"class"', '\n{"class"') + "\n"
        (OUT / f"schedulers-{part}.json").write_text(text)
        fails = [r for r in rows if "fails" in r]
        worst = max((r for r in rows if "own" in r and "seed" not in r), key=lambda r: r["own"])
        print(part, len(rows), "cases", len(text), "bytes", len(fails), "fail upstream; worst own error", worst["own"], worst["class"], worst["config"], worst["set"])
        for r in fails:
            print("  ", r["fails"], r["class"], r["config"], r["set"])


if __name__ == "__main__":
    regenerate(PARTS, "lambda_schedulers_golden.py")
