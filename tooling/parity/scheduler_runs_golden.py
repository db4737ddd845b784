"""Regenerates packages/samplers/test/golden/scheduler-runs.json: diffusers' schedulers driven as their users drive them.

Run: python tooling/parity/scheduler_runs_golden.py
Needs: torch 2.13 (CPU), numpy 2.4, scipy, torchsde 0.2.6, diffusers 0.42.

Every class, with the configurations that change its steps, goes through one life: looked at and stepped before set_timesteps; begun on
three steps and left after two calls; then run in a plain loop over all its timesteps; set and run again with the same source of noise,
which goes on where it stood; set and run with a sample that is changed between any two calls, as inpainting and callbacks change it; and
asked for add_noise at a timestep in the middle of the chain (500, or `at` where time is a share). The formulas and the float64 arithmetic are those of
lambda_schedulers_golden.py, with states of 6 elements. What raises in Python is written down as `raises` with the number of the call.
"""
import importlib
import json

import diffusers
import numpy as np
import torch

import lambda_schedulers_golden as base
import schedulers_golden as chains
from golden import header
from lambda_schedulers_golden import OUT, SD, TRAINED, pattern, rounded

SHAPE = (2, 3, 1, 1)
SIZE = 6


def start():
    return pattern(7, 13, 0, 4, SIZE, SHAPE)


def changed(x):
    """What a callback does to the sample between two calls."""
    return 0.5 * x + pattern(5, 7, 1, 8, SIZE, SHAPE).to(x.dtype)


# --- One call of a run, for each kind of class
def plain(scheduler, k, x, context):
    t = scheduler.timesteps[k]
    shown = scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else x
    result = scheduler.step(base.network(shown, t, context["extra"]), t, x, **context["step"], return_dict=False)
    return result[0]


def cogvideox_dpm(scheduler, k, x, context):
    times = scheduler.timesteps
    x, context["old"] = scheduler.step(base.network(x, times[k]), context.get("old") if k else None, times[k], times[k - 1] if k else None, x, return_dict=False)
    return x


def wuerstchen(scheduler, k, x, context):
    t = scheduler.timesteps[k]
    return scheduler.step(base.network(x, t), t.expand(2), x, return_dict=False)[0]


def repaint(scheduler, k, x, context):
    times = scheduler.timesteps
    before = times[k - 1] if k else times[0] + 1
    if times[k] >= before:
        return scheduler.undo_step(x, before)
    image, mask = pattern(2, 7, 0, 4, SIZE, SHAPE).to(x.dtype), pattern(1, 2, 0, 1, SIZE, SHAPE).add(1).to(x.dtype)
    return scheduler.step(base.network(x, times[k]), times[k], x, image, mask, return_dict=False)[0]


def score_sde_ve(scheduler, k, x, context):
    calls = scheduler.config.correct_steps + 1
    t = scheduler.timesteps[k // calls]
    sigma = scheduler.discrete_sigmas[(t * (len(scheduler.timesteps) - 1)).long()]
    score = -base.network(x / (1 + sigma), t) / (1 + sigma)
    if k % calls < calls - 1:
        return scheduler.step_correct(score, x, return_dict=False)[0]
    after, mean = scheduler.step_pred(score, t, x, return_dict=False)
    return mean if t == scheduler.timesteps[-1] else after


def score_sde_vp(scheduler, k, x, context):
    t = scheduler.timesteps[k]
    after, mean = scheduler.step_pred(base.network(x, t), x, t)
    return mean if t == scheduler.timesteps[-1] else after


def karras_ve(scheduler, k, x, context):
    times = [t for t in scheduler.timesteps.tolist() for _ in range(2 if t > 0 else 1)]
    sigma, after = scheduler.schedule[times[k]], scheduler.schedule[times[k] - 1] if times[k] > 0 else torch.tensor(0.0)
    if k > 0 and times[k] == times[k - 1]:
        (hat, sigma_hat, derivative), again = context["open"], base.network(x / (1 + after), 0)
        return scheduler.step_correct(again, sigma_hat, after, hat, x, derivative).prev_sample
    hat, sigma_hat = scheduler.add_noise_to_input(x, sigma)
    if context["changes"]:
        hat = changed(hat)
    first = scheduler.step(base.network(hat / (1 + sigma_hat), 0), sigma_hat, after, hat)
    context["open"] = hat, sigma_hat, first.derivative
    return first.prev_sample


def helios_dmd(scheduler, k, x, context):
    shape = (2, 3, 1, 1, 1)
    noise, times = pattern(5, 17, 3 * k, 5, SIZE, SHAPE).to(x.dtype).reshape(shape), scheduler.timesteps
    out = base.network(x, times[k]).reshape(shape)
    return scheduler.step(out, times[k], x.reshape(shape), cur_sampling_step=k, dmd_noisy_tensor=noise, dmd_sigmas=scheduler.sigmas, dmd_timesteps=times, all_timesteps=times, return_dict=False)[0].reshape(SHAPE)


CALLS = {"CogVideoXDPM": cogvideox_dpm, "DDPMWuerstchen": wuerstchen, "RePaint": repaint, "ScoreSdeVe": score_sde_ve, "ScoreSdeVp": score_sde_vp, "KarrasVe": karras_ve, "HeliosDMD": helios_dmd}


def calls_of(name, scheduler):
    if name == "ScoreSdeVe":
        return len(scheduler.timesteps) * (scheduler.config.correct_steps + 1)
    return len(scheduler.timesteps) * 2 - 1 if name == "KarrasVe" else len(scheduler.timesteps)


# --- A life
class FixedPath:
    """In the place of a Brownian path: the noise of the formula."""

    def __init__(self, counter):
        self.counter = counter

    def __call__(self, a, b):
        self.counter.append(1)
        return base.noise_of(len(self.counter) - 1, SHAPE).to(torch.float64 if base.WIDE else torch.float32)


class Life:
    def __init__(self, case, wide):
        base.WIDE = False
        self.case, self.wide, self.dtype, self.counter = case, wide, torch.float64 if wide else torch.float32, []
        self.name = case["class"].removesuffix("Scheduler")
        config = dict(case["config"])
        if config.get("solver_p"):
            inner = dict(config["solver_p"])
            config["solver_p"] = getattr(diffusers, inner.pop("_class_name"))(**inner)
        self.scheduler = getattr(diffusers, case["class"])(**config)

    def widened(self):
        scheduler = self.scheduler
        if self.wide:
            base.widen(scheduler)
            if self.name == "ScoreSdeVe" and scheduler.timesteps is not None:  # the place in the table is found in float32
                scheduler.timesteps = scheduler.timesteps.float()
            if self.name == "CMStochasticIterative":
                least = scheduler.config.sigma_min
                scheduler.sigmas[scheduler.sigmas == float(np.float32(least))] = least
        base.WIDE = self.wide

    def set(self, arguments):
        base.WIDE = False
        arguments = dict(arguments)
        if self.name == "UniPCMultistep" and "sigmas" in arguments:
            arguments["sigmas"] = np.array(arguments["sigmas"])
        self.scheduler.set_timesteps(**arguments)
        if self.name == "ScoreSdeVe":
            self.scheduler.set_sigmas(arguments["num_inference_steps"])
        if self.name in ("DPMSolverSDE", "CosineDPMSolverMultistep"):
            self.scheduler.noise_sampler = FixedPath(self.counter)
        self.widened()

    def run(self, changes=False, most=None):
        """The last state, or the number of the call that raises and the state before it."""
        call, scheduler = CALLS.get(self.name, plain), self.scheduler
        extra = 3 if self.case["config"].get("variance_type") in ("learned", "learned_range") else 0
        context = {"step": self.case.get("step", {}), "extra": extra, "changes": changes}
        init = float(getattr(scheduler, "init_noise_sigma", 1.0))
        x = (start() * init).to(self.dtype) if init == 1 else start().to(self.dtype) * init
        module = importlib.import_module(type(scheduler).__module__)
        with base.fixed_noise(module, self.counter):
            for k in range(min(most or 10**6, calls_of(self.name, scheduler))):
                try:
                    x = call(scheduler, k, changed(x) if changes and k > 0 else x, context)
                except Exception:  # upstream's own failure, whatever it is
                    return {"raises": k, "state": x.flatten().tolist()} if k else {"raises": 0}
        return x.flatten().tolist()


def early(case, wide):
    """The first call without set_timesteps: its result, or that it raises."""
    life = Life(case, wide)
    if getattr(life.scheduler, "timesteps", None) is None:
        return {"raises": 0}
    if life.name in ("DPMSolverSDE", "CosineDPMSolverMultistep"):
        life.scheduler.noise_sampler = FixedPath(life.counter)
    life.widened()
    return life.run(most=1)


def noised(life):
    """add_noise at one timestep in the middle of the chain, which is none of the run: its result, or that it raises."""
    scheduler, t = life.scheduler, torch.tensor([life.case.get("at", 500)])
    x0, noise = start().to(life.dtype), base.noise_of(0, SHAPE).to(life.dtype)
    try:
        out = scheduler.add_noise(x0, noise, t) if hasattr(scheduler, "add_noise") else scheduler.scale_noise(x0, t, noise)
    except Exception:
        return {"raises": 0}
    return out.flatten().tolist()


def batched(life):
    """batch_step_no_noise of the parallel classes, from the first timestep for one item and from the last for the other."""
    scheduler = life.scheduler
    if not hasattr(scheduler, "batch_step_no_noise"):
        return None
    x, times = start().to(life.dtype), torch.stack([scheduler.timesteps[0], scheduler.timesteps[-1]])
    extra = 3 if life.case["config"].get("variance_type") in ("learned", "learned_range") else 0
    return scheduler.batch_step_no_noise(base.network(x, 0, extra), times, x).flatten().tolist()


def lived(case, wide):
    life = Life(case, wide)
    times = getattr(life.scheduler, "timesteps", None)
    init = float(getattr(life.scheduler, "init_noise_sigma", 1.0))
    out = {"before": {"timesteps": [] if times is None or len(times) == 0 else [calls_of(life.name, life.scheduler), float(times[0]), float(times[-1])], "init": init}}
    out["early"] = early(case, wide)
    life.set(case["first"] if "first" in case else {**case["set"], "num_inference_steps": 3} if "num_inference_steps" in case["set"] else case["set"])
    life.run(most=2)
    for key, changes in (("final", False), ("again", False), ("changed", True)):
        life.set(case["set"])
        out[key] = life.run(changes)
        index = getattr(life.scheduler, "step_index", None)
        if key == "final" and index is not None:
            out["stepIndex"] = int(index)
    life.set(case["set"])
    out["noised"] = noised(life)
    if batched(life) is not None:
        out["batch"] = batched(life)
    out["draws"] = len(life.counter)
    return out


def finite(value):
    return bool(np.isfinite(value).all())


def row(case):
    narrow, wide = lived(case, False), lived(case, True)
    out = {**case, "before": {"timesteps": rounded(narrow["before"]["timesteps"], 9), "init": float(f"{narrow['before']['init']:.9g}")}}
    own = 0.0
    for key in ("early", "final", "again", "changed", "noised", *(["batch"] if "batch" in wide else [])):
        a, b = narrow[key], wide[key]
        out[key] = {**b, "state": rounded(b["state"], 10)} if isinstance(b, dict) and "state" in b else b if isinstance(b, dict) else rounded(b, 10)
        a, b = (value.get("state", []) if isinstance(value, dict) else value for value in (a, b))
        assert finite(b), case
        if len(b) > 0 and finite(a) and key not in ("early", "noised"):
            own = max(own, float(np.max(np.abs(np.array(a) - np.array(b))) / max(1e-30, np.max(np.abs(b)))))
    return {**out, **{key: wide[key] for key in ("stepIndex", "draws") if key in wide}, "own": float(f"{own:.2g}")}


# --- Cases
def case(name, *configs, n=4, **more):
    arguments = more.pop("set", {"num_inference_steps": n})
    return [{"class": name + "Scheduler", "config": config, "set": arguments, **more} for config in configs or ({},)]


V = {"prediction_type": "v_prediction"}
KARRAS = {"use_karras_sigmas": True}
FLOW = {"use_flow_sigmas": True, "prediction_type": "flow_prediction"}
TABLE = {"trained_betas": TRAINED, "num_train_timesteps": 20}
END = {"final_sigmas_type": "sigma_min"}
ZERO = {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing", **V}


def cases():
    rows = []
    for name in ("DDIM", "DDIMParallel", "CogVideoXDDIM"):
        rows += case(name, {}, V, {"timestep_spacing": "trailing"}, {"clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1}) + case(name, step={"eta": 1.0}) + case(name, {"timestep_spacing": "linspace"}, step={"eta": 0.5}, n=3)
    rows += case("CogVideoXDPM", {}, V, ZERO) + case("DDIMInverse", {}, V)
    for name in ("DDPM", "DDPMParallel"):
        rows += case(name, {}, V, {"variance_type": "fixed_large"}, {"variance_type": "learned_range"}, {"variance_type": "learned"}, {"timestep_spacing": "trailing"}) + case(name, TABLE, n=20)
    rows += case("DDPMWuerstchen", {}, {"scaler": 2.0}, at=0.5) + case("UnCLIP", {}, {"variance_type": "learned_range"}, {"prediction_type": "sample"}) + case("UnCLIP", {"num_train_timesteps": 6}, {"num_train_timesteps": 6, "variance_type": "learned_range"}, n=6)
    rows += case("PNDM", {}, V, {"skip_prk_steps": True}, {"skip_prk_steps": True, **V}, n=5, first={"num_inference_steps": 4}) + case("PNDM", {"skip_prk_steps": True}, n=1) + case("IPNDM")
    rows += case("RePaint", {}, {"eta": 1.0}, set={"num_inference_steps": 5, "jump_length": 2, "jump_n_sample": 2})
    rows += case("EulerDiscrete", {}, V, KARRAS, {"timestep_spacing": "leading", "steps_offset": 1}, END) + case("EulerDiscrete", {}, V, step={"s_churn": 2.0}) + case("EulerDiscrete", set={"sigmas": [10.0, 3.0, 1.0, 0.0]}) + case("EulerDiscrete", set={"timesteps": [900, 500, 20]})
    rows += case("EulerAncestralDiscrete", {}, V, {"timestep_spacing": "leading"}) + case("EulerAncestralDiscrete", n=1)
    rows += case("HeunDiscrete", {}, V, KARRAS, {"prediction_type": "sample", "clip_sample": True}) + case("HeunDiscrete", set={"timesteps": [900, 500, 20]})
    for name in ("KDPM2Discrete", "KDPM2AncestralDiscrete", "DPMSolverSDE"):
        rows += case(name, {}, V, KARRAS, {**SD, **V})
    rows += case("LMSDiscrete", {}, V, KARRAS) + case("LMSDiscrete", step={"order": 2})
    for algorithm in ("dpmsolver++", "sde-dpmsolver++", "dpmsolver", "sde-dpmsolver"):
        end = END if algorithm in ("dpmsolver", "sde-dpmsolver") else {}
        rows += case("DPMSolverMultistep", {"algorithm_type": algorithm, **end}, {"algorithm_type": algorithm, **V, **end})
        rows += case("DPMSolverMultistep", {"algorithm_type": algorithm, **end}, n=1)
        if algorithm != "sde-dpmsolver":
            rows += case("DPMSolverMultistep", {"algorithm_type": algorithm, "solver_order": 3, "lower_order_final": False, **end}, n=6)
            rows += case("DPMSolverSinglestep", {"algorithm_type": algorithm, **end}, {"algorithm_type": algorithm, **V, **end}, {"algorithm_type": algorithm, "solver_order": 3, **end}, {"algorithm_type": algorithm, "solver_order": 1, **end}, n=6)
            rows += case("DPMSolverSinglestep", {"algorithm_type": algorithm, **END}, n=5)
    rows += case("DPMSolverMultistep", KARRAS, FLOW, {"euler_at_final": True}, {"solver_type": "heun"}, n=15) + case("DPMSolverMultistep", set={"timesteps": [900, 500, 20]})
    rows += case("DPMSolverMultistepInverse", {}, V, {"algorithm_type": "dpmsolver"})
    for name in ("DPMSolverMultistep", "DPMSolverMultistepInverse", "DPMSolverSinglestep", "SASolver"):  # configurations made from DDPM's
        rows += case(name, {"variance_type": "fixed_large"})
    rows += case("DPMSolverMultistep", {"variance_type": "learned_range"}) + case("DPMSolverMultistepInverse", {"variance_type": "learned"}) + case("DPMSolverSinglestep", {"variance_type": "learned"})
    rows += case("DEISMultistep", {}, V, {"solver_order": 3}, FLOW)
    rows += case("UniPCMultistep", {}, V, {"solver_order": 3}, FLOW, {"predict_x0": False, **END}, {"disable_corrector": [0, 2]}, {"solver_type": "bh1", **END}) + case("UniPCMultistep", {"solver_p": {"_class_name": "DPMSolverMultistepScheduler"}}, n=5)
    rows += case("SASolver", {}, V, {"predictor_order": 3, "corrector_order": 3}, {"algorithm_type": "noise_prediction"}, FLOW, n=5)
    rows += case("EDMEuler") + case("EDMEuler", step={"s_churn": 2.0}) + case("EDMDPMSolverMultistep", {}, {"algorithm_type": "sde-dpmsolver++"}, {"solver_order": 3}) + case("EDMDPMSolverMultistep", {"algorithm_type": "sde-dpmsolver++"}, n=1) + case("CosineDPMSolverMultistep")
    rows += case("FlowMatchEulerDiscrete", {}, {"shift": 3.0}, {"stochastic_sampling": True}, {"invert_sigmas": True}, {"invert_sigmas": True, "stochastic_sampling": True}) + case("FlowMatchEulerDiscrete", {}, {"shift": 3.0}, {"stochastic_sampling": True}, KARRAS, set={"sigmas": [1.0, 0.5, 0.0]})
    rows += case("FlowMatchEulerDiscrete", {"use_dynamic_shifting": True}, set={"sigmas": [1.0, 0.5, 0.0], "mu": 0.8}) + case("FlowMatchEulerDiscrete", {"stochastic_sampling": True}, n=1)
    rows += case("FlowMatchHeunDiscrete") + case("FlowMatchHeunDiscrete", {"shift": 3.0}, step={"s_churn": 2.0})
    rows += case("FlowMatchLCM", {}, {"shift": 3.0}) + case("FlowMatchLCM", n=1) + case("FlowMatchLCM", set={"sigmas": [1.0, 0.5, 0.0]}) + case("FlowMapEulerDiscrete", {}, {"shift": 3.0}) + case("FlowMapEulerDiscrete", set={"sigmas": [1.0, 0.5, 0.0]}) + case("FlowMapEulerDiscrete", step={"r_timestep": 100.0})
    rows += case("LTXEulerAncestralRF", {}, {"eta": 0.0}) + case("LTXEulerAncestralRF", set={"sigmas": [1.0, 0.7, 0.0]}) + case("LTXEulerAncestralRF", {"eta": 0.5}, set={"sigmas": [1.0, 0.7, 0.2]}) + case("MiniMaxH3", at=0.5) + case("MiniMaxH3", set={"sigmas": [1.0, 0.6, 0.0]}, at=0.5)
    rows += case("Helios", {}, {"scheduler_type": "euler"}, {"solver_type": "bh1"}, set={"num_inference_steps": 4, "stage_index": 1}) + case("HeliosDMD", set={"num_inference_steps": 3, "stage_index": 1})
    rows += case("CMStochasticIterative") + case("CMStochasticIterative", n=1) + case("LCM", {}, V) + case("LCM", n=1) + case("LCM", set={"num_inference_steps": 4, "strength": 0.5}) + case("TCD", {}, V) + case("TCD", step={"eta": 0.0}) + case("TCD", step={"eta": 1.0}) + case("TCD", n=1)
    rows += case("SCM", set={"num_inference_steps": 2}, first={"num_inference_steps": 2}) + case("SCM", set={"num_inference_steps": 4, "intermediate_timesteps": None}, first={"num_inference_steps": 2})
    rows += case("ScoreSdeVe", {"sigma_max": 50.0}, {"sigma_max": 50.0, "correct_steps": 2}) + case("ScoreSdeVp") + case("KarrasVe", {}, {"s_churn": 0.0}) + case("ConsistencyDecoder", set={"num_inference_steps": 2}, first={"num_inference_steps": 2})
    return rows


if __name__ == "__main__":
    rows = [row(each) for each in cases()]
    head = header("scheduler_runs_golden.py", "2^-22 of the largest element, against diffusers with its float32 tables in float64 arithmetic", diffusers=diffusers.__version__, torch=torch.__version__, numpy=np.__version__)
    text = json.dumps({"header": head, "shape": SHAPE, "cases": rows}, separators=(",", ":"), allow_nan=False).replace('{"class"', '\n{"class"') + "\n"
    (OUT / "scheduler-runs.json").write_text(text)
    print(len(rows), "cases", len(text), "bytes")
    for r in rows:
        odd = {key: r[key]["raises"] for key in ("early", "final", "again", "changed", "noised") if isinstance(r[key], dict)}
        print(r["class"], r["config"], r["set"], r["own"], odd)
