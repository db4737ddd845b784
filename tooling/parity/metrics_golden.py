"""Regenerates packages/metrics/test/golden/metrics.json: distances, coverage and similarity by independent implementations.

Run: python tooling/parity/metrics_golden.py
Needs: numpy, scipy, torch 2.13 (CPU), prdc 0.2 with scikit-learn, torchmetrics 1.9, scikit-image.

Features come from a formula that both sides compute, so that the file holds results only.
"""
import json
import math

import numpy as np
import prdc
import scipy.linalg
import skimage
import torch
import torchmetrics
from golden import ROOT, header
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torchmetrics.image.kid import poly_mmd

OUT = ROOT / "packages/metrics/test/golden/metrics.json"


def uniform(i, j, phase):
    x = math.sin(12.9898 * (i + 1) + 78.233 * (j + 1) + phase) * 43758.5453
    return x - math.floor(x)


def features(count, width, phase, shift, scale):
    return np.array(
        [[shift + scale * (1 + j / width) * (sum(uniform(i, j, phase + k) for k in range(3)) - 1.5) for j in range(width)] for i in range(count)]
    )


def frechet(a, b):
    (m1, c1), (m2, c2) = ((x.mean(0), np.cov(x, rowvar=False)) for x in (a, b))
    root = scipy.linalg.sqrtm(c1 @ c2)
    return float(((m1 - m2) ** 2).sum() + np.trace(c1 + c2 - 2 * root).real)


def pictures(count, side, phase):
    return np.array([[[[2 * uniform(y * side + x, c, phase + i) - 1 for x in range(side)] for y in range(side)] for c in range(3)] for i in range(count)])


def main():
    sets = {
        "apart": dict(a=dict(count=60, width=8, phase=0.1, shift=0.0, scale=1.0), b=dict(count=80, width=8, phase=7.3, shift=0.4, scale=1.3)),
        "alike": dict(a=dict(count=90, width=5, phase=2.2, shift=3.0, scale=1.0), b=dict(count=70, width=5, phase=5.9, shift=3.0, scale=1.0)),
        "far from zero": dict(a=dict(count=60, width=4, phase=0.4, shift=100.0, scale=1.0), b=dict(count=60, width=4, phase=1.4, shift=100.3, scale=1.1)),
    }
    cases = []
    for name, recipe in sets.items():
        a, b = features(**recipe["a"]), features(**recipe["b"])
        coverage = {str(k): prdc.compute_prdc(real_features=b, fake_features=a, nearest_k=k) for k in (1, 3, 5)}
        x, y = torch.from_numpy(a), torch.from_numpy(b)
        kernel = lambda p, q: (p @ q.T / a.shape[1] + 1) ** 3
        mmd = lambda p, q: (
            (kernel(p, p).sum() - kernel(p, p).diag().sum()) / (len(p) * (len(p) - 1))
            + (kernel(q, q).sum() - kernel(q, q).diag().sum()) / (len(q) * (len(q) - 1))
            - 2 * kernel(p, q).mean()
        )
        least = min(len(a), len(b))
        equal = float(poly_mmd(x[:least], y[:least]))
        assert abs(equal - float(mmd(x[:least], y[:least]))) < 1e-12 * max(1, float(kernel(x, y).mean()))
        cases.append(dict(name=name, **recipe, frechet=frechet(a, b), kernel=float(mmd(x, y)), kernelOfEqualCounts=equal, coverage=coverage))
    p, q = pictures(2, 16, 0.3), pictures(2, 16, 4.1)
    q = 0.7 * p + 0.3 * q
    similarity = dict(
        psnr=[float(peak_signal_noise_ratio(x, y, data_range=2)) for x, y in zip(p, q)],
        ssim=[
            float(structural_similarity(x, y, data_range=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, channel_axis=0))
            for x, y in zip(p, q)
        ],
    )
    versions = dict(numpy=np.__version__, scipy=scipy.__version__, prdc="0.2", torchmetrics=torchmetrics.__version__, skimage=skimage.__version__)
    tolerance = "Frechet and similarity 1e-9 relative; kernel 1e-5 of the mean kernel (products are float32); coverage: counts of items, equal"
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(dict(**header("metrics_golden.py", tolerance, **versions), cases=cases, similarity=similarity), indent=1) + "\n")


main()
