import { FLUX_ENDS, JOINT_STREAMS, type JointStream } from '../../first-names.ts';
import { countOf, halvesSwapped, moduleOf, rowsOf, sizeIn, type Naming, type Shapes, type Target } from './targets.ts';

const SD3_ROOT: Readonly<Record<string, string>> = {
  'x_embedder.proj': 'pos_embed.proj',
  't_embedder.mlp.0': 'time_text_embed.timestep_embedder.linear_1',
  't_embedder.mlp.2': 'time_text_embed.timestep_embedder.linear_2',
  'y_embedder.mlp.0': 'time_text_embed.text_embedder.linear_1',
  'y_embedder.mlp.2': 'time_text_embed.text_embedder.linear_2',
  context_embedder: 'context_embedder',
  'final_layer.linear': 'proj_out',
};
/** The output's norm: both original programs have shift before scale, diffusers scale before shift. */
const FINAL_NORM = /^final_layer\.adaLN_modulation\.1\.(weight|bias)$/u;

const finalNorm = (name: string): readonly Target[] | undefined => {
  const kind = FINAL_NORM.exec(name)?.[1];
  return kind === undefined ? undefined : [{ to: `norm_out.linear.${kind}`, values: halvesSwapped }];
};
const only = (to: string | undefined): readonly Target[] | undefined => (to === undefined ? undefined : [{ to }]);

/** The transformer of Stable Diffusion 3 in the names of its first program, and its configuration. */
export function sd3Layout(shapes: Shapes): { readonly naming: Naming; readonly config: Readonly<Record<string, unknown>> } {
  const layers = countOf(shapes, /^joint_blocks\.(\d{1,3})\./u);
  const width = sizeIn(shapes, 'x_embedder.proj.weight', 0);
  const patch = sizeIn(shapes, 'x_embedder.proj.weight', 2);
  const dual = Array.from({ length: layers }, (_, i) => i).filter((i) => shapes.has(`joint_blocks.${i}.x_block.attn2.qkv.weight`));
  return {
    config: {
      _class_name: 'SD3Transformer2DModel',
      sample_size: 128,
      patch_size: patch,
      in_channels: sizeIn(shapes, 'x_embedder.proj.weight', 1),
      out_channels: sizeIn(shapes, 'final_layer.linear.weight', 0) / patch ** 2,
      num_layers: layers,
      attention_head_dim: 64,
      num_attention_heads: width / 64,
      joint_attention_dim: sizeIn(shapes, 'context_embedder.weight', 1),
      caption_projection_dim: width,
      pooled_projection_dim: sizeIn(shapes, 'y_embedder.mlp.0.weight', 1),
      // Places of a square: 36,864 of them are 192 by 192 in SD 3, 147,456 are 384 by 384 in SD 3.5 medium.
      pos_embed_max_size: Math.sqrt(sizeIn(shapes, 'pos_embed', 1)),
      ...(dual.length > 0 && { dual_attention_layers: dual }),
      ...(shapes.has('joint_blocks.0.x_block.attn.ln_q.weight') && { qk_norm: 'rms_norm' }),
    },
    naming: (name) => {
      if (name === 'pos_embed') return [{ to: 'pos_embed.pos_embed' }];
      const root = only(moduleOf(name, SD3_ROOT)) ?? finalNorm(name);
      if (root !== undefined) return root;
      const block = /^joint_blocks\.(\d+)\.(x_block|context_block)\.(.*)\.(weight|bias)$/u.exec(name);
      if (block === null) return undefined;
      const [, layer, side, module, kind] = block as unknown as [string, string, JointStream['sd3'], string, string];
      const { proj, norm, ff, q, k, fused } = JOINT_STREAMS[side === 'x_block' ? 0 : 1];
      const to = (own: string): string => `transformer_blocks.${layer}.${own}.${kind}`;
      // The last block gives no text: its norm is that of an output.
      const last = side === 'context_block' && Number(layer) === layers - 1;
      const table: Readonly<Record<string, readonly Target[]>> = {
        'attn.qkv': rowsOf(fused.map((part) => to(`attn.${part}`))),
        'attn.proj': [{ to: to(proj) }],
        'attn.ln_q': [{ to: to(`attn.${q}`) }],
        'attn.ln_k': [{ to: to(`attn.${k}`) }],
        'attn2.qkv': rowsOf(['to_q', 'to_k', 'to_v'].map((part) => to(`attn2.${part}`))),
        'attn2.proj': [{ to: to('attn2.to_out.0') }],
        'attn2.ln_q': [{ to: to('attn2.norm_q') }],
        'attn2.ln_k': [{ to: to('attn2.norm_k') }],
        'adaLN_modulation.1': [{ to: to(norm), ...(last && { values: halvesSwapped }) }],
        'mlp.fc1': [{ to: to(`${ff}.net.0.proj`) }],
        'mlp.fc2': [{ to: to(`${ff}.net.2`) }],
      };
      return Object.hasOwn(table, module) ? table[module] : undefined;
    },
  };
}

/** The transformer of Flux in the names of its first program, and its configuration. */
export function fluxLayout(shapes: Shapes): { readonly naming: Naming; readonly config: Readonly<Record<string, unknown>> } {
  const width = sizeIn(shapes, 'img_in.weight', 0);
  const outChannels = sizeIn(shapes, 'final_layer.linear.weight', 0);
  const inChannels = sizeIn(shapes, 'img_in.weight', 1);
  const headSize = sizeIn(shapes, 'double_blocks.0.img_attn.norm.query_norm.scale', 0);
  return {
    config: {
      _class_name: 'FluxTransformer2DModel',
      patch_size: 1,
      in_channels: inChannels,
      out_channels: outChannels === inChannels ? null : outChannels,
      num_layers: countOf(shapes, /^double_blocks\.(\d{1,3})\./u),
      num_single_layers: countOf(shapes, /^single_blocks\.(\d{1,3})\./u),
      attention_head_dim: headSize,
      num_attention_heads: width / headSize,
      joint_attention_dim: sizeIn(shapes, 'txt_in.weight', 1),
      pooled_projection_dim: sizeIn(shapes, 'vector_in.in_layer.weight', 1),
      guidance_embeds: shapes.has('guidance_in.in_layer.weight'),
      axes_dims_rope: [16, 56, 56],
    },
    naming: (name) => {
      const root = only(moduleOf(name, FLUX_ENDS)) ?? finalNorm(name);
      if (root !== undefined) return root;
      const single = /^single_blocks\.(\d+)\.(.*)\.(weight|bias|scale)$/u.exec(name);
      if (single !== null) return singleTargets(single[2]!, { at: `single_transformer_blocks.${single[1]}`, kind: single[3]!, width });
      const double = /^double_blocks\.(\d+)\.(img|txt)_(.*)\.(weight|bias|scale)$/u.exec(name);
      if (double === null) return undefined;
      const [, layer, side, module, kind] = double as unknown as [string, string, JointStream['flux'], string, string];
      const { proj, norm, ff, q, k, fused } = JOINT_STREAMS[side === 'img' ? 0 : 1];
      const to = (own: string): string => `transformer_blocks.${layer}.${own}.${kind === 'scale' ? 'weight' : kind}`;
      const table: Readonly<Record<string, readonly Target[]>> = {
        'attn.qkv': rowsOf(fused.map((part) => to(`attn.${part}`))),
        'attn.proj': [{ to: to(proj) }],
        'attn.norm.query_norm': [{ to: to(`attn.${q}`) }],
        'attn.norm.key_norm': [{ to: to(`attn.${k}`) }],
        'mod.lin': [{ to: to(norm) }],
        'mlp.0': [{ to: to(`${ff}.net.0.proj`) }],
        'mlp.2': [{ to: to(`${ff}.net.2`) }],
      };
      return Object.hasOwn(table, module) ? table[module] : undefined;
    },
  };
}

function singleTargets(
  module: string,
  { at, kind, width }: { readonly at: string; readonly kind: string; readonly width: number },
): readonly Target[] | undefined {
  const to = (own: string): string => `${at}.${own}.${kind === 'scale' ? 'weight' : kind}`;
  const table: Readonly<Record<string, readonly Target[]>> = {
    linear1: rowsOf(['attn.to_q', 'attn.to_k', 'attn.to_v', 'proj_mlp'].map(to), () => width),
    linear2: [{ to: to('proj_out') }],
    'norm.query_norm': [{ to: to('attn.norm_q') }],
    'norm.key_norm': [{ to: to('attn.norm_k') }],
    'modulation.lin': [{ to: to('norm.linear') }],
  };
  return Object.hasOwn(table, module) ? table[module] : undefined;
}
