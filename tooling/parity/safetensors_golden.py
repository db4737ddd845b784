"""Regenerates packages/io/test/golden/safetensors.{json,safetensors}, or checks a file that Langevin wrote.

Run: python tooling/parity/safetensors_golden.py
     python tooling/parity/safetensors_golden.py --check FILE   (the same tensors must be in FILE, bit for bit)
Needs: torch 2.13 (CPU), safetensors 0.8. Written by the safetensors package itself.
"""
import datetime
import json
import pathlib
import sys

import safetensors
import torch
from safetensors.torch import load_file, save_file

OUT = pathlib.Path(__file__).resolve().parents[2] / "packages/io/test/golden"


def tensors():
    bits16 = torch.tensor([0, 1, 0x3C00, 0x7BFF, 0x0400, 0x4248], dtype=torch.int32).to(torch.int16)
    return {
        "scalar": torch.tensor(1.5),
        "unet.down.0.conv.weight": torch.arange(24, dtype=torch.float32).reshape(2, 3, 2, 2) / 7,
        "special": torch.tensor([0.0, -0.0, float("inf"), float("-inf"), float("nan"), 1e-45, 3.4028235e38]),
        "half": bits16.view(torch.float16),
        "brain": bits16.clone().view(torch.bfloat16).reshape(2, 3),
        "steps": torch.tensor([-(2**31), -1, 0, 2**31 - 1], dtype=torch.int32),
        "ids": torch.tensor([[-(2**63), 2**63 - 1], [0, -1]], dtype=torch.int64),
        "bytes": torch.tensor([0, 1, 127, 128, 255], dtype=torch.uint8),
        "mask": torch.tensor([True, False, True]),
        "empty": torch.zeros(0, 4),
        "\u00fcml\u00e4ut \"quoted\" \U0001f600": torch.tensor([1.0]),
        "\uffee": torch.tensor([2.0]),
        "10": torch.tensor([3.0]),
        "9": torch.tensor([4.0]),
    }


def raw(tensor):
    return tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes().hex() if tensor.numel() else ""


def describe(name, tensor):
    return {"name": name, "dtype": str(tensor.dtype).removeprefix("torch."), "shape": list(tensor.shape), "hex": raw(tensor)}


if __name__ == "__main__":
    expected = tensors()
    if sys.argv[1:2] == ["--check"]:
        found = load_file(sys.argv[2])
        assert [describe(k, found[k]) for k in sorted(found)] == [describe(k, expected[k]) for k in sorted(expected)]
        print(f"{sys.argv[2]}: {len(found)} tensors, all equal")
    else:
        save_file(expected, OUT / "safetensors.safetensors", metadata={"format": "pt"})
        header = {
            "script": "tooling/parity/safetensors_golden.py",
            "versions": {"safetensors": safetensors.__version__, "torch": torch.__version__},
            "date": datetime.date.today().isoformat(),
            "tolerance": "exact bytes",
        }
        rows = [describe(name, expected[name]) for name in sorted(expected)]
        (OUT / "safetensors.json").write_text(json.dumps({"header": header, "tensors": rows}, indent=1) + "\n")
