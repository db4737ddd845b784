import { add, readOptions, reshape, transpose, UserError, type Generator, type Tensor } from '@langevin/tensor';
import { checkDivides, checkSizes } from '../check-sizes.ts';
import type { Mode } from '../mode.ts';
import { defineModule, scoped, type Module } from '../module.ts';
import { attended } from './attended.ts';
import { dropout } from './dropout.ts';
import { linear, type LinearInit, type LinearParams } from './linear.ts';

export interface AttentionConfig {
  /** Features of the tokens, in and out. */
  readonly channels: number;
  readonly heads: number;
  /** Features of each head. @default channels / heads */
  readonly headSize?: number;
  /** Features of the tokens that keys and values come from. @default channels: self-attention */
  readonly contextChannels?: number;
  /** Bias of the projections to queries, keys and values. @default 'learned' */
  readonly bias?: 'learned' | 'none';
  /** Bias of the projection out. @default 'learned' */
  readonly outBias?: 'learned' | 'none';
  /** Of the result, in training. @default 0 */
  readonly dropout?: number;
  /** What logits and weights are computed in: `'float32'` where logits may pass what 16 bits hold. @default 'as given' */
  readonly precision?: 'as given' | 'float32';
  /** How the projections to queries, keys and values start. @default PyTorch's */
  readonly inInit?: LinearInit;
  /** How the projection out starts. @default PyTorch's */
  readonly outInit?: LinearInit;
}

/** Names of diffusers. */
export interface AttentionParams {
  readonly to_q: LinearParams;
  readonly to_k: LinearParams;
  readonly to_v: LinearParams;
  readonly to_out: readonly [LinearParams];
}

export interface AttentionInputs {
  /** [N, S, contextChannels]: keys and values come from here. @default the tokens themselves */
  readonly context?: Tensor;
  /** Broadcasts to [N, heads, L, S]: bool keeps where true, floats are added to the logits. */
  readonly mask?: Tensor;
  readonly mode?: Mode;
  /**
   * Sees the weights [N, heads, L, S] and says what is used for them. They are computed one by one then, not inside of a faster kernel.
   */
  readonly weights?: ((weights: Tensor) => Tensor) | undefined;
  /** From queries [N, heads, L, headSize] to what is added to what they gathered, before the projection out. */
  readonly added?: ((queries: Tensor) => Tensor) | undefined;
}

/**
 * Multi-head attention over tokens, with the names and the arithmetic of diffusers' `Attention`. Vaswani et al. 2017.
 *
 * `apply(params, x [N, L, channels], { context?, mask?, mode? })` gives [N, L, channels].
 *
 * @throws UserError when heads do not divide the channels and no head size is given
 * @example
 * const layer = attention({ channels: 32, heads: 4 });
 * layer.apply(layer.init(torchGenerator(0)), ones([1, 10, 32])).shape; // => [1, 10, 32]
 */
export function attention(given: AttentionConfig): Module<AttentionParams, readonly [x: Tensor, inputs?: AttentionInputs], Tensor> {
  const config = readOptions('nn/attention', given);
  const { channels, heads, contextChannels = channels, bias = 'learned', outBias = 'learned' } = config;
  checkSizes('attention', { channels, heads, contextChannels });
  if (config.headSize === undefined) checkDivides('attention', { heads }, { channels });
  const { headSize = channels / heads } = config;
  checkSizes('attention', { headSize });
  const inner = heads * headSize;
  const toQ = scoped('to_q', linear({ inputs: channels, outputs: inner, bias, ...config.inInit }));
  const toK = scoped('to_k', linear({ inputs: contextChannels, outputs: inner, bias, ...config.inInit }));
  const toV = scoped('to_v', linear({ inputs: contextChannels, outputs: inner, bias, ...config.inInit }));
  const toOut = scoped('to_out.0', linear({ inputs: inner, outputs: channels, bias: outBias, ...config.outInit }));
  const drop = dropout(config.dropout ?? 0);
  // [N, heads, L, headSize]
  const toHeads = (t: Tensor): Tensor => transpose(reshape(t, [t.shape[0]!, t.shape[1]!, heads, headSize]), [0, 2, 1, 3]);
  return defineModule({
    init(generator: Generator): AttentionParams {
      return { to_q: toQ.init(generator), to_k: toK.init(generator), to_v: toV.init(generator), to_out: [toOut.init(generator)] };
    },
    apply(params: AttentionParams, x: Tensor, { context = x, mask, mode, weights, added }: AttentionInputs = {}) {
      if (x.rank !== 3 || context.rank !== 3 || context.shape[0] !== x.shape[0]) {
        throw new UserError(
          `[nn/attention] inputs are not batches of tokens: x=[${x.shape.join(', ')}], context=[${context.shape.join(', ')}]. Give `
            + `x [N, L, ${channels}] and context [N, S, ${contextChannels}].`,
        );
      }
      const q = toHeads(toQ.apply(params.to_q, x));
      const k = toHeads(toK.apply(params.to_k, context));
      const v = toHeads(toV.apply(params.to_v, context));
      const gathered = attended({ q, k, v, mask }, { precision: config.precision, weights });
      const sum = added === undefined ? gathered : add(gathered, added(q));
      const mixed = transpose(sum, [0, 2, 1, 3]); // [N, L, heads, headSize]
      return drop.apply({}, toOut.apply(params.to_out[0], reshape(mixed, [x.shape[0]!, x.shape[1]!, inner])), mode);
    },
  });
}
