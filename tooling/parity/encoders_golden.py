"""Regenerates packages/encoders/test/golden/{clip-text,t5,clip-vision}.json.

Run: python tooling/parity/encoders_golden.py
Needs: torch 2.13 (CPU), transformers, tokenizers.
Tiny text encoders of CLIP in float64, whose weights follow from names (by_rule.py): features, and gradients. Then the tokens of prompts, by the fast
tokenizer of the vocabulary in packages/pipelines/test/golden/tiny-clip.
"""
import base64
import json

import numpy as np
import tokenizers
import torch
import transformers
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPVisionConfig, CLIPVisionModelWithProjection, T5Config, T5EncoderModel
from PIL import Image
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.t5.modeling_t5 import T5Attention

from by_rule import fill, numbers, record
from golden import ROOT, header
from tiny_checkpoints import clip_tokenizer, t5_tokenizer

OUT = ROOT / "packages/encoders/test/golden"
TINY = dict(vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=9, projection_dim=12,
            bos_token_id=38, eos_token_id=39, pad_token_id=39)
IDS = [[38, 5, 11, 39, 39, 39, 39, 39, 39], [38, 39, 7, 7, 39, 0, 1, 2, 3]]
# class, configuration, ids, mask
CASES = {
    "openai": (CLIPTextModel, dict(TINY, hidden_act="quick_gelu"), IDS, None),
    "projected": (CLIPTextModelWithProjection, dict(TINY, hidden_act="gelu", layer_norm_eps=1e-6), IDS, None),
    "masked": (CLIPTextModel, dict(TINY, hidden_act="gelu"), [row[:6] for row in IDS], [[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]]),
    # The end is said to be token 2: transformers takes the largest of a text.
    "end-is-the-largest": (CLIPTextModelWithProjection, dict(TINY, eos_token_id=2, hidden_act="quick_gelu"), IDS, None),
}
PROMPTS = [
    "", "a", "a cat", "A CAT", "  a   cat \n sitting\t", "it's", "It’s", "don't we've I'll they're he'd I'm", "cat,dog;bird.", "!", "a!", "!!!", "hello, world!!",
    "caf\u00e9", "cafe\u0301", "na\u00efve fa\u00e7ade", "\u732b", "\u732b\u3068\u72ac", "\ud55c\uad6d\uc5b4", "\u0420\u0443\u0441\u0441\u043a\u0438\u0439", "\u05e9\u05dc\u05d5\u05dd",
    "\U0001f408", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f408\u200d\u2b1b a cat", "a\u00a0cat", "a\u200bcat", "a\u2014b", "1234567890", "4k, 8k, 1/2", "50mm f/1.8",
    "(cat:1.2)", "[cat]", "cat_dog", "user@example.com", "https://example.com/a?b=c", "\u00df \u0130 \u01c5", "a<|endoftext|>b", "<|startoftext|>", "BREAK",
    " ".join(["cat"] * 74), " ".join(["cat"] * 75), " ".join(["cat"] * 76), " ".join(["dog"] * 100),
]


class Prefixed(torch.nn.Module):
    """A `CLIPTextModel` under the names that its files have had, which the transformers of today leaves out."""

    def __init__(self, model):
        super().__init__()
        self.text_model = model


def case(name, kind, config, ids, mask):
    model = kind(CLIPTextConfig(**config))
    holder = fill(Prefixed(model) if kind is CLIPTextModel else model, name)
    out = model(torch.tensor(ids), attention_mask=None if mask is None else torch.tensor(mask), output_hidden_states=True)
    outputs = {"last": out.last_hidden_state, "pooled": out.text_embeds if hasattr(out, "text_embeds") else out.pooler_output,
               **{f"state.{i}": state for i, state in enumerate(out.hidden_states)}}
    saved = json.loads(CLIPTextConfig(**config).to_json_string())
    return {"name": name, "class": kind.__name__, "config": saved, "ids": ids, "mask": mask, **record(name, holder, {}, outputs)}


T5 = dict(vocab_size=40, d_model=16, d_kv=3, d_ff=24, num_layers=2, num_heads=4, relative_attention_num_buckets=8, relative_attention_max_distance=12)
T5_IDS = [[5, 11, 7, 2, 9, 4, 1, 0, 0], [38, 39, 7, 7, 12, 30, 31, 32, 1]]
T5_CASES = {
    "gated": (dict(T5, feed_forward_proj="gated-gelu"), T5_IDS, None),
    "gated, masked": (dict(T5, feed_forward_proj="gated-gelu", layer_norm_epsilon=1e-5), T5_IDS, [[1, 1, 1, 1, 1, 1, 1, 0, 0], [1] * 9]),
    "relu": (dict(T5, feed_forward_proj="relu", d_kv=4), T5_IDS, None),
}


def t5_case(name, config, ids, mask):
    model = T5EncoderModel(T5Config(**config)).double().eval()
    # The table of tokens has two names.
    holder = fill(model, name)
    out = model(torch.tensor(ids), attention_mask=None if mask is None else torch.tensor(mask), output_hidden_states=True)
    outputs = {"last": out.last_hidden_state, **{f"state.{i}": state for i, state in enumerate(out.hidden_states[:-1])}}
    saved = json.loads(T5Config(**config).to_json_string(use_diff=False))
    return {"name": name, "class": "T5EncoderModel", "config": saved, "ids": ids, "mask": mask, **record(name, holder, {}, outputs)}


VISION = dict(hidden_size=16, intermediate_size=24, projection_dim=12, num_hidden_layers=2, num_attention_heads=4, image_size=9, patch_size=4)
VISION_CASES = {"openai": dict(VISION, hidden_act="quick_gelu"), "laion": dict(VISION, hidden_act="gelu", image_size=8, patch_size=2, num_hidden_layers=1)}


def vision_case(name, config):
    model = fill(CLIPVisionModelWithProjection(CLIPVisionConfig(**config)), name)
    pixels = numbers(f"{name}/pixels", (2, 3, config["image_size"], config["image_size"])).requires_grad_()
    out = model(pixels, output_hidden_states=True)
    outputs = {"last": out.last_hidden_state, "pooled": out.image_embeds, **{f"state.{i}": state for i, state in enumerate(out.hidden_states)}}
    saved = json.loads(CLIPVisionConfig(**config).to_json_string(use_diff=False))
    return {"name": name, "config": saved, **record(name, model, {"pixels": pixels}, outputs)}


def picture(width, height):
    """Byte c of pixel (x, y) is (40 x + 24 y + 80 c + 3 x y) mod 256."""
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    return Image.fromarray(((40 * x + 24 * y + 80 * c + 3 * x * y) % 256).astype(np.uint8))


def bytes_of(image):
    return base64.b64encode(image.tobytes()).decode()


def pictures():
    resized = [{"from": [w, h], "to": [u, v], "bytes": bytes_of(picture(w, h).resize((u, v), Image.BICUBIC))}
               for w, h, u, v in ((17, 11, 9, 7), (9, 7, 17, 11), (40, 30, 8, 8), (5, 5, 5, 12), (1, 1, 3, 2), (64, 3, 7, 3))]
    prepared = []
    for w, h, options in ((23, 15, dict(size={"shortest_edge": 9}, crop_size={"height": 9, "width": 9})), (8, 20, dict(size={"shortest_edge": 12}, crop_size={"height": 8, "width": 8})),
                          (10, 10, dict(size={"shortest_edge": 6}, crop_size={"height": 6, "width": 6}, do_normalize=False))):
        processor = CLIPImageProcessorPil(**options)
        values = processor(picture(w, h), return_tensors="pt").pixel_values
        prepared.append({"from": [w, h], "config": json.loads(processor.to_json_string()), "shape": list(values.shape), "values": [float(f"{value:.7g}") for value in values.flatten().tolist()]})
    return {"resized": resized, "prepared": prepared}


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    golden = header("encoders_golden.py", {"output": 2e-5, "gradients": 1e-4, "of": "largest magnitude; norm"}, torch=torch.__version__,
                    transformers=transformers.__version__, tokenizers=tokenizers.__version__)
    tokenizer = clip_tokenizer()
    tokens = [{"text": text, "ids": tokenizer(text, truncation=True, max_length=77).input_ids, "all": tokenizer(text, add_special_tokens=False).input_ids} for text in PROMPTS]
    path = OUT / "clip-text.json"
    path.write_text(json.dumps({**golden, "cases": [case(name, *how) for name, how in CASES.items()], "tokens": tokens}, ensure_ascii=True) + "\n")
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")
    pieces = t5_tokenizer()
    tokens = [{"text": text, "ids": pieces(text, truncation=True, max_length=64).input_ids, "all": pieces(text, add_special_tokens=False).input_ids} for text in PROMPTS]
    buckets = [{"buckets": n, "most": most, "places": T5Attention._relative_position_bucket(torch.arange(-300, 301), bidirectional=True, num_buckets=n, max_distance=most).tolist()}
               for n, most in ((32, 128), (8, 20), (64, 512))]
    path = OUT / "t5.json"
    path.write_text(json.dumps({**golden, "cases": [t5_case(name, *how) for name, how in T5_CASES.items()], "tokens": tokens, "buckets": buckets}, ensure_ascii=True) + "\n")
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")
    path = OUT / "clip-vision.json"
    path.write_text(json.dumps({**golden, "cases": [vision_case(*case) for case in VISION_CASES.items()], **pictures()}) + "\n")
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")


main()
