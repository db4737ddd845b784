import { add, readOptions, type Generator, type Tensor } from '@langevin/tensor';
import { attention, type AttentionParams } from '../layers/attention.ts';
import { layerNorm, type NormParams } from '../layers/norm.ts';
import type { Mode } from '../mode.ts';
import { defineModule, scoped, type Module } from '../module.ts';
import { listener, tapped, tapsWithin, type Taps } from '../taps.ts';
import { feedForward, type FeedForwardActivation, type FeedForwardParams } from './feed-forward.ts';

export interface TransformerBlockConfig {
  readonly channels: number;
  readonly heads: number;
  /** @default channels / heads */
  readonly headSize?: number;
  /** Features of the tokens that the second attention reads; null for a block without it. */
  readonly contextChannels: number | null;
  /** What the first attention reads: the tokens themselves, or the context as well. @default 'self' */
  readonly first?: 'self' | 'context';
  /** @default 'geglu' */
  readonly activation?: FeedForwardActivation;
  /** Of attentions and feed-forward, in training. @default 0 */
  readonly dropout?: number;
  /** Bias of the projections to queries, keys and values. @default 'none' */
  readonly attentionBias?: 'learned' | 'none';
  /** See `attention`. @default 'as given' */
  readonly precision?: 'as given' | 'float32';
  /** Of the three norms. @default 1e-5 */
  readonly epsilon?: number;
}

/** Names of diffusers. */
export interface TransformerBlockParams {
  readonly norm1: NormParams;
  readonly attn1: AttentionParams;
  readonly norm2?: NormParams;
  readonly attn2?: AttentionParams;
  readonly norm3: NormParams;
  readonly ff: FeedForwardParams;
}

/**
 * What adds to an attention's result, an image prompt say: for the name of an attention and its parameters, a function from its queries;
 * none for attentions that nothing is added to. See `added` of `attention`.
 */
export type Additions = (name: string, params: AttentionParams) => ((queries: Tensor) => Tensor) | undefined;

/** What goes through transformer blocks beside the tokens. */
export interface TransformerFlow {
  /** [N, S, contextChannels] */
  readonly context?: Tensor | undefined;
  /** Of the second attention; broadcasts to [N, heads, L, S]. */
  readonly contextMask?: Tensor | undefined;
  readonly mode?: Mode | undefined;
  /** Listens at `attn1`, `attn2`, `ff`: what each gives; and at `attn1.weights`, `attn2.weights`: [N, heads, L, S]. */
  readonly taps?: Taps | undefined;
  readonly additions?: Additions | undefined;
}

/** The same flow for a part of a network, from where its places and attentions are named. */
export function flowWithin<F extends Pick<TransformerFlow, 'taps' | 'additions'>>(flow: F, part: string): F {
  const { taps, additions } = flow;
  return {
    ...flow,
    ...(taps && { taps: tapsWithin(taps, part) }),
    ...(additions && { additions: (name: string, params: AttentionParams) => additions(`${part}.${name}`, params) }),
  };
}

/**
 * Attention over the tokens, attention from them to a context, and a feed-forward, each behind a layer norm and around a shortcut:
 * diffusers' `BasicTransformerBlock` with `norm_type` `layer_norm`.
 *
 * `apply(params, x [N, L, channels], flow)` gives [N, L, channels].
 */
export function transformerBlock(
  given: TransformerBlockConfig,
): Module<TransformerBlockParams, readonly [x: Tensor, flow: TransformerFlow], Tensor> {
  const config = readOptions('nn/transformerBlock', given);
  const { channels, contextChannels, first = 'self', epsilon = 1e-5, attentionBias = 'none', activation, precision } = config;
  const shared = {
    channels,
    heads: config.heads,
    bias: attentionBias,
    dropout: config.dropout ?? 0,
    ...(config.headSize !== undefined && { headSize: config.headSize }),
    ...(precision !== undefined && { precision }),
  };
  const context = contextChannels === null ? {} : { contextChannels };
  const norm = layerNorm({ channels, epsilon });
  const attn1 = scoped('attn1', attention({ ...shared, ...(first === 'context' && context) }));
  const attn2 = contextChannels === null ? undefined : scoped('attn2', attention({ ...shared, contextChannels }));
  const ff = scoped('ff', feedForward({ channels, dropout: config.dropout ?? 0, ...(activation !== undefined && { activation }) }));

  return defineModule({
    init(generator: Generator): TransformerBlockParams {
      return {
        norm1: norm.init(generator),
        attn1: attn1.init(generator),
        ...(attn2 && { norm2: norm.init(generator), attn2: attn2.init(generator) }),
        norm3: norm.init(generator),
        ff: ff.init(generator),
      };
    },
    apply(params: TransformerBlockParams, x: Tensor, flow: TransformerFlow) {
      const { mode, taps } = flow;
      const own = (name: 'attn1' | 'attn2', of: AttentionParams) => ({
        ...(mode && { mode }),
        weights: listener(taps, `${name}.weights`),
        added: flow.additions?.(name, of),
      });
      const onto = { ...(flow.context !== undefined && { context: flow.context }) };
      const gathered = attn1.apply(params.attn1, norm.apply(params.norm1, x), {
        ...own('attn1', params.attn1),
        // As in diffusers, a mask of the context is the second attention's alone.
        ...(first === 'context' && onto),
      });
      let h = add(tapped(taps, 'attn1', gathered), x);
      if (attn2) {
        const told = attn2.apply(params.attn2!, norm.apply(params.norm2!, h), {
          ...own('attn2', params.attn2!),
          ...onto,
          ...(flow.contextMask !== undefined && flow.context !== undefined && { mask: flow.contextMask }),
        });
        h = add(tapped(taps, 'attn2', told), h);
      }
      return add(tapped(taps, 'ff', ff.apply(params.ff, norm.apply(params.norm3, h), mode)), h);
    },
  });
}
