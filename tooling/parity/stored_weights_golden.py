"""Regenerates packages/io/test/golden/stored-weights.json: floats of 8 bits as torch reads them, and blocks of GGUF as its own package does.

Run: python tooling/parity/stored_weights_golden.py
Needs: torch 2.13 (CPU), gguf 0.19 (PyPI).
Tolerance: none, all numbers are equal bit for bit.
"""
import base64
import json
import pathlib
import tempfile

import gguf
import numpy
import torch

from golden import ROOT, header

OUT = ROOT / "packages/io/test/golden/stored-weights.json"
FLOAT8 = {"F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2, "F8_E4M3FNUZ": torch.float8_e4m3fnuz, "F8_E5M2FNUZ": torch.float8_e5m2fnuz}
TYPES = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"]
# Where the scales of a block lie: halves that are no NaN and no infinity.
HALVES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}


def text(array):
    return base64.b64encode(numpy.ascontiguousarray(array).tobytes()).decode()


def blocks(name, random):
    quant = gguf.GGMLQuantizationType[name]
    elements, size = gguf.GGML_QUANT_SIZES[quant]
    raw = random.integers(0, 256, (3, size), dtype=numpy.uint8)
    for at in HALVES[name]:
        raw[:, at:at + 2] = (random.standard_normal((3, 1)) / 16).astype(numpy.float16).view(numpy.uint8)
    return {"type": int(quant), "elements": elements, "bytes": size, "blocks": text(raw), "values": text(gguf.quants.dequantize(raw, quant).astype(numpy.float32))}


def file(random):
    """A small file by the package's own writer: several types, a noted shape, notes of every kind."""
    path = pathlib.Path(tempfile.mkdtemp()) / "tiny.gguf"
    writer = gguf.GGUFWriter(path, "sd1")
    writer.add_uint32("a.number", 7)
    writer.add_array("a.list", ["x", "y"])
    writer.add_array("comfy.gguf.orig_shape.conv.weight", [2, 4, 2, 2])
    writer.add_bool("a.flag", True)
    writer.add_float64("a.float", 0.25)
    values = {"plain.weight": random.standard_normal((3, 5)), "half.weight": random.standard_normal((2, 4)), "conv.weight": random.standard_normal((1, 32)), "linear.weight": random.standard_normal((3, 64))}
    types = {"plain.weight": "F32", "half.weight": "F16", "conv.weight": "Q8_0", "linear.weight": "Q5_0"}
    read = {}
    for name, value in values.items():
        quant = gguf.GGMLQuantizationType[types[name]]
        data = gguf.quants.quantize(value.astype(numpy.float32), quant)
        writer.add_tensor(name, data, raw_dtype=quant)
        read[name] = {"shape": list(value.shape), "stored": types[name], "values": text(gguf.quants.dequantize(data, quant).astype(numpy.float32))}
    read["conv.weight"]["shape"] = [2, 4, 2, 2]
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return {"file": base64.b64encode(path.read_bytes()).decode(), "tensors": read}


def main():
    random = numpy.random.default_rng(12)
    table = lambda dtype: text(torch.arange(256, dtype=torch.int32).to(torch.uint8).view(dtype).to(torch.float32).numpy())
    OUT.write_text(json.dumps({
        **header("stored_weights_golden.py", 0, torch=torch.__version__, gguf="0.19.0"),
        "float8": {name: table(dtype) for name, dtype in FLOAT8.items()},
        "blocks": {name: blocks(name, random) for name in TYPES},
        **file(random),
    }, indent=1) + "\n")


main()
