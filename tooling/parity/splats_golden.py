"""Regenerates packages/io/test/golden/splats/: files of Gaussians written by other people's code, and what that code reads from them.

Run: python tooling/parity/splats_golden.py --spz FOLDER
     python tooling/parity/splats_golden.py --check FILE.ply   (prints what plyfile finds in a file that Langevin wrote)
Needs: torch 2.13 (CPU), safetensors 0.8, plyfile 1.1, zstandard 0.25, gsplat 1.5.3 (its exporter, which runs without CUDA); g++ with zlib;
       FOLDER is a checkout of github.com/nianticlabs/spz at 21715c3. Its ZSTD is not needed: version 4 is made of the columns of version 3.
"""
import argparse
import datetime
import gzip
import importlib.metadata
import importlib.util
import json
import pathlib
import struct
import subprocess
import tempfile
import zlib

import numpy as np
import plyfile
import torch
import zstandard
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE.parents[1] / "packages/io/test/golden/splats"
SPZ_COMMIT = "21715c3"
ZSTD_STUB = """#pragma once
#include <cstddef>
enum ZSTD_cParameter { ZSTD_c_compressionLevel };
struct ZSTD_CCtx;
inline size_t ZSTD_compressBound(size_t) { return 0; }
inline ZSTD_CCtx *ZSTD_createCCtx() { return nullptr; }
inline size_t ZSTD_CCtx_setParameter(ZSTD_CCtx *, ZSTD_cParameter, int) { return 1; }
inline size_t ZSTD_compress2(ZSTD_CCtx *, void *, size_t, const void *, size_t) { return 1; }
inline size_t ZSTD_freeCCtx(ZSTD_CCtx *) { return 0; }
inline unsigned ZSTD_isError(size_t) { return 1; }
inline size_t ZSTD_decompress(void *, size_t, const void *, size_t) { return 0; }
"""


def cloud(count, degree, seed):
    """Numbers of trained scenes, with some beyond what the small formats can hold."""
    rng = np.random.default_rng(seed)
    k = (degree + 1) ** 2
    return {
        "means": rng.normal(0, 3, (count, 3)).astype(np.float32),
        "quaternions": rng.normal(0, 1, (count, 4)).astype(np.float32),
        "logScales": rng.uniform(-8, 0, (count, 3)).astype(np.float32),
        "opacityLogits": rng.uniform(-5, 5, count).astype(np.float32),
        "sh": np.concatenate([rng.uniform(-1.7, 1.7, (count, 1, 3)), rng.normal(0, 0.3, (count, k - 1, 3))], axis=1).astype(np.float32),
    }


def gsplat_exporter():
    """The file alone: the package itself would look for CUDA."""
    path = importlib.metadata.distribution("gsplat").locate_file("gsplat/exporter.py")
    spec = importlib.util.spec_from_file_location("gsplat_exporter", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_with_gsplat(exporter, original, tensors):
    t = {name: torch.from_numpy(array) for name, array in original.items()}
    for kind in ("ply", "splat", "ply_compressed"):
        data = exporter.export_splats(t["means"], t["logScales"], t["quaternions"], t["opacityLogits"], t["sh"][:, :1], t["sh"][:, 1:], format=kind)
        name = {"ply": "gsplat.ply", "splat": "gsplat.splat", "ply_compressed": "gsplat.compressed.ply"}[kind]
        (OUT / name).write_bytes(data)
    # Both small formats come in this order.
    kept = torch.sigmoid(t["opacityLogits"]) > 1 / 255
    tensors["gsplat.splat.order"] = exporter.sort_centers(t["means"], torch.arange(len(t["means"]))).numpy().astype(np.int32)
    tensors["gsplat.compressed.order"] = np.flatnonzero(kept.numpy())[exporter.sort_centers(t["means"][kept], torch.arange(int(kept.sum()))).numpy()].astype(np.int32)


def write_with_plyfile(original):
    """Properties in an order of their own, of several types, after an element that is none of ours."""
    k = original["sh"].shape[1]
    columns = {f"rot_{i}": original["quaternions"][:, i] for i in range(4)}
    columns |= {f"f_rest_{i}": original["sh"][:, 1 + i % (k - 1), i // (k - 1)] for i in reversed(range(3 * (k - 1)))}
    columns |= {"opacity": original["opacityLogits"].astype(np.float64), "red": np.arange(len(original["means"]), dtype=np.uint8)}
    columns |= {f"scale_{i}": original["logScales"][:, i] for i in range(3)}
    columns |= {f"f_dc_{i}": original["sh"][:, 0, i] for i in range(3)}
    columns |= {axis: original["means"][:, i] for i, axis in enumerate("xyz")}
    rows = np.rec.fromarrays(list(columns.values()), names=list(columns))
    elements = [plyfile.PlyElement.describe(np.array([(1, 2.5)], dtype=[("id", "i4"), ("focal", "f8")]), "camera"), plyfile.PlyElement.describe(rows, "vertex")]
    plyfile.PlyData(elements, byte_order="<").write(OUT / "plyfile-little.ply")
    plyfile.PlyData(elements, byte_order=">", comments=["SplatRenderMode: mip"]).write(OUT / "plyfile-big.ply")
    plyfile.PlyData(elements, text=True).write(OUT / "plyfile-ascii.ply")


def compile_spz(folder, build):
    (build / "zstd.h").write_text(ZSTD_STUB)
    program = build / "splats_golden"
    sources = [folder / "src/cc" / name for name in ("load-spz.cc", "splat-types.cc", "splat-c-types.cc")]
    subprocess.run(["g++", "-std=c++17", "-O1", "-w", "-I", build, "-I", folder / "src/cc", HERE / "splats_golden.cc", *sources, "-lz", "-lpthread", "-o", program], check=True)
    return program


def write_with_spz(program, original, tensors):
    count, k = original["sh"].shape[:2]
    degree = int(k**0.5) - 1
    parts = [np.float32([count, degree]), original["means"], original["logScales"], np.roll(original["quaternions"], -1, axis=1), original["opacityLogits"], original["sh"][:, 0], original["sh"][:, 1:]]
    floats = b"".join(np.ascontiguousarray(part, dtype=np.float32).tobytes() for part in parts)
    for version in (2, 3):
        path = OUT / f"spz-v{version}.spz"
        subprocess.run([program, "pack", str(version), path], input=floats, check=True, stdout=subprocess.DEVNULL)
        found = np.frombuffer(unpacked(program, path), dtype=np.float32)
        sizes = {"means": (count, 3), "logScales": (count, 3), "quaternions": (count, 4), "opacityLogits": (count,), "dc": (count, 3), "rest": (count, k - 1, 3)}
        at = 0
        decoded = {}
        for name, shape in sizes.items():
            size = int(np.prod(shape))
            decoded[name] = found[at : at + size].reshape(shape)
            at += size
        assert at == found.size
        decoded["quaternions"] = np.roll(decoded["quaternions"], 1, axis=1)
        decoded["sh"] = np.concatenate([decoded.pop("dc")[:, None], decoded.pop("rest")], axis=1)
        for name, array in decoded.items():
            tensors[f"spz-v{version}.{name}"] = np.ascontiguousarray(array)
    write_version_4(count, k)


def unpacked(program, path):
    """The library logs to the standard output, before the floats."""
    output = subprocess.run([program, "unpack", path], check=True, capture_output=True).stdout
    return output[output.rfind(b"\n", 0, 600) + 1 :] if output[:4] == b"[SPZ" else output


def write_version_4(count, k):
    raw = gzip.decompress((OUT / "spz-v3.spz").read_bytes())
    header, body = raw[:16], raw[16:]
    streams = []
    for width in (9, 1, 3, 3, 4, 3 * (k - 1)):
        streams.append(body[: width * count])
        body = body[width * count :]
    assert body == b""
    frames = [zstandard.ZstdCompressor(level=level).compress(stream) for level, stream in zip((1, 3, 9, 12, 19, 12), streams)]
    head = header[:4] + struct.pack("<I", 4) + header[8:15] + bytes([len(frames)]) + struct.pack("<I", 32) + bytes(12)
    table = b"".join(struct.pack("<QQ", len(frame), len(stream)) for frame, stream in zip(frames, streams))
    (OUT / "spz-v4.spz").write_bytes(head + table + b"".join(frames))


def write_zstd():
    """Data that brings out every part of the format: literals of each kind, long and overlapping matches, repeated offsets, several blocks."""
    rng = np.random.default_rng(7)
    text = b" ".join(rng.choice([b"means", b"quaternions", b"scales", b"opacity", b"harmonics", b"0", b"1"], 20000))
    cases = {
        "text": (text, 19),
        "text-fast": (text, -5),
        "repeats": (bytes(rng.integers(0, 256, 37, dtype=np.uint8)) * 9000, 3),
        "skewed": (rng.geometric(0.2, 135_000).clip(0, 255).astype(np.uint8).tobytes(), 12),
        "noise": (rng.integers(0, 256, 3000, dtype=np.uint8).tobytes(), 3),
        "zeros": (bytes(300_000), 3),
        "empty": (b"", 3),
        "few-symbols": (rng.choice(np.frombuffer(b"ab", np.uint8), 500).tobytes(), 6),
    }
    folder = OUT / "zstd"
    folder.mkdir(exist_ok=True)
    sizes = {}
    for name, (data, level) in cases.items():
        (folder / f"{name}.zst").write_bytes(zstandard.ZstdCompressor(level=level, write_checksum=name == "skewed").compress(data))
        sizes[name] = {"bytes": len(data), "crc32": zlib.crc32(data)}
    return sizes


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--spz", type=pathlib.Path)
    parser.add_argument("--check", type=pathlib.Path)
    options = parser.parse_args()
    if options.check:
        vertex = plyfile.PlyData.read(options.check)["vertex"]
        print(json.dumps({p.name: [float(v) for v in vertex[p.name][:3]] for p in vertex.properties}))
    else:
        OUT.mkdir(parents=True, exist_ok=True)
        original = cloud(40, 3, 1)
        packed = cloud(300, 1, 2)
        tensors = {f"original.{name}": array for name, array in original.items()} | {f"packed.{name}": array for name, array in packed.items()}
        write_with_gsplat(gsplat_exporter(), packed, tensors)
        write_with_plyfile(original)
        with tempfile.TemporaryDirectory() as build:
            write_with_spz(compile_spz(options.spz.resolve(), pathlib.Path(build)), original, tensors)
        header = {
            "script": "tooling/parity/splats_golden.py",
            "versions": {"spz": SPZ_COMMIT, **{name: importlib.metadata.version(name) for name in ("gsplat", "plyfile", "zstandard", "torch")}},
            "date": datetime.date.today().isoformat(),
            "tolerance": "exact where a file holds float32; else the quantisation step of the format, see the test",
            "zstd": write_zstd(),
        }
        save_file(tensors, OUT / "splats.safetensors", metadata={"golden": json.dumps(header)})
        print(sum(f.stat().st_size for f in OUT.rglob("*") if f.is_file()), "bytes")
