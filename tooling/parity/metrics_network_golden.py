"""Regenerates packages/metrics/test/golden/network.{onnx,json}: a small random network, and the features that PyTorch gets from it.

Run: python tooling/parity/metrics_network_golden.py [--inception FOLDER]
Needs: numpy, scipy, Pillow, torch 2.13 (CPU), onnx 1.23, torch-fidelity 0.4 (pip install --no-deps torch-fidelity onnx ml_dtypes).

With --inception it also writes inception.onnx and inception.json to FOLDER: the Inception network of the FID in the layout of pytorch-fid and
torchmetrics (torch-fidelity's, which torchmetrics wraps), randomly initialised. At 87 MB it is not committed;
LANGEVIN_INCEPTION=FOLDER npx vitest run packages/metrics/test/network.test.ts compares with it.
"""
import argparse
import importlib
import importlib.util
import json
import math
import pathlib
import sys
import types

import numpy as np
import PIL
import scipy
import scipy.linalg
import torch
import torch.nn.functional as F
from golden import ROOT, digits, header
from PIL import Image

OUT = ROOT / "packages/metrics/test/golden"


def picture(i, side):
    """Bytes [side, side, 3]: waves and grains by a formula that the test computes too."""
    def value(y, x, c):
        wave = math.sin(0.3 * (i + 1) * x + 0.17 * y + c) + math.cos(0.23 * y * (1 + i % 3))
        return int(math.floor(127.5 + 60 * wave)) + (7 * x + 13 * y + 5 * c + 3 * i) % 8 - 4
    return np.array([[[min(255, max(0, value(y, x, c))) for c in range(3)] for x in range(side)] for y in range(side)], dtype=np.uint8)


def fidelity(name):
    """A module of torch-fidelity without its package's own imports, which need torchvision."""
    if "torch_fidelity" not in sys.modules:
        package = types.ModuleType("torch_fidelity")
        package.__path__ = list(importlib.util.find_spec("torch_fidelity").submodule_search_locations)
        sys.modules["torch_fidelity"] = package
    return importlib.import_module(f"torch_fidelity.{name}")


def resized(pictures, side, how):
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    if how == "bilinear":
        return F.interpolate(x, size=(side, side), mode="bilinear", align_corners=False)
    if how == "bilinear-tf1":
        return fidelity("interpolate_compat_tensorflow").interpolate_bilinear_2d_like_tensorflow1x(x, size=(side, side), align_corners=False)
    if how == "area":
        return F.adaptive_avg_pool2d(x, side)
    resample = {"bicubic-antialias": Image.BICUBIC, "bilinear-antialias": Image.BILINEAR}[how]
    planes = [[np.array(Image.fromarray(p[:, :, c].astype(np.float32), mode="F").resize((side, side), resample)) for c in range(3)] for p in pictures]
    return torch.from_numpy(np.array(planes))


def frechet(a, b):
    (m1, c1), (m2, c2) = ((x.mean(0), np.cov(x, rowvar=False)) for x in (a, b))
    return float(((m1 - m2) ** 2).sum() + np.trace(c1 + c2 - 2 * scipy.linalg.sqrtm(c1 @ c2)).real)


def export(model, path, side):
    torch.onnx.export(
        model, (torch.zeros(2, 3, side, side),), str(path), input_names=["pictures"], output_names=["features"], dynamo=False,
        dynamic_axes={"pictures": {0: "n"}, "features": {0: "n"}},
    )


def small():
    torch.manual_seed(5)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, stride=2), torch.nn.BatchNorm2d(8), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Conv2d(8, 6, 3), torch.nn.ReLU()
    ).eval()
    export(model, OUT / "network.onnx", 24)
    mean, std = torch.tensor([0.4, 0.5, 0.6]).view(3, 1, 1), torch.tensor([0.2, 0.25, 0.3]).view(3, 1, 1)
    cases = []
    for side, how in ((40, "bicubic-antialias"), (40, "bilinear-antialias"), (40, "bilinear"), (40, "bilinear-tf1"), (48, "area"), (17, "bicubic-antialias"), (17, "bilinear"), (17, "bilinear-tf1")):
        sets = [np.array([picture(i, side) for i in range(k, k + 16)]) for k in (0, 16)]
        features = [model((resized(s, 24, how) / 255 - mean) / std).mean((2, 3)).detach().double().numpy() for s in sets]
        first = torch.from_numpy(features[0])
        cases.append(dict(side=side, resize=how, features=digits(first.flatten()), frechet=frechet(*features)))
    tolerance = "features 1e-4, Frechet 1e-4 relative: both networks round in float32, pictures are resized in float32 there and float64 here"
    versions = dict(torch=torch.__version__, pillow=PIL.__version__, scipy=scipy.__version__, numpy=np.__version__)
    (OUT / "network.json").write_text(json.dumps(dict(**header("metrics_network_golden.py", tolerance, **versions), cases=cases), indent=1) + "\n")


def inception(folder):
    folder.mkdir(parents=True, exist_ok=True)
    module = fidelity("feature_extractor_inceptionv3")
    torch.manual_seed(7)
    # No weights are fetched: those of a fresh network take their place.
    original = module.FeatureExtractorInceptionV3.load_state_dict
    module.load_state_dict_from_url = lambda *_, **__: None
    module.FeatureExtractorInceptionV3.load_state_dict = lambda self, state: None
    network = module.FeatureExtractorInceptionV3("inception", ["2048"])
    module.FeatureExtractorInceptionV3.load_state_dict = original
    for part in network.modules():
        # Fresh weights let signals die on the way through 48 layers; these keep their size.
        if isinstance(part, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(part.weight)
    pictures = np.array([picture(i, 40) for i in range(12)])
    expected = network(torch.from_numpy(pictures).permute(0, 3, 1, 2))[0].double().numpy()
    body = torch.nn.Sequential(*list(network.children())[:-1], torch.nn.Flatten()).eval()
    export(body, folder / "inception.onnx", 299)
    halves = [expected[:6], expected[6:]]
    result = dict(features=expected.flatten().tolist(), frechet=frechet(*halves))
    (folder / "inception.json").write_text(json.dumps(result) + "\n")
    print(f"features from {expected.min():.4g} to {expected.max():.4g}, Frechet distance of the halves {result['frechet']:.6g}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--inception", type=pathlib.Path)
    given = parser.parse_args()
    small()
    if given.inception:
        inception(given.inception)


main()
