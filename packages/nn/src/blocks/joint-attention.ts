import { concat, readOptions, reshape, split, transpose, type Generator, type Tensor } from '@langevin/tensor';
import { checkSizes } from '../check-sizes.ts';
import { attended } from '../layers/attended.ts';
import { linear, type LinearParams } from '../layers/linear.ts';
import { rmsNorm, type NormParams } from '../layers/norm.ts';
import { defineModule, scoped, type Layer, type Module } from '../module.ts';
import { rotate, type RotaryTable } from './rotary.ts';

export interface JointAttentionConfig {
  /** Features of the tokens of both streams, in and out. */
  readonly channels: number;
  readonly heads: number;
  /** @default channels / heads */
  readonly headSize?: number;
  /**
   * What stands beside the first stream: a second one, that is read and written; one that is read only, as in a last block; or none.
   *
   * @default 'joint'
   */
  readonly context?: 'joint' | 'read-only' | 'none';
  /** Root mean square norms of queries and keys, each head by itself. @default 'none' */
  readonly normalize?: 'rms' | 'none';
  /** Of these norms. @default 1e-6, that of all published transformers */
  readonly epsilon?: number;
  /** Of all projections. @default 'learned' */
  readonly bias?: 'learned' | 'none';
  /** The projection out of the first stream; some blocks have one of their own behind. @default 'learned' */
  readonly out?: 'learned' | 'none';
  /** Of which class of diffusers fresh weights are drawn in the order of. @default 'Attention', SD 3's; Flux has its own */
  readonly drawnAs?: 'Attention' | 'FluxAttention';
}

/** Names of diffusers. */
export interface JointAttentionParams {
  readonly norm_q?: NormParams;
  readonly norm_k?: NormParams;
  readonly to_q: LinearParams;
  readonly to_k: LinearParams;
  readonly to_v: LinearParams;
  readonly to_out?: readonly [LinearParams];
  readonly norm_added_q?: NormParams;
  readonly norm_added_k?: NormParams;
  readonly add_q_proj?: LinearParams;
  readonly add_k_proj?: LinearParams;
  readonly add_v_proj?: LinearParams;
  readonly to_add_out?: LinearParams;
}

export interface JointAttentionInputs {
  /** [N, L, channels] */
  readonly x: Tensor;
  /** [N, S, channels] */
  readonly context?: Tensor | undefined;
  /** Of the tokens of the context and then those of x; [S + L, headSize]. @default none */
  readonly rotary?: RotaryTable | undefined;
  /** Broadcasts to [N, heads, S + L, S + L], context first: bool keeps where true. @default none */
  readonly mask?: Tensor | undefined;
  /** Sees the weights [N, heads, S + L, S + L] and says what is used for them. */
  readonly weights?: ((weights: Tensor) => Tensor) | undefined;
}

const DRAWN = {
  Attention: ['to_q', 'to_k', 'to_v', 'add_k_proj', 'add_v_proj', 'add_q_proj', 'to_out', 'to_add_out'],
  FluxAttention: ['to_q', 'to_k', 'to_v', 'to_out', 'add_q_proj', 'add_k_proj', 'add_v_proj', 'to_add_out'],
} as const;

/**
 * Attention over two streams of tokens at once, each with weights of its own: all tokens see all. Esser et al. 2024 (arXiv:2403.03206),
 * sec. 4; diffusers' `Attention` with `JointAttnProcessor2_0`, and `FluxAttention`.
 *
 * `apply(params, inputs)` gives `{ x [N, L, channels], context? [N, S, channels] }`; the context where it is written.
 */
export function jointAttention(
  given: JointAttentionConfig,
): Module<JointAttentionParams, readonly [inputs: JointAttentionInputs], { readonly x: Tensor; readonly context?: Tensor }> {
  const config = readOptions('nn/jointAttention', given);
  const { channels, heads, context: beside = 'joint', normalize = 'none', epsilon = 1e-6, bias = 'learned', out = 'learned' } = config;
  const { headSize = channels / heads } = config;
  checkSizes('jointAttention', { channels, heads, headSize });
  const inner = heads * headSize;
  const into = (name: string): Layer<LinearParams> => scoped(name, linear({ inputs: channels, outputs: inner, bias }));
  const from = (name: string): Layer<LinearParams> => scoped(name, linear({ inputs: inner, outputs: channels, bias }));
  const layers = {
    to_q: into('to_q'),
    to_k: into('to_k'),
    to_v: into('to_v'),
    ...(out === 'learned' && { to_out: from('to_out.0') }),
    ...(beside !== 'none' && { add_q_proj: into('add_q_proj'), add_k_proj: into('add_k_proj'), add_v_proj: into('add_v_proj') }),
    ...(beside === 'joint' && { to_add_out: from('to_add_out') }),
  };
  const norm = rmsNorm({ channels: headSize, epsilon });
  const normed = normalize === 'rms';
  const toHeads = (t: Tensor): Tensor => transpose(reshape(t, [t.shape[0]!, t.shape[1]!, heads, headSize]), [0, 2, 1, 3]);
  const normalized = (params: NormParams | undefined, t: Tensor): Tensor => (params === undefined ? t : norm.apply(params, t));

  return defineModule({
    init(generator: Generator): JointAttentionParams {
      const drawn: Record<string, LinearParams | readonly [LinearParams]> = {};
      for (const name of DRAWN[config.drawnAs ?? 'Attention']) {
        const layer = layers[name];
        if (layer !== undefined) drawn[name] = name === 'to_out' ? [layer.init(generator)] : layer.init(generator);
      }
      return {
        ...(normed && { norm_q: norm.init(generator), norm_k: norm.init(generator) }),
        ...(normed && beside !== 'none' && { norm_added_q: norm.init(generator), norm_added_k: norm.init(generator) }),
        ...(drawn as unknown as JointAttentionParams),
      };
    },
    apply(params: JointAttentionParams, { x, context, rotary, mask, weights }: JointAttentionInputs) {
      const own = [
        normalized(params.norm_q, toHeads(layers.to_q.apply(params.to_q, x))),
        normalized(params.norm_k, toHeads(layers.to_k.apply(params.to_k, x))),
        toHeads(layers.to_v.apply(params.to_v, x)),
      ];
      const added =
        beside === 'none' || context === undefined
          ? undefined
          : [
              normalized(params.norm_added_q, toHeads(layers.add_q_proj!.apply(params.add_q_proj!, context))),
              normalized(params.norm_added_k, toHeads(layers.add_k_proj!.apply(params.add_k_proj!, context))),
              toHeads(layers.add_v_proj!.apply(params.add_v_proj!, context)),
            ];
      const [q, k, v] = own.map((t, i) => (added === undefined ? t : concat([added[i]!, t], 2))) as [Tensor, Tensor, Tensor];
      const turned = (t: Tensor): Tensor => (rotary === undefined ? t : rotate(t, rotary));
      const gathered = attended({ q: turned(q), k: turned(k), v, mask }, { weights });
      const tokens = reshape(transpose(gathered, [0, 2, 1, 3]), [x.shape[0]!, q.shape[2]!, inner]);
      const [told, seen] = added === undefined ? [undefined, tokens] : split(tokens, [context!.shape[1]!, x.shape[1]!], 1);
      return {
        x: layers.to_out === undefined ? seen! : layers.to_out.apply(params.to_out![0], seen!),
        ...(layers.to_add_out && told && { context: layers.to_add_out.apply(params.to_add_out!, told) }),
      };
    },
  });
}
