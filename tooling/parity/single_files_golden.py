"""Regenerates packages/pipelines/test/golden/single-files.json: tiny models of diffusers and the names that their weights have in single files.

The names are written here by the inverse of what programs convert; diffusers' own loaders of single files read each file back to the same weights, or this fails.
Weights follow from a seed (tiny_checkpoints.py); what is stored is, for each tensor of a file, which weights it is made of and how: `same`, `pixel` (a
convolution of one pixel), `transposed`, `stacked` (rows of several), `swapped` (halves of the rows exchanged).

Run: python tooling/parity/single_files_golden.py
Needs: torch 2.13 (CPU), diffusers 0.42, transformers.
"""
import base64
import inspect
import json
import pathlib
import re
import tempfile
import zlib

import diffusers
import torch
import transformers
from diffusers import AutoencoderKL, FluxTransformer2DModel, SD3Transformer2DModel, UNet2DConditionModel
from diffusers.loaders import single_file_utils
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from golden import header
from pipelines_golden import component
from tiny_checkpoints import GOLDEN

RESNET = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0", "conv2": "out_layers.3", "conv_shortcut": "skip_connection"}
UNET = {"time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2", "add_embedding.linear_1": "label_emb.0.0",
        "add_embedding.linear_2": "label_emb.0.2", "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2"}
STREAMS = {"sd3": ("x_block", "context_block"), "flux": ("img", "txt")}


def resnet(rest):
    module, kind = rest.rsplit(".", 1)
    return f"{RESNET[module]}.{kind}"


def unet_name(name, layers):
    """The name of latent diffusion for one of diffusers; a level of the U-Net has `layers` blocks and, but for the last, one that resamples."""
    module, kind = name.rsplit(".", 1)
    if module in UNET:
        return f"{UNET[module]}.{kind}"
    m = re.match(r"(down|up)_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.(.*)", name)
    if m:
        side, level, sort, layer, rest = m[1], int(m[2]), m[3], int(m[4]), m[5]
        at = f"input_blocks.{1 + level * (layers + 1) + layer}" if side == "down" else f"output_blocks.{level * (layers + 2 - 1) + layer}"
        return f"{at}.0.{resnet(rest)}" if sort == "resnets" else f"{at}.1.{rest}"
    m = re.match(r"down_blocks\.(\d+)\.downsamplers\.0\.conv\.(.*)", name)
    if m:
        return f"input_blocks.{(int(m[1]) + 1) * (layers + 1)}.0.op.{m[2]}"
    m = re.match(r"mid_block\.(resnets|attentions)\.(\d+)\.(.*)", name)
    if m:
        return f"middle_block.{2 * int(m[2])}.{resnet(m[3])}" if m[1] == "resnets" else f"middle_block.1.{m[3]}"
    m = re.match(r"up_blocks\.(\d+)\.upsamplers\.0\.conv\.(.*)", name)
    level, rest = int(m[1]), m[2]
    return f"output_blocks.{level * (layers + 1) + layers}.UP.conv.{rest}"


def unet_file(model, prefix="model.diffusion_model."):
    layers = model.config.layers_per_block
    names = {name: unet_name(name, layers) for name in model.state_dict()}
    # An upsampler is the child behind the attention where there is one.
    attended = {re.match(r"(output_blocks\.\d+)\.1\.", old)[1] for old in names.values() if re.match(r"output_blocks\.\d+\.1\.", old)}
    result = []
    for name, old in names.items():
        if ".UP." in old:
            block = old.split(".UP.")[0]
            old = old.replace(".UP.", ".2." if block in attended else ".1.")
        result.append((prefix + old, "same", [name]))
    return result


def vae_file(model, prefix="first_stage_model."):
    levels = len(model.config.block_out_channels)
    attention = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
    result = []
    for name in model.state_dict():
        old, how = name.replace("conv_norm_out", "norm_out"), "same"
        m = re.match(r"(encoder|decoder)\.(down|up)_blocks\.(\d+)\.(resnets|downsamplers|upsamplers)\.(\d+)\.(.*)", name)
        if m:
            level = int(m[3]) if m[2] == "down" else levels - 1 - int(m[3])
            rest = m[6].replace("conv_shortcut", "nin_shortcut")
            old = f"{m[1]}.{m[2]}.{level}." + (f"block.{m[5]}.{rest}" if m[4] == "resnets" else f"{m[4][:-2]}.{rest}")
        m = re.match(r"(encoder|decoder)\.mid_block\.(resnets|attentions)\.(\d+)\.(.*)", name)
        if m:
            module, kind = m[4].rsplit(".", 1)
            if m[2] == "resnets":
                old = f"{m[1]}.mid.block_{int(m[3]) + 1}.{module}.{kind}"
            else:
                old = f"{m[1]}.mid.attn_1.{attention[module]}.{kind}"
                how = "pixel" if kind == "weight" and module != "group_norm" else "same"
        result.append((prefix + old, how, [name]))
    return result


def clip_file(model, prefix, text_model="text_model."):
    return [(prefix + (text_model if not name.startswith(("text_model.", "text_projection")) else "") + name, "same", [name]) for name in model.state_dict()]


def open_clip_file(model, prefix):
    layer = {"layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj", "self_attn.out_proj": "attn.out_proj"}
    root = {"embeddings.token_embedding.weight": "token_embedding.weight", "embeddings.position_embedding.weight": "positional_embedding",
            "final_layer_norm.weight": "ln_final.weight", "final_layer_norm.bias": "ln_final.bias"}
    result = []
    for name in model.state_dict():
        bare = name.removeprefix("text_model.")
        if bare == "text_projection.weight":
            result.append((prefix + "text_projection", "transposed", [name]))
            continue
        if bare in root:
            result.append((prefix + root[bare], "same", [name]))
            continue
        m = re.match(r"encoder\.layers\.(\d+)\.(.*)\.(weight|bias)", bare)
        at = f"{prefix}transformer.resblocks.{m[1]}."
        if m[2] == "self_attn.q_proj":
            result.append((f"{at}attn.in_proj_{m[3]}", "stacked", [name.replace("q_proj", part) for part in ("q_proj", "k_proj", "v_proj")]))
        elif m[2] not in ("self_attn.k_proj", "self_attn.v_proj"):
            result.append((f"{at}{layer[m[2]]}.{m[3]}", "same", [name]))
    return result


def joint_file(model, kind, prefix="model.diffusion_model."):
    """SD 3 and Flux: two streams of blocks, whose queries, keys and values are one matrix."""
    picture, text = STREAMS[kind]
    blocks = "joint_blocks" if kind == "sd3" else "double_blocks"
    sd3 = {"pos_embed.pos_embed": "pos_embed", "pos_embed.proj": "x_embedder.proj", "time_text_embed.timestep_embedder.linear_1": "t_embedder.mlp.0",
           "time_text_embed.timestep_embedder.linear_2": "t_embedder.mlp.2", "time_text_embed.text_embedder.linear_1": "y_embedder.mlp.0",
           "time_text_embed.text_embedder.linear_2": "y_embedder.mlp.2", "context_embedder": "context_embedder", "proj_out": "final_layer.linear"}
    flux = {"x_embedder": "img_in", "context_embedder": "txt_in", "proj_out": "final_layer.linear"}
    for ours, theirs in (("timestep", "time"), ("text", "vector"), ("guidance", "guidance")):
        flux |= {f"time_text_embed.{ours}_embedder.linear_1": f"{theirs}_in.in_layer", f"time_text_embed.{ours}_embedder.linear_2": f"{theirs}_in.out_layer"}
    root = sd3 if kind == "sd3" else flux
    sep, attn = (".", "attn") if kind == "sd3" else ("_", "attn")
    norms = {"norm_q": "ln_q.weight", "norm_k": "ln_k.weight"} if kind == "sd3" else {"norm_q": "norm.query_norm.scale", "norm_k": "norm.key_norm.scale"}
    mlp = {"net.0.proj": "mlp.fc1", "net.2": "mlp.fc2"} if kind == "sd3" else {"net.0.proj": "mlp.0", "net.2": "mlp.2"}
    modulation = "adaLN_modulation.1" if kind == "sd3" else "mod.lin"
    last = model.config.num_layers - 1
    result = []
    for name in model.state_dict():
        module, what = name.rsplit(".", 1)
        if name in root or module in root:
            result.append((prefix + (root[name] if name in root else f"{root[module]}.{what}"), "same", [name]))
            continue
        if module == "norm_out.linear":
            result.append((f"{prefix}final_layer.adaLN_modulation.1.{what}", "swapped", [name]))
            continue
        m = re.match(r"single_transformer_blocks\.(\d+)\.(.*)", module)
        if m:
            at = f"{prefix}single_blocks.{m[1]}."
            if m[2] == "attn.to_q":
                parts = [name.replace("attn.to_q", part) for part in ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp")]
                result.append((f"{at}linear1.{what}", "stacked", parts))
            elif m[2] in ("attn.norm_q", "attn.norm_k"):
                result.append((at + norms[m[2][5:]], "same", [name]))
            elif m[2] in ("proj_out", "norm.linear"):
                result.append((f"{at}{'linear2' if m[2] == 'proj_out' else 'modulation.lin'}.{what}", "same", [name]))
            continue
        m = re.match(r"transformer_blocks\.(\d+)\.(.*)", module)
        layer, own = int(m[1]), m[2]
        context = own.startswith(("norm1_context", "ff_context", "attn.add_", "attn.to_add_out", "attn.norm_added"))
        at = f"{prefix}{blocks}.{layer}.{text if context else picture}{sep}"
        norm = own.replace("norm_added_", "norm_").split(".")[-1]
        second = "attn2" if own.startswith("attn2") else attn
        if own.endswith(("to_q", "add_q_proj")):
            parts = [name.replace("to_q", f"to_{c}").replace("add_q_proj", f"add_{c}_proj") for c in "qkv"]
            result.append((f"{at}{second}.qkv.{what}", "stacked", parts))
        elif own.endswith(("to_k", "to_v", "add_k_proj", "add_v_proj")):
            continue
        elif norm in norms:
            result.append((f"{at}{second}.{norms[norm]}", "same", [name]))
        elif own.endswith(("to_out.0", "to_add_out")):
            result.append((f"{at}{second}.proj.{what}", "same", [name]))
        elif own.startswith("norm1"):
            result.append((f"{at}{modulation}.{what}", "swapped" if kind == "sd3" and context and layer == last else "same", [name]))
        else:
            result.append((f"{at}{mlp[own.split('.', 1)[1]]}.{what}", "same", [name]))
    return result


def values_of(entry, state):
    _, how, names = entry
    parts = [state[name] for name in names]
    if how == "pixel":
        return parts[0][:, :, None, None].contiguous()
    if how == "transposed":
        return parts[0].T.contiguous()
    if how == "swapped":
        return torch.cat(parts[0].chunk(2)[::-1])
    return torch.cat(parts) if how == "stacked" else parts[0].clone()


def same(found, wanted, what):
    wanted = {name: value for name, value in wanted.items() if "position_ids" not in name}
    missing = sorted(set(wanted) - set(found))
    assert not missing, (what, missing[:5])
    for name, value in wanted.items():
        assert torch.equal(found[name].reshape(value.shape), value), (what, name)


def text_encoder(cls, size, heads, projection=None, act="quick_gelu", vocab=97):
    return cls(CLIPTextConfig(vocab_size=vocab, hidden_size=size, intermediate_size=2 * size, num_hidden_layers=2, num_attention_heads=heads, max_position_embeddings=77,
                              hidden_act=act, projection_dim=projection or size, bos_token_id=95, eos_token_id=96, pad_token_id=1)).eval()


def unet(**given):
    return UNet2DConditionModel(**{**dict(sample_size=8, block_out_channels=(8, 16, 16), layers_per_block=1, norm_num_groups=4, attention_head_dim=2, cross_attention_dim=16,
                                down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
                                up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D")), **given}).eval()


def vae(**given):
    return AutoencoderKL(**{**dict(block_out_channels=(4, 8), down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2, layers_per_block=1,
                         norm_num_groups=2, latent_channels=4, sample_size=16), **given}).eval()


def models():
    yield "sd1", {"unet": (unet(), unet_file), "vae": (vae(), vae_file),
                  "text_encoder": (text_encoder(CLIPTextModel, 16, 2), lambda m: clip_file(m, "cond_stage_model.transformer."))}
    yield "sd2", {"unet": (unet(use_linear_projection=True, attention_head_dim=(2, 4, 4)), unet_file), "vae": (vae(), vae_file),
                  "text_encoder": (text_encoder(CLIPTextModel, 16, 2, act="gelu"), lambda m: open_clip_file(m, "cond_stage_model.model."))}
    yield "sdxl", {"unet": (unet(use_linear_projection=True, attention_head_dim=(2, 4), cross_attention_dim=40, block_out_channels=(8, 16), transformer_layers_per_block=(1, 2),
                                 down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
                                 addition_embed_type="text_time", addition_time_embed_dim=4, projection_class_embeddings_input_dim=48), unet_file),
                   "vae": (vae(scaling_factor=0.13025), vae_file),
                   "text_encoder": (text_encoder(CLIPTextModel, 16, 2), lambda m: clip_file(m, "conditioner.embedders.0.transformer.")),
                   "text_encoder_2": (text_encoder(CLIPTextModelWithProjection, 24, 2, act="gelu"), lambda m: open_clip_file(m, "conditioner.embedders.1.model."))}
    yield "sd3", {"transformer": (SD3Transformer2DModel(sample_size=8, patch_size=2, in_channels=16, num_layers=2, attention_head_dim=64, num_attention_heads=1, joint_attention_dim=24,
                                                        caption_projection_dim=64, pooled_projection_dim=32, out_channels=16, pos_embed_max_size=12, qk_norm="rms_norm",
                                                        dual_attention_layers=(0,)).eval(), lambda m: joint_file(m, "sd3"))}
    yield "flux", {"transformer": (FluxTransformer2DModel(in_channels=64, num_layers=1, num_single_layers=2, attention_head_dim=16, num_attention_heads=2, joint_attention_dim=24,
                                                          pooled_projection_dim=12, guidance_embeds=True, axes_dims_rope=(4, 6, 6)).eval(), lambda m: joint_file(m, "flux"))}


def read_back(kind, made, tensors, folder):
    """What diffusers' loaders make of the file."""
    path = folder / f"{kind}.safetensors"
    save_file(tensors, path)
    for name, (model, _) in made.items():
        model.save_pretrained(folder / name)
        what = f"{kind} {name}"
        if kind == "sd3":
            same(single_file_utils.convert_sd3_transformer_checkpoint_to_diffusers(dict(tensors)), model.state_dict(), what)
        elif kind == "flux":
            # It takes every Flux for one of 3072 features.
            source = inspect.getsource(single_file_utils.convert_flux_transformer_checkpoint_to_diffusers).replace("inner_dim = 3072", f"inner_dim = {model.inner_dim}")
            scope = dict(vars(single_file_utils))
            exec(source, scope)
            same(scope["convert_flux_transformer_checkpoint_to_diffusers"](dict(tensors)), model.state_dict(), what)
        elif name == "unet":
            same(single_file_utils.convert_ldm_unet_checkpoint(dict(tensors), dict(model.config)), model.state_dict(), what)
            same(UNet2DConditionModel.from_single_file(str(path), config=str(folder), subfolder="unet").state_dict(), model.state_dict(), what)
        elif name == "vae":
            same(AutoencoderKL.from_single_file(str(path), config=str(folder), subfolder="vae").state_dict(), model.state_dict(), what)
        else:
            loaded = single_file_utils.create_diffusers_clip_model_from_ldm(type(model), dict(tensors), subfolder=name, config=str(folder), local_files_only=True)
            same(loaded.state_dict(), model.state_dict(), what)
        print(f"{what}: diffusers reads {len(model.state_dict())} weights back")


def true_unets():
    """Configurations of the published U-Nets, as their folders have them."""
    levels = dict(block_out_channels=(320, 640, 1280, 1280))
    yield "sd1", "Stable Diffusion 1.5", dict(sample_size=64, cross_attention_dim=768, attention_head_dim=8, **levels)
    yield "sd1", "Stable Diffusion 1.5 for inpainting", dict(sample_size=64, in_channels=9, cross_attention_dim=768, attention_head_dim=8, **levels)
    yield "sd2", "Stable Diffusion 2.1", dict(sample_size=96, cross_attention_dim=1024, attention_head_dim=[5, 10, 20, 20], use_linear_projection=True, upcast_attention=True, **levels)
    added = dict(use_linear_projection=True, addition_embed_type="text_time", addition_time_embed_dim=256)
    yield "sdxl", "SDXL", dict(
        sample_size=128, cross_attention_dim=2048, block_out_channels=(320, 640, 1280), attention_head_dim=[5, 10, 20], transformer_layers_per_block=[1, 2, 10],
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        projection_class_embeddings_input_dim=2816, **added)
    yield "sdxl-refiner", "SDXL's refiner", dict(
        sample_size=128, cross_attention_dim=1280, block_out_channels=(384, 768, 1536, 1536), attention_head_dim=[6, 12, 24, 24], transformer_layers_per_block=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"), projection_class_embeddings_input_dim=2560, **added)


def published():
    """Names and shapes in single files of true size, packed; no weight is made."""
    for architecture, name, config in true_unets():
        with torch.device("meta"):
            model = UNet2DConditionModel(**config)
        state = model.state_dict()
        shapes = {}
        for old, _, names in unet_file(model):
            shapes[old] = list(state[names[0]].shape)
        packed = base64.b64encode(zlib.compress(json.dumps(shapes).encode(), 9)).decode()
        yield {"architecture": architecture, "name": name, "config": {"_class_name": "UNet2DConditionModel", **json.loads(json.dumps(config))}, "shapes": packed}


def main():
    cases = {}
    for kind, made in models():
        components, file, tensors = {}, [], {}
        for i, (name, (model, write)) in enumerate(made.items()):
            components[name] = component(model, 30 + i, 1.0)
            state = model.state_dict()
            entries = write(model)
            used = [each for entry in entries for each in entry[2]]
            assert sorted(used) == sorted(state), (kind, name, sorted(set(state) ^ set(used))[:5])
            for entry in entries:
                assert entry[0] not in tensors, entry
                tensors[entry[0]] = values_of(entry, state)
                file.append([entry[0], entry[1], [f"{name}/{each}" for each in entry[2]]])
        if kind == "sd3":
            # Places are computed by diffusers, and stored by the original.
            listed = {each[0] for each in components["transformer"]["weights"]}
            assert "pos_embed.pos_embed" in listed
        with tempfile.TemporaryDirectory() as folder:
            read_back(kind, made, tensors, pathlib.Path(folder))
        cases[kind] = {"components": components, "file": file}
    golden = header("single_files_golden.py", {"weights": 0}, torch=torch.__version__, diffusers=diffusers.__version__, transformers=transformers.__version__)
    path = GOLDEN / "single-files.json"
    path.write_text(json.dumps({**golden, "cases": cases, "published": list(published())}) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    with torch.no_grad():
        main()
