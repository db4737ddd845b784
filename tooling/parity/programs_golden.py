"""Regenerates packages/tensor/test/golden/programs.json: what PyTorch says of random programs of all ops.

Run: npm run bench -- program-list > /tmp/programs.json && python tooling/parity/programs_golden.py /tmp/programs.json
Needs: torch 2.13 (CPU), numpy 2.4.

The programs are drawn by packages/tensor/src/testing/programs; this script interprets the same JSON (programs.py). Each number is
PyTorch's in float64, to nine digits; the test compares with what rounding in float32 can do to the very program.
With --stream it answers on standard output instead, one line of JSON for each line of JSON that it reads: for `npm run evidence -- programs`.
"""
import json
import math
import sys

import numpy as np
import torch

from golden import ROOT, header
from programs import results

torch.set_num_threads(1)


def shown(value):
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return float(f"{value:.9g}") if isinstance(value, float) else int(value)


def answer(spec):
    return {name: [[shown(v) for v in t.detach().clone().flatten().tolist()] for t in tensors] for name, tensors in results(spec).items()}


def main():
    if sys.argv[1:] == ["--stream"]:
        for line in sys.stdin:
            try:
                print(json.dumps(answer(json.loads(line))), flush=True)
            except Exception as error:  # said to whoever asked, who judges it
                print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
        return
    specs = json.loads(open(sys.argv[1], encoding="utf-8").read())
    cases = [{"spec": spec, "results": answer(spec)} for spec in specs]
    about = header("programs_golden.py", "what rounding in float32 can do to the program, see expectationsOf", torch=torch.__version__, numpy=np.__version__)
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (ROOT / "packages/tensor/test/golden").mkdir(exist_ok=True)
    (ROOT / "packages/tensor/test/golden/programs.json").write_text(f'{{"provenance":{json.dumps(about)},"cases":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
