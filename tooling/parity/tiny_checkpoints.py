"""Tiny checkpoints in the layout of diffusers, whose weights follow from a seed: a golden file carries names and shapes, not weights.

A weight of two or more axes is normal with the deviation gain / sqrt(inputs); a bias 0.05 n; a scale of a norm 1 + 0.1 n; a table 0.5 n. n are
torch's float32 normals of `manual_seed(seed)`, drawn in the order of the sorted names, so that whoever has PyTorch's generator has the weights.
"""
import json
import pathlib
import shutil
import tempfile

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import CLIPTokenizer, T5TokenizerFast

from golden import ROOT

GOLDEN = ROOT / "packages/pipelines/test/golden"
WORDS = """a an the of in on with and photograph picture painting drawing cat dog bird horse house tree river mountain lake city street red green blue
yellow small large old young wooden golden bright dark sitting standing running flying under over between beside his her their it's don't we've bowl
hat chair table window door garden portrait landscape detailed blurry ugly beautiful quality lighting morning evening night astronaut riding""".split()


def kind_of(name, shape):
    if len(shape) >= 2:
        return "table" if "embedding" in name and not name.endswith(("linear_1.weight", "linear_2.weight", "patch_embedding.weight")) or name == "shared.weight" else "matrix"
    return "scale" if name.endswith("weight") else "bias"


def fill(model, seed, gain):
    """Fills a model by the rule above; what it drew, in its order."""
    return fill_tensors({name: value for name, value in model.state_dict().items() if value.is_floating_point()}, seed, gain)


def fill_tensors(tensors, seed, gain):
    generator = torch.Generator().manual_seed(seed)
    listed = []
    with torch.no_grad():
        for name in sorted(tensors):
            value = tensors[name]
            noise = torch.randn(value.shape, generator=generator)
            kind = kind_of(name, value.shape)
            if kind == "matrix":
                # As a factor in float32: the other side multiplies by the same number.
                noise = noise * torch.tensor(gain / value[0].numel() ** 0.5, dtype=torch.float32)
            elif kind == "table":
                noise = noise * 0.5
            elif kind == "scale":
                noise = 1 + 0.1 * noise
            else:
                noise = 0.05 * noise
            value.copy_(noise)
            listed.append([name, list(value.shape), kind])
    return listed


def clip_tokenizer(folder=GOLDEN / "tiny-clip", length=77):
    """A CLIP tokenizer with a vocabulary of some hundred words; its files are made once and committed."""
    folder = pathlib.Path(folder)
    if not (folder / "vocab.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        trained = Tokenizer(models.BPE(continuing_subword_prefix="", end_of_word_suffix="</w>"))
        trained.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
        trained.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
        trainer = trainers.BpeTrainer(vocab_size=900, end_of_word_suffix="</w>", initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
        trained.train_from_iterator([" ".join(WORDS)] * 3, trainer)
        merges = [tuple(pair) for pair in json.loads(trained.to_str())["model"]["merges"]]
        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        names = alphabet + [letter + "</w>" for letter in alphabet] + ["".join(pair) for pair in merges] + ["<|startoftext|>", "<|endoftext|>"]
        names = list(dict.fromkeys(names))
        (folder / "vocab.json").write_text(json.dumps({name: i for i, name in enumerate(names)}, ensure_ascii=False))
        (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
        (folder / "tokenizer_config.json").write_text(json.dumps({
            "add_prefix_space": False, "bos_token": "<|startoftext|>", "clean_up_tokenization_spaces": True, "do_lower_case": True, "eos_token": "<|endoftext|>",
            "errors": "replace", "model_max_length": length, "pad_token": "<|endoftext|>", "tokenizer_class": "CLIPTokenizer", "unk_token": "<|endoftext|>"}, indent=2) + "\n")
        (folder / "special_tokens_map.json").write_text(json.dumps({
            "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}, indent=2) + "\n")
    return CLIPTokenizer.from_pretrained(folder)


def clip_tokenizer_padding_with(token):
    """The same tokenizer as its files would have it: a token that fills texts up stands for itself within them, too."""
    clip_tokenizer()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary) / "tokenizer"
        shutil.copytree(GOLDEN / "tiny-clip", folder)
        path = folder / "special_tokens_map.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "pad_token": token}))
        path = folder / "tokenizer_config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "pad_token": token}))
        return CLIPTokenizer.from_pretrained(folder)


def t5_tokenizer(folder=GOLDEN / "tiny-t5", length=64):
    """A T5 tokenizer with some hundred pieces, without the table of characters that published ones begin with; its files are made once and committed."""
    folder = pathlib.Path(folder)
    if not (folder / "tokenizer.json").exists():
        trained = Tokenizer(models.Unigram())
        trained.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always")])
        trained.decoder = decoders.Metaspace(replacement="\u2581", prepend_scheme="always")
        trainer = trainers.UnigramTrainer(vocab_size=300, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False)
        trained.train_from_iterator([" ".join(WORDS), "a photograph of a red cat, it's sitting! the old astronaut riding a horse."] * 3, trainer)
        trained.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
        made = T5TokenizerFast(tokenizer_object=trained, extra_ids=0, model_max_length=length, unk_token="<unk>", pad_token="<pad>", eos_token="</s>")
        made.save_pretrained(folder)
    return T5TokenizerFast.from_pretrained(folder)
