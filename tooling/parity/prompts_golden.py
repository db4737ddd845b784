"""Regenerates packages/encoders/test/golden/prompts.json.

Run: python tooling/parity/prompts_golden.py
Needs: torch (CPU), transformers.
Features of prompts with weights in windows, from the formulas that each dialect publishes, over a closed-form encoder (a bent running mean of functions of
ids), in float64. The pieces, their weights and their windows are written here by hand: no parser is shared with what is tested.
"""
import json
import math

import torch
import transformers

from golden import ROOT, header
from tiny_checkpoints import clip_tokenizer

SIZE, LENGTH = 4, 77
TOKENIZER = clip_tokenizer()
BEGIN, END, PAD = TOKENIZER.bos_token_id, TOKENIZER.eos_token_id, TOKENIZER.pad_token_id


def encode(ids, mask):
    """[77] to [77, 4]: what a token sees is itself and those before it that are not masked."""
    ids = torch.tensor(ids, dtype=torch.float64)[:, None]
    places = torch.arange(SIZE, dtype=torch.float64)
    seen = torch.tensor(mask, dtype=torch.float64)[:, None]
    sums = torch.cumsum(torch.sin(0.37 * ids + 1.3 * places + 0.5) * seen, 0)
    means = sums / torch.cumsum(seen, 0).clamp(min=1)
    return 0.4 + torch.sin(2 * means + 0.01 * torch.arange(LENGTH)[:, None] + 0.1 * ids)


def tokens(text):
    return TOKENIZER(text, add_special_tokens=False)["input_ids"] if text else []


def window(pieces):
    """Pieces (text, weight, number) to ids, weights and numbers of one window."""
    ids, weights, numbers = [BEGIN], [1.0], [-1]
    for text, weight, number in pieces:
        own = tokens(text)
        ids += own
        weights += [weight] * len(own)
        numbers += [number] * len(own)
    assert len(ids) < LENGTH
    ids.append(END)
    rest = LENGTH - len(ids)
    return ids + [PAD] * rest, weights + [1.0] * (LENGTH - len(weights)), numbers + [-1] * (LENGTH - len(numbers))


def features(dialect, windows, weights_of_pieces):
    empty = encode(window([])[0], [1] * LENGTH)
    whole = [1] * LENGTH

    def weighed(ids, weights, mask):
        z, w = encode(ids, mask), torch.tensor(weights, dtype=torch.float64)[:, None]
        if dialect == "a1111":
            changed = z * w
            return changed * (z.mean() / changed.mean())
        return empty + (z - empty) * w

    if dialect == "plain":
        return torch.cat([encode(ids, whole) for ids, _, _ in windows])
    base = torch.cat([weighed(ids, weights, whole) for ids, weights, _ in windows])
    if dialect != "compel":
        return base
    parts, shares = [base], [1.0]
    for number, weight in enumerate(weights_of_pieces):
        if weight < 1:
            parts.append(torch.cat([weighed(ids, weights, [0 if of == number else 1 for of in numbers]) for ids, weights, numbers in windows]))
            shares.append(math.tan((1 - max(1e-5, weight)) * math.pi / 2))
    return sum(part * share for part, share in zip(parts, shares)) / sum(shares)


LONG = "cat " * 60
# dialect, and for each text: how it is written, and its windows of (piece, weight)
CASES = [
    ("plain", [("a (red:1.5) cat", [[("a (red:1.5) cat", 1)]])]),
    ("plain", [(LONG + ", a dog " + "hat " * 20, [[(LONG + ",", 1)], [("a dog " + "hat " * 20, 1)]]), ("a cat", [[("a cat", 1)]])]),
    ("a1111", [("a (red:1.5) cat", [[("a", 1), ("red", 1.5), ("cat", 1)]]), ("[dog] BREAK ((hat)) cat", [[("dog", 1 / 1.1)], [("hat", 1.1 * 1.1), ("cat", 1)]])]),
    ("a1111", [("(a cat (red:1.5) hat:0.5)", [[("a cat", 0.5), ("red", 0.75), ("hat", 0.5)]])]),
    ("comfyui", [("a (red:1.5) cat", [[("a", 1), ("red", 1.5), ("cat", 1)]]), ("((dog:0.3) hat:1.4)", [[("dog", 0.3), ("hat", 1.4)]])]),
    ("comfyui", [("(a dog:-1) BREAK [cat]", [[("a dog", -1)], [("[cat]", 1)]])]),
    ("compel", [("a red++ cat", [[("a", 1), ("red", 1.1 ** 2), ("cat", 1)]]), ("a dog- in (a red hat)0.4", [[("a", 1), ("dog", 0.9), ("in", 1), ("a red hat", 0.4)]])]),
    ("compel", [("a (dog)0 BREAK a cat--", [[("a", 1), ("dog", 0)], [("a", 1), ("cat", 0.9 ** 2)]])]),
]


def case(dialect, texts):
    most = max(len(windows) for _, windows in texts)
    out, pooled = [], []
    for _, written in texts:
        number, windows, weights = 0, [], []
        for pieces in written + [[]] * (most - len(written)):
            numbered = []
            for text, weight in pieces:
                numbered.append((text, weight, number))
                weights.append(weight)
                number += 1
            windows.append(window(numbered))
        out.append(features(dialect, windows, weights))
        first = encode(windows[0][0], [1] * LENGTH)
        pooled.append(first[0, 0] + first[-1, -1])
    text = torch.stack(out)
    return {"dialect": dialect, "texts": [text for text, _ in texts], "shape": list(text.shape), "text": [round(x, 7) for x in text.flatten().tolist()[::7]],
            "pooled": [round(float(x), 7) for x in pooled]}


def main():
    out = {**header("prompts_golden.py", 2e-5, torch=torch.__version__, transformers=transformers.__version__), "cases": [case(*each) for each in CASES]}
    path = ROOT / "packages/encoders/test/golden/prompts.json"
    path.write_text(json.dumps(out) + "\n")


main()
