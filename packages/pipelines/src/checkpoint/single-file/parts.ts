import { UnsupportedError, UserError } from '@langevin/tensor';
import { clipLayout, openClipLayout, type ClipLayout } from './clip-names.ts';
import { countOf, type Naming, type Shapes } from './targets.ts';
import { fluxLayout, sd3Layout } from './transformer-names.ts';
import { unetLayout, type UnetLayout } from './unet-names.ts';
import { vaeLayout, type VaeLayout } from './vae-names.ts';

/** A component that a single file holds, under the prefix that its names have there. */
export type Part = { readonly prefix: string } & (
  | { readonly kind: 'unet'; readonly layout: UnetLayout }
  | { readonly kind: 'sd3' | 'flux'; readonly layout: { readonly naming: Naming; readonly config: Readonly<Record<string, unknown>> } }
  | { readonly kind: 'vae'; readonly layout: VaeLayout }
  | { readonly kind: 'clip' | 'openclip'; readonly layout: ClipLayout }
  | { readonly kind: 't5'; readonly layout: { readonly naming: Naming; readonly config: Readonly<Record<string, unknown>> } }
);

const PREFIXES = {
  denoiser: ['model.diffusion_model.', 'diffusion_model.', ''],
  vae: ['first_stage_model.', 'vae.', ''],
  clip: [
    'cond_stage_model.transformer.',
    'conditioner.embedders.0.transformer.',
    'text_encoders.clip_l.transformer.',
    'text_encoders.clip_g.transformer.',
  ],
  openclip: ['cond_stage_model.model.', 'conditioner.embedders.0.model.', 'conditioner.embedders.1.model.'],
  t5: ['text_encoders.t5xxl.transformer.'],
} as const;

/** A name that only one kind of model has, and how the rest of it is read. */
const DENOISERS = [
  { kind: 'unet', mark: 'input_blocks.0.0.weight' },
  { kind: 'sd3', mark: 'joint_blocks.0.x_block.attn.qkv.weight' },
  { kind: 'flux', mark: 'double_blocks.0.img_attn.qkv.weight' },
] as const;

/** The names below a prefix, without it. */
export function below(shapes: Shapes, prefix: string): Shapes {
  return new Map([...shapes].flatMap(([name, shape]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), shape] as const] : [])));
}

/**
 * The components of a single file, told by names that only they have.
 *
 * @param from the file, for messages
 * @throws UserError when there is none; UnsupportedError for a layout that is another one
 */
export function partsOf(shapes: Shapes, from: string): readonly Part[] {
  const parts: Part[] = [];
  for (const { kind, mark } of DENOISERS) {
    const prefix = PREFIXES.denoiser.find((each) => shapes.has(each + mark));
    if (prefix === undefined) continue;
    const own = below(shapes, prefix);
    if (kind === 'unet') parts.push({ kind, prefix, layout: unetLayout(own) });
    else parts.push({ kind, prefix, layout: kind === 'sd3' ? sd3Layout(own) : fluxLayout(own) });
  }
  const vae = PREFIXES.vae.find((each) => shapes.has(`${each}encoder.down.0.block.0.conv1.weight`));
  if (vae !== undefined) parts.push({ kind: 'vae', prefix: vae, layout: vaeLayout(below(shapes, vae)) });
  for (const prefix of PREFIXES.clip) {
    const own = below(shapes, prefix);
    if (own.has('text_model.embeddings.token_embedding.weight') || own.has('embeddings.token_embedding.weight'))
      parts.push({ kind: 'clip', prefix, layout: clipLayout(own) });
  }
  for (const prefix of PREFIXES.openclip) {
    const own = below(shapes, prefix);
    if (own.has('token_embedding.weight')) parts.push({ kind: 'openclip', prefix, layout: openClipLayout(own) });
  }
  for (const prefix of PREFIXES.t5) {
    const own = below(shapes, prefix);
    if (own.has('shared.weight')) parts.push({ kind: 't5', prefix, layout: t5Layout(own) });
  }
  if (parts.length > 0) return parts;
  const diffusers =
    shapes.has('conv_in.weight')
    || shapes.has('encoder.conv_in.weight')
    || [...shapes.keys()].some((name) => name.includes('transformer_blocks.0.'));
  if (diffusers)
    throw new UserError(
      `[pipelines/single-file] file has the names of diffusers and no configuration: file=${from}. Put it into a folder beside its `
        + 'config.json and open the folder.',
    );
  const adapter = [...shapes.keys()].find((name) => /lora|hada_w1|lokr_w1/u.test(name));
  if (adapter !== undefined)
    throw new UserError(
      `[pipelines/single-file] file is an adapter, no model: file=${from}, tensor=${JSON.stringify(adapter)}. Open the model it is for, `
        + 'and give this file as its adapter.',
    );
  throw new UnsupportedError(
    `[pipelines/single-file] layout is not known: file=${from}, first tensor=${JSON.stringify([...shapes.keys()][0])}. Known are Stable `
      + 'Diffusion 1, 2, XL and 3, and Flux; open others as folders of diffusers.',
  );
}

/** T5's encoder has the names of transformers; its configuration follows from the shapes. */
function t5Layout(shapes: Shapes): { readonly naming: Naming; readonly config: Readonly<Record<string, unknown>> } {
  const size = (name: string, axis: number): number | undefined => shapes.get(name)?.[axis];
  const heads = size('encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight', 1) ?? 64;
  return {
    config: {
      architectures: ['T5EncoderModel'],
      model_type: 't5',
      d_model: size('shared.weight', 1),
      d_kv: (size('encoder.block.0.layer.0.SelfAttention.q.weight', 0) ?? 4096) / heads,
      d_ff: size('encoder.block.0.layer.1.DenseReluDense.wi_0.weight', 0) ?? 10_240,
      num_heads: heads,
      num_layers: countOf(shapes, /^encoder\.block\.(\d{1,3})\./u),
      vocab_size: size('shared.weight', 0),
      relative_attention_num_buckets: size('encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight', 0) ?? 32,
      relative_attention_max_distance: 128,
      feed_forward_proj: 'gated-gelu',
      layer_norm_epsilon: 1e-6,
      tie_word_embeddings: false,
    },
    naming: (name) => (/^(?:shared|encoder)\./u.test(name) ? [{ to: name }] : undefined),
  };
}
