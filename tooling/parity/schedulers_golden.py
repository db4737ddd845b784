"""Regenerates packages/samplers/test/golden/schedulers-{chain,sigma,score}.json from diffusers itself.

Run: python tooling/parity/schedulers_golden.py [part ...]
Needs: torch 2.13 (CPU), numpy 2.4, scipy, torchsde 0.2.6, diffusers 0.42.

The formulas, the two precisions of a run and the form of the files are those of lambda_schedulers_golden.py. Here are the classes that
keep x = alpha x0 + sigma epsilon over a chain of betas (chain), those with x = x0 + sigma epsilon (sigma), and those whose Python twins
have other methods than step (score): their loops are those of diffusers' pipelines.
"""
import importlib

import numpy as np
import torch

import diffusers
import lambda_schedulers_golden as base
from lambda_schedulers_golden import PREDICTIONS, SD, SIGMAS, SIZE, SPACINGS, STEPS, TABLE, THRESHOLD, case, img2img, noise_of, pattern, regenerate, start

for name in ("KarrasVeScheduler", "ScoreSdeVpScheduler", "ConsistencyDecoderScheduler"):
    if not hasattr(diffusers, name):
        setattr(diffusers, name, getattr(importlib.import_module("diffusers.schedulers.deprecated" if name[0] != "C" else "diffusers.schedulers.scheduling_consistency_decoder"), name))


# --- Tables in float64 where upstream derives them from float32 sigmas
_widen = base.widen


def widen(scheduler):
    _widen(scheduler)
    if hasattr(scheduler, "sigmas_interpol"):
        once = torch.cat([scheduler.sigmas[:1], scheduler.sigmas[1::2]])
        if hasattr(scheduler, "sigmas_up"):
            after = torch.cat([once[1:], once.new_zeros(1)])
            up = torch.nan_to_num((after**2 * (once**2 - after**2) / once**2) ** 0.5)
            down = (after**2 - up**2) ** 0.5
            middle = (once * down) ** 0.5
            for name, value in (("sigmas_up", up), ("sigmas_down", down), ("sigmas_interpol", middle)):
                setattr(scheduler, name, torch.cat([value[:1], value[1:].repeat_interleave(2), value[-1:]]))
        else:
            middle = (once * once.roll(1)) ** 0.5
            scheduler.sigmas_interpol = torch.cat([middle[:1], middle[1:].repeat_interleave(2), middle[-1:]])


base.widen = widen


# --- Loops of classes with methods of their own
def mixture(scheduler, wide):
    """add_noise and get_velocity of the first state, one timestep for each item: the first and the last."""
    dtype = torch.float64 if wide else torch.float32
    at = torch.stack([scheduler.timesteps[0], scheduler.timesteps[-1]])
    out = {"noised": scheduler.add_noise(start().to(dtype), noise_of(0).to(dtype), at).flatten().tolist()}
    if hasattr(scheduler, "get_velocity"):
        out["velocity"] = scheduler.get_velocity(start().to(dtype), noise_of(0).to(dtype), at).flatten().tolist()
    return out


class Run:
    """What the loops share: the state, the trace, the noise of the formula."""

    def __init__(self, case, wide):
        base.WIDE = wide
        self.case, self.wide, self.dtype = case, wide, torch.float64 if wide else torch.float32
        self.scheduler = base.build(case)
        self.timesteps = self.scheduler.timesteps.tolist()
        self.sigmas = None
        self.trace, self.counter = [], []
        self.generator = torch.Generator().manual_seed(case["seed"]) if "seed" in case else None
        self.options = {"generator": self.generator} if self.generator else {}
        self.init = float(getattr(self.scheduler, "init_noise_sigma", 1.0))
        self.x = start().to(self.dtype) * self.init
        if wide:
            base.widen(self.scheduler)

    def fixed(self):
        return base.fixed_noise(importlib.import_module(type(self.scheduler).__module__), self.counter)

    def step(self, x):
        self.x = x
        self.trace.append(x.flatten()[(7 * len(self.trace)) % SIZE].item())

    def result(self):
        out = {"timesteps": self.timesteps, "init": self.init, "final": self.x.flatten().tolist(), "trace": self.trace}
        return out if self.sigmas is None else {**out, "sigmas": self.sigmas}


def cogvideox_dpm(case, wide):
    run = Run(case, wide)
    old, times = None, run.scheduler.timesteps
    with run.fixed():
        for i, t in enumerate(times):
            x, old = run.scheduler.step(base.network(run.x, t), old, t, times[i - 1] if i > 0 else None, run.x, **run.options, return_dict=False)
            run.step(x)
    return run.result()


def wuerstchen(case, wide):
    run = Run(case, wide)
    with run.fixed():
        for t in run.scheduler.timesteps[:-1]:
            run.step(run.scheduler.step(base.network(run.x, t), t.expand(2), run.x, **run.options, return_dict=False)[0])
    return run.result()


def unclip_loop(case, wide):
    run = Run(case, wide)
    times = run.scheduler.timesteps
    extra = 3 if case["config"].get("variance_type") == "learned_range" else 0
    with run.fixed():
        for i, t in enumerate(times):
            after = times[i + 1] if i + 1 < len(times) else None
            run.step(run.scheduler.step(base.network(run.x, t, extra), t, run.x, prev_timestep=after, **run.options, return_dict=False)[0])
    return run.result()


def repaint(case, wide):
    run = Run(case, wide)
    image, mask = pattern(2, 7, 0, 4).to(run.dtype), pattern(1, 2, 0, 1).add(1).to(run.dtype)
    before = run.scheduler.timesteps[0] + 1
    with run.fixed():
        for t in run.scheduler.timesteps:
            if t < before:
                run.step(run.scheduler.step(base.network(run.x, t), t, run.x, image, mask, **run.options, return_dict=False)[0])
            else:
                run.step(run.scheduler.undo_step(run.x, before, **run.options))
            before = t
    return run.result()


def score_sde_ve(case, wide):
    run = Run(case, wide)
    scheduler, n = run.scheduler, case["set"]["num_inference_steps"]
    scheduler.set_sigmas(n, sampling_eps=case["set"].get("sampling_eps"))
    times = scheduler.timesteps
    run.timesteps = [t for t in times.tolist() for _ in range(scheduler.config.correct_steps + 1)]
    run.sigmas = scheduler.discrete_sigmas.flip(0).tolist() + [0.0]
    if wide:
        # The place in the table is found in float32, as upstream does.
        scheduler.discrete_sigmas = scheduler.discrete_sigmas.double()
        scheduler.timesteps = times
    with run.fixed():
        for t in times:
            narrow = t.float()
            for _ in range(scheduler.config.correct_steps):
                run.step(scheduler.step_correct(score(run, narrow), run.x, **run.options, return_dict=False)[0])
            x, mean = scheduler.step_pred(score(run, narrow), narrow, run.x, **run.options, return_dict=False)
            run.step(mean if t == times[-1] else x)
    return run.result()


def score(run, t):
    """The network, of the size of a score at that level."""
    s = run.scheduler.discrete_sigmas[(t * (len(run.scheduler.timesteps) - 1)).long()]
    return -base.network(run.x / (1 + s), t) / (1 + s)


def score_sde_vp(case, wide):
    run = Run(case, wide)
    with run.fixed():
        for t in run.scheduler.timesteps:
            x, mean = run.scheduler.step_pred(base.network(run.x, t), run.x, t, **run.options)
            run.step(mean if t == run.scheduler.timesteps[-1] else x)
    return run.result()


def karras_ve(case, wide):
    run = Run(case, wide)
    scheduler = run.scheduler
    run.sigmas = scheduler.schedule.flip(0).tolist() + [0.0]
    run.timesteps = [t for t in scheduler.timesteps.tolist() for _ in range(2 if t > 0 else 1)]
    with run.fixed():
        for t in scheduler.timesteps.tolist():
            sigma, after = scheduler.schedule[t], scheduler.schedule[t - 1] if t > 0 else torch.tensor(0.0)
            hat, sigma_hat = scheduler.add_noise_to_input(run.x, sigma, **run.options)
            first = scheduler.step(base.network(hat / (1 + sigma_hat), 0), sigma_hat, after, hat)
            run.step(first.prev_sample)
            if after != 0:
                again = base.network(run.x / (1 + after), 0)
                run.step(scheduler.step_correct(again, sigma_hat, after, hat, first.prev_sample, first.derivative).prev_sample)
    return run.result()


def dpm_solver_sde(case, wide):
    """With a seed the path is drawn in float32; otherwise the noise is the formula's."""
    seeded = case["config"].get("noise_sampler_seed") is not None
    run = Run(case, wide and not seeded)
    run.sigmas = [float(s) for s in run.scheduler.sigmas]
    if not seeded:
        class Fixed:
            def __call__(self, a, b):
                run.counter.append(1)
                return noise_of(len(run.counter) - 1).to(run.dtype)
        run.scheduler.noise_sampler = Fixed()
    begin = case.get("begin", 0)
    if begin and case.get("how", "index") == "index":
        run.scheduler.set_begin_index(begin)
    for t in run.scheduler.timesteps[begin:]:
        shown = run.scheduler.scale_model_input(run.x, t)
        run.step(run.scheduler.step(base.network(shown, t), t, run.x, **case.get("step", {}), return_dict=False)[0])
    return run.result()


LOOPS = {"CogVideoXDPMScheduler": cogvideox_dpm, "DDPMWuerstchenScheduler": wuerstchen, "RePaintScheduler": repaint, "UnCLIPScheduler": unclip_loop, "ScoreSdeVeScheduler": score_sde_ve, "ScoreSdeVpScheduler": score_sde_vp,
         "KarrasVeScheduler": karras_ve, "DPMSolverSDEScheduler": dpm_solver_sde}
_one_run, _run = base.one_run, base.run


def one_run(case, wide):
    return LOOPS[case["class"]](case, wide) if case["class"] in LOOPS else _one_run(case, wide)


def run(case):
    row = _run(case)
    if "seed" in case and "fails" not in row:
        # The generator's noise is float32 and everything after it float64.
        wide = one_run(case, True)
        narrow, final = np.array(row["final"]), np.array(wide["final"])
        row.update(final=base.rounded(wide["final"], 10), trace=base.rounded(wide["trace"], 7), own=float(f"{np.abs(narrow - final).max() / np.abs(final).max():.2g}"))
    if "mix" in row and "fails" not in row:
        base.WIDE = True
        scheduler = base.build(case)
        base.widen(scheduler)
        row.update({key: base.rounded(value, 10) for key, value in mixture(scheduler, True).items()})
    row.pop("mix", None)
    bad = [key for key, value in row.items() if isinstance(value, (list, float)) and not np.isfinite(value).all()]
    return {**{key: row[key] for key in case if key != "mix"}, "fails": f"NaN in {', '.join(bad)}"} if bad else row


base.one_run, base.run = one_run, run


# --- Cases
def mixed(name, config=None, n=10, **more):
    return case(name, config, n, mix=True, **more)


CLIP = [{"clip_sample_range": 0.5}, {"clip_sample": False}]
ZERO_SNR = [{"rescale_betas_zero_snr": True, "prediction_type": "v_prediction", "timestep_spacing": "trailing"}, {"rescale_betas_zero_snr": True, "prediction_type": "sample"}]
CHAIN_SPACINGS = [{"timestep_spacing": "linspace"}, {"timestep_spacing": "trailing"}, {"steps_offset": 1}]
#: where 999 k / n ends in .5
HALVES = (7, 13, 19, 25)


def ddim(name, thresholds=True):
    plain = {"clip_sample": False}
    rows = [mixed(name), mixed(name, plain, 20)] + [case(name, {}, n) for n in STEPS] + [case(name, c) for c in TABLE[:5] + PREDICTIONS + CLIP + CHAIN_SPACINGS + ZERO_SNR + [{"set_alpha_to_one": False}, {"set_alpha_to_one": False, "clip_sample": False}]]
    rows += [case(name, TABLE[5], 5), case(name, {"rescale_betas_zero_snr": True})]
    if thresholds:
        rows += [case(name, c) for c in THRESHOLD] + [case(name, {"timestep_spacing": "linspace"}, n) for n in HALVES]
        rows += [case(name, {"timestep_spacing": "trailing"}, n) for n in (7, 16, 32)] + [case(name, {**plain, "timestep_spacing": "trailing"}, 7)]
    return rows


def ddim_rows():
    name = "DDIM"
    rows = ddim(name)
    for e in (0.3, 1.0):
        rows += [case(name, step={"eta": e}), case(name, {"clip_sample": False}, step={"eta": e}), case(name, {"timestep_spacing": "trailing"}, 7, step={"eta": e})]
    rows += [case(name, step={"use_clipped_model_output": True}), case(name, step={"use_clipped_model_output": True, "eta": 1.0}), case(name, step={"eta": 1.0}, seed=7), case(name, step={"eta": 0.5}, variance_noise=True)]
    rows += [case(name, {**SD, "clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1}, 20), case(name, {**SD, "clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1}, 20, step={"eta": 1.0})]
    parallel = "DDIMParallel"
    rows += [mixed(parallel)] + [case(parallel, c) for c in CLIP + PREDICTIONS + THRESHOLD[:1] + CHAIN_SPACINGS] + [case(parallel, step={"eta": 1.0}, seed=7)]
    rows += [case(parallel, c) for c in TABLE[:5] + THRESHOLD[1:] + ZERO_SNR[:1] + [{"set_alpha_to_one": False}]] + [case(parallel, TABLE[5], 5)]
    return rows


def ddim_inverse():
    name = "DDIMInverse"
    rows = [case(name, {}, n) for n in STEPS + [10]] + [case(name, c) for c in TABLE[:5] + PREDICTIONS + CLIP + [{"timestep_spacing": "trailing"}, {"steps_offset": 1}, {"set_alpha_to_one": False}, {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction"}, {"timestep_spacing": "linspace"}]]
    return rows + [case(name, {"prediction_type": "sample", "set_alpha_to_one": False}, 5), case(name, TABLE[5], 5), case(name, {**SD, "clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1}, 20)]


def ddpm_rows():
    name = "DDPM"
    rows = [mixed(name)] + [case(name, {}, n) for n in STEPS] + [case(name, c) for c in TABLE[:5] + PREDICTIONS + CLIP + THRESHOLD + CHAIN_SPACINGS + ZERO_SNR + [{"beta_schedule": "sigmoid"}, {"beta_schedule": "laplace"}]]
    rows += [case(name, TABLE[5], 5), case(name, {"rescale_betas_zero_snr": True})] + [case(name, {"timestep_spacing": "linspace"}, n) for n in HALVES[:2]]
    for v in ("fixed_small_log", "fixed_large", "fixed_large_log", "learned", "learned_range"):
        rows += [case(name, {"variance_type": v}), case(name, {"variance_type": v, "timestep_spacing": "trailing"}, 7)]
    rows += [case(name, {}, seed=7), case(name, {"clip_sample": False}, 20), case(name, set={"timesteps": [999, 700, 400, 87, 1]}), case(name, set={"timesteps": [100, 87, 50, 51]}), case(name, set={"timesteps": [1000, 5]})]
    parallel = "DDPMParallel"
    rows += [case(parallel, {"beta_schedule": b}, 5) for b in ("sigmoid", "laplace")] + [case(parallel, {"variance_type": v}, 5) for v in ("fixed_small_log", "fixed_large_log", "learned")]
    rows += [case(parallel, c) for c in TABLE[:5] + THRESHOLD[1:] + ZERO_SNR[:1]] + [case(parallel, TABLE[5], 5)]
    rows += [mixed(parallel)] + [case(parallel, c) for c in CLIP + PREDICTIONS + THRESHOLD[:1] + CHAIN_SPACINGS + [{"variance_type": "fixed_large"}, {"variance_type": "learned_range"}]] + [case(parallel, {}, seed=7)]
    return rows


def cogvideox():
    name = "CogVideoXDDIM"
    rows = [case(kind, {"beta_schedule": "linear"}, 5) for kind in (name, "CogVideoXDPM")] + [c for c in ddim(name, thresholds=False)] + [case(name, {"snr_shift_scale": 1.0}), case(name, {"sample_max_value": 2.0}), case(name, {"snr_shift_scale": 1.0, "rescale_betas_zero_snr": True, "prediction_type": "v_prediction", "timestep_spacing": "trailing"}, 20), case(name, step={"eta": 0.5}, )]
    dpm = "CogVideoXDPM"
    rows += [case(dpm, {}, n) for n in STEPS + [10]] + [case(dpm, c) for c in TABLE[:5] + PREDICTIONS + CHAIN_SPACINGS + [{"snr_shift_scale": 1.0}, {"sample_max_value": 2.0}, {"set_alpha_to_one": False}, {"clip_sample": False}, {"clip_sample_range": 0.5}, {"rescale_betas_zero_snr": True}]]
    return rows + [case(dpm, TABLE[5], 5), case(dpm, {}, seed=7), case(dpm, {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction", "timestep_spacing": "trailing", "snr_shift_scale": 1.0}, 20)]


def unclip():
    name = "UnCLIP"
    return [mixed(name)] + [case(name, {}, n) for n in (2, 3, 5, 25)] + [case(name, c) for c in [{"clip_sample": False}, {"clip_sample_range": 0.5}, {"prediction_type": "sample"}, {"variance_type": "learned_range"}, {"num_train_timesteps": 500}]] + [case(name, {}, seed=7), case(name, {}, 1), case(name, {"beta_schedule": "linear"})]


def pndm():
    name = "PNDM"
    rows = []
    for skip in (False, True):
        base_config = {"skip_prk_steps": skip}
        rows += [case(name, base_config, n) for n in (4, 5, 10, 20)] + [case(name, {**base_config, **c}) for c in [{"set_alpha_to_one": True}, {"prediction_type": "v_prediction"}, {"steps_offset": 1}, {"timestep_spacing": "linspace"}, {"timestep_spacing": "trailing"}] + TABLE[1:5]]
    return rows + [mixed(name), case(name, {"num_train_timesteps": 500}), case(name, {**TABLE[5], "skip_prk_steps": True}, 5), case(name, {**SD, "skip_prk_steps": True, "set_alpha_to_one": False, "steps_offset": 1}, 20), case(name, {"skip_prk_steps": True}, 2), case(name, {"skip_prk_steps": True}, 3)] + uneven_pndm(name)


def uneven_pndm(name):
    """Timesteps at the start that are not floor(T / n) apart: two grids meet there."""
    rows = []
    for skip in (False, True):
        for more in ({}, {"prediction_type": "v_prediction"}):
            rows += [case(name, {"skip_prk_steps": skip, "timestep_spacing": "linspace", **more}, n) for n in (5, 13)] + [case(name, {"skip_prk_steps": skip, "timestep_spacing": "trailing", **more}, 7)]
    return rows + [case(name, {"skip_prk_steps": True, **c}, 1) for c in ({}, {"timestep_spacing": "linspace"}, {"timestep_spacing": "trailing", "set_alpha_to_one": True})] + [case(name, {"skip_prk_steps": True, "timestep_spacing": "linspace"}, 2)]


def chain_part():
    small = [case("IPNDM", {}, n) for n in (2, 3, 4, 5, 10, 20)] + [case("IPNDM", {"num_train_timesteps": 500}), case("IPNDM", {"trained_betas": [0.9, 0.7, 0.4, 0.2, 0.0]}, 4), case("IPNDM", begin=3), case("IPNDM", begin=3, how="timestep")]
    wuerst = "DDPMWuerstchen"
    small += [case(wuerst, {}, n) for n in STEPS + [10]] + [case(wuerst, {"scaler": 2.0}), case(wuerst, {"scaler": 0.5}), case(wuerst, {"s": 0.02}), case(wuerst, set={"timesteps": [1.0, 0.8, 0.3, 0.0]}), case(wuerst, {}, seed=7)]
    paint = "RePaint"
    jumps = {"num_inference_steps": 10, "jump_length": 3, "jump_n_sample": 2}
    small += [case(paint, c, set=jumps) for c in [{}, {"eta": 0.5}, {"eta": 1.0}, {"clip_sample": False}, {"beta_schedule": "sigmoid"}] + TABLE[0:5]] + [case(paint, set={"num_inference_steps": 5}), case(paint, {"eta": 1.0}, set={**jumps, "num_inference_steps": 25}, seed=7)]
    return ddim_rows(), ddim_inverse(), ddpm_rows(), cogvideox(), unclip(), pndm(), small


CHURN = {"s_churn": 4.0, "s_tmin": 0.05, "s_tmax": 10.0, "s_noise": 1.003}


def sigma_rows(name, predictions, rules=True, extra=()):
    rows = [mixed(name)] + [case(name, {}, n) for n in STEPS] + [case(name, c) for c in TABLE[:5] + predictions + SPACINGS + list(extra)] + [case(name, TABLE[5], 5)]
    if rules:
        rows += [case(name, c) for c in SIGMAS] + [case(name, {**SD, **c}, 20) for c in SIGMAS] + [case(name, {**SIGMAS[0], "timestep_spacing": "trailing"}), case(name, {**SIGMAS[0], **SIGMAS[2]})]
    return rows + [case(name, {**SD, "timestep_spacing": "leading", "steps_offset": 1}, 20)]


def euler():
    name = "EulerDiscrete"
    zero = {"rescale_betas_zero_snr": True}
    extra = [{"interpolation_type": "log_linear"}, {"interpolation_type": "log_linear", "use_karras_sigmas": True}, {"final_sigmas_type": "sigma_min"}, {"timestep_type": "continuous"}, {"timestep_type": "continuous", "prediction_type": "v_prediction"}, zero,
             {**zero, "timestep_spacing": "trailing", "prediction_type": "v_prediction"}, {"use_karras_sigmas": True, "sigma_min": 0.1}, {"use_karras_sigmas": True, "sigma_max": 50.0}, {"use_exponential_sigmas": True, "sigma_min": 0.1, "sigma_max": 50.0}, {"use_beta_sigmas": True, "sigma_min": 0.1, "sigma_max": 50.0}]
    rows = sigma_rows(name, PREDICTIONS, extra=extra)
    rows += [case(name, step=CHURN), case(name, {"prediction_type": "v_prediction"}, step=CHURN), case(name, {"prediction_type": "sample"}, step=CHURN), case(name, step=CHURN, seed=7)]
    svd = {"sigma_min": 0.002, "sigma_max": 700.0, "timestep_type": "continuous", "prediction_type": "v_prediction", "use_karras_sigmas": True, **SD, "timestep_spacing": "leading", "steps_offset": 1}
    rows += [case(name, svd, 25), case(name, set={"timesteps": [999, 850, 736, 645, 545, 455, 343, 233, 124, 24]}), case(name, set={"sigmas": [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.0]}),
             case(name, svd, set={"sigmas": [700.0, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.0]}), case(name, {"use_karras_sigmas": True}, set={"timesteps": [900, 500]}), case(name, set={"timesteps": [900, 500], "sigmas": [1.0, 0.0]})]
    return rows + img2img(name)


def sigma_part():
    ancestral = "EulerAncestralDiscrete"
    zero = {"rescale_betas_zero_snr": True}
    a = sigma_rows(ancestral, PREDICTIONS[1:], rules=False, extra=[zero, {**zero, "timestep_spacing": "trailing", "prediction_type": "v_prediction"}]) + [case(ancestral, {}, seed=7), case(ancestral, {"prediction_type": "sample"})] + img2img(ancestral)
    heun = "HeunDiscrete"
    b = sigma_rows(heun, PREDICTIONS, extra=[{"clip_sample": True}, {"clip_sample": True, "clip_sample_range": 0.5}, {"beta_schedule": "exp"}])
    b += [case(heun, set={"timesteps": [999, 850, 736, 645, 545, 455, 343, 233, 124, 24]}), case(heun, set={"num_inference_steps": 10, "num_train_timesteps": 800}), case(heun, {"use_karras_sigmas": True}, set={"timesteps": [900, 500]})] + img2img(heun)
    c = []
    for name in ("KDPM2Discrete", "KDPM2AncestralDiscrete"):
        c += sigma_rows(name, PREDICTIONS[1:]) + [case(name, {"prediction_type": "sample"}), case(name, set={"num_inference_steps": 10, "num_train_timesteps": 800})] + img2img(name)
    c += [case("KDPM2AncestralDiscrete", {}, seed=7), case("KDPM2AncestralDiscrete", {"beta_schedule": "squaredcos_cap_v2", "timestep_spacing": "leading"}, 5)]
    lms = "LMSDiscrete"
    d = sigma_rows(lms, PREDICTIONS) + [case(lms, step={"order": o}) for o in (1, 2, 3)] + img2img(lms)
    sde = "DPMSolverSDE"
    e = sigma_rows(sde, PREDICTIONS[1:]) + [case(sde, {"prediction_type": "sample"}), case(sde, set={"num_inference_steps": 10, "num_train_timesteps": 800}), case(sde, step={"s_noise": 0.8}), case(sde, {"noise_sampler_seed": 0}), case(sde, {"noise_sampler_seed": 7, "use_karras_sigmas": True})] + img2img(sde)
    return euler(), a, b, c, d, e


def score_part():
    ve, vp, karras = "ScoreSdeVe", "ScoreSdeVp", "KarrasVe"
    rows = [case(ve, {}, n) for n in (3, 10, 20)] + [case(ve, c) for c in [{"snr": 0.2}, {"sigma_min": 0.05}, {"sigma_max": 50.0}, {"sampling_eps": 1e-3}, {"correct_steps": 2}, {"num_train_timesteps": 1000}]] + [case(ve, {"sigma_max": 50.0}, seed=7), case(ve, set={"num_inference_steps": 10, "sampling_eps": 1e-4})]
    rows += [case(vp, {}, n) for n in (3, 10, 20)] + [case(vp, c) for c in [{"beta_min": 0.5}, {"beta_max": 10.0}, {"sampling_eps": 1e-2}, {"num_train_timesteps": 1000}]] + [case(vp, {}, seed=7)]
    rows += [case(karras, {}, n) for n in (3, 10, 20)] + [case(karras, c) for c in [{"sigma_min": 0.1}, {"sigma_max": 10.0}, {"s_noise": 1.0}, {"s_churn": 0.0}, {"s_min": 1.0}, {"s_max": 5.0}]] + [case(karras, {}, seed=7)]
    decoder, two = "ConsistencyDecoder", {"num_inference_steps": 2}
    rows += [case(decoder, c, set=two) for c in ({}, {"sigma_data": 1.0}, {"num_train_timesteps": 2000})] + [case(decoder, {}, 3), case(decoder, set=two, seed=7)]
    return (rows,)


PARTS = {"chain": chain_part, "sigma": sigma_part, "score": score_part}

if __name__ == "__main__":
    regenerate(PARTS, "schedulers_golden.py")
