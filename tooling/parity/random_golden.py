"""Regenerates packages/tensor/test/random/golden/{torch,seed-sequence,brownian}.json.

Run: python tooling/parity/random_golden.py [part ...]
Needs: torch 2.13 (CPU), numpy 2.4, and for the part "brownian" torchsde 0.2.6.
Large results are stored as every `stride`-th element and sums in float64.
"""
import datetime
import json
import pathlib
import sys

import numpy as np
import torch

OUT = pathlib.Path(__file__).resolve().parents[2] / "packages/tensor/test/random/golden"
SEEDS = [0, 42, 1234, 2**31 + 5, 2**53 - 1, -1]


def generator(seed):
    return torch.Generator().manual_seed(seed)


def header(tolerance, **versions):
    return {"script": "tooling/parity/random_golden.py", "versions": versions, "date": datetime.date.today().isoformat(), "tolerance": tolerance}


def sampled(tensor, most=40):
    flat = tensor.flatten()
    stride = max(1, flat.numel() // most) | 1  # odd, so that every place within a block of 16 occurs
    wide = flat.double()
    return {"count": flat.numel(), "stride": stride, "values": flat[::stride].tolist(), "sum": wide.sum().item(), "absSum": wide.abs().sum().item(), "tail": flat[-min(16, flat.numel()):].tolist()}


def torch_part():
    shapes = [(1,), (4,), (15,), (16,), (17,), (3, 11), (2, 3, 16, 16), (1, 4, 64, 64)]
    normal = [{"seed": str(seed), **sampled(torch.randn(shape, generator=generator(seed)))}
              for i, seed in enumerate(SEEDS) for j, shape in enumerate(shapes) if (i + j) % 2 == 0]
    normal64 = [{"seed": str(seed), **sampled(torch.randn(n, generator=generator(seed), dtype=torch.float64))}
                for seed in SEEDS[:4] for n in (5, 16, 37, 1000)]
    uniform = [{"seed": str(seed), **sampled(torch.rand(n, generator=generator(seed)))} for seed in SEEDS for n in (7, 2000)]
    uniform64 = [{"seed": str(seed), **sampled(torch.rand(n, generator=generator(seed), dtype=torch.float64))} for seed in SEEDS for n in (7, 2000)]
    ranges = [(0, 10), (-5, 5), (0, 1000), (0, 2**28 - 1), (0, 2**28), (0, 2**31), (-(2**31), 2**31)]
    integers = [{"seed": str(seed), "low": low, "high": high, "values": torch.randint(low, high, (20,), generator=generator(seed)).tolist()}
                for seed in SEEDS[:3] for low, high in ranges]
    permutation = [{"seed": str(seed), "values": torch.randperm(n, generator=generator(seed)).tolist()} for seed, n in [(0, 1), (0, 2), (0, 10), (42, 100), (-1, 700)]]
    # One generator through several kinds of draw: what each consumes, and the cached second normal.
    g = generator(7)
    mixed = [
        ["normal", 3, torch.randn(3, generator=g).tolist()],
        ["uniform", 2, torch.rand(2, generator=g).tolist()],
        ["normal", 20, torch.randn(20, generator=g).tolist()],
        ["normal64", 2, torch.randn(2, generator=g, dtype=torch.float64).tolist()],
        ["permutation", 9, torch.randperm(9, generator=g).tolist()],
        ["normal", 1, torch.randn(1, generator=g).tolist()],
        ["uniform64", 3, torch.rand(3, generator=g, dtype=torch.float64).tolist()],
        ["normal64", 18, torch.randn(18, generator=g, dtype=torch.float64).tolist()],
        ["normal", 700, torch.randn(700, generator=g).tolist()[-5:]],
        ["uniform", 4, torch.rand(4, generator=g).tolist()],
    ]
    return {"header": header({"normal": "2e-6 absolute", "normal64": "1e-15 relative", "others": "exact"}, torch=torch.__version__),
            "normal": normal, "normal64": normal64, "uniform": uniform, "uniform64": uniform64, "integers": integers, "permutation": permutation, "mixed": mixed}


def seed_sequence_part():
    cases = []
    for entropy, key, pool, words in [(0, (), 24, 3), (0, (0, 0), 24, 4), (0, (1, 1), 24, 4), (12345678901, (), 24, 2), (0, (), 4, 10), (2**64 - 1, (5,), 4, 8),
                                      (2**200 + 12345, (), 4, 9), (2**200 + 12345, (7, 2**40), 5, 9), ([1, 2**33, 0], (), 4, 6), ([1, 2, 3, 4, 5, 6], (9,), 4, 6)]:
        state = np.random.SeedSequence(entropy, spawn_key=key, pool_size=pool).generate_state(words)
        cases.append({"entropy": [str(e) for e in entropy] if isinstance(entropy, list) else str(entropy), "spawnKey": [str(k) for k in key], "poolSize": pool, "words": state.tolist()})
    return {"header": header("exact", numpy=np.__version__), "cases": cases}


def brownian_part():
    import importlib.metadata

    import torchsde

    cases = []
    for seed, t0, t1, count, times in [(0, 0.0291675, 14.6146, 4, [14.6146, 9.7, 3.25, 0.5, 0.0291675]), (42, 0.03, 80.0, 33, [80.0, 40.0, 7.123456, 1.0078125, 0.031]),
                                       (2**40 + 3, 0.0, 1.0, 256, [1.0, 0.75, 0.3333333, 0.001, 0.0005])]:
        tree = torchsde.BrownianTree(t0, torch.zeros(count), t1, entropy=seed)
        steps = []
        for a, b in zip(times, times[1:]):
            noise = -tree(b, a) / np.sqrt(a - b)
            steps.append({"from": a, "to": b, "values": noise[:: max(1, count // 8)].tolist()})
        cases.append({"seed": str(seed), "t0": t0, "t1": t1, "count": count, "stride": max(1, count // 8), "steps": steps})
    return {"header": header("1e-5 absolute", torch=torch.__version__, numpy=np.__version__, torchsde=importlib.metadata.version("torchsde")), "cases": cases}


PARTS = {"torch": torch_part, "seed-sequence": seed_sequence_part, "brownian": brownian_part}

for name in sys.argv[1:] or PARTS:
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{name}.json").write_text(json.dumps(PARTS[name](), separators=(",", ":")).replace('{"seed"', '\n{"seed"').replace('{"entropy"', '\n{"entropy"') + "\n")
