"""Regenerates packages/guidance/test/golden/guidance.json: guidance of diffusers' pipelines on small tensors.

Run: OMP_NUM_THREADS=1 python tooling/parity/guidance_golden.py
Needs: torch 2.13 (CPU), diffusers 0.42.

`rescale` has what StableDiffusionPipeline computes with guidance and `rescale_noise_cfg`; `threshold` what DDPMScheduler._threshold_sample
does to predictions of several spreads. The tolerance is 2^-20 of the greatest magnitude: float32 there, float64 here.
"""
import json
import pathlib

import diffusers
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg

from golden import ROOT, header, whole

OUT = ROOT / "packages/guidance/test/golden/guidance.json"
torch.set_num_threads(1)


def rescales():
    for seed, (shape, scale, phi) in enumerate([([2, 4, 3, 5], 7.5, 0.7), ([1, 3, 4, 4], 12.0, 1.0), ([3, 1, 2, 2], 2.0, 0.0), ([2, 2, 3, 3], -1.5, 0.3)]):
        generator = torch.Generator().manual_seed(seed)
        uncond = torch.randn(shape, generator=generator)
        cond = 0.7 * uncond + 0.5 * torch.randn(shape, generator=generator) + 0.2
        guided = uncond + scale * (cond - uncond)
        yield {"scale": scale, "phi": phi, "cond": whole(cond), "uncond": whole(uncond), "guided": whole(guided), "rescaled": whole(rescale_noise_cfg(guided, cond, guidance_rescale=phi))}


def thresholds():
    for seed, (spread, ratio, most) in enumerate([(3.0, 0.995, 100.0), (3.0, 0.995, 1.0), (0.2, 0.995, 1.5), (2.0, 0.9, 1.5), (2.0, 0.0, 5.0), (2.0, 1.0, 5.0), (4.0, 0.37, 0.5)]):
        sample = spread * torch.randn([3, 2, 4, 5], generator=torch.Generator().manual_seed(100 + seed))
        scheduler = diffusers.DDPMScheduler(thresholding=True, dynamic_thresholding_ratio=ratio, sample_max_value=most)
        yield {"ratio": ratio, "most": most, "sample": whole(sample), "limited": whole(scheduler._threshold_sample(sample))}


golden = {
    **header("guidance_golden.py", "2^-20 of the greatest magnitude", torch=torch.__version__, diffusers=diffusers.__version__),
    "rescale": list(rescales()),
    "threshold": list(thresholds()),
}
OUT.write_text(json.dumps(golden) + "\n")
