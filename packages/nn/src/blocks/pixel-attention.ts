import { readOptions, add, div, reshape, transpose, UserError, type Generator, type Tensor } from '@langevin/tensor';
import { checkSizes } from '../check-sizes.ts';
import { constant } from '../init.ts';
import { attention, type AttentionParams } from '../layers/attention.ts';
import { groupNorm, type NormParams } from '../layers/norm.ts';
import { defineModule, scoped, type Layer } from '../module.ts';

export interface PixelAttentionConfig {
  readonly channels: number;
  /** Features of each head; divides `channels`. @default channels: one head */
  readonly headSize?: number;
  /** Groups of the normalisation before; null for none. */
  readonly groups: number | null;
  /** Of the normalisation. @default 1e-5 */
  readonly epsilon?: number;
  /** The sum with the input is divided by this. @default 1 */
  readonly outputScale?: number;
  /** `'zero'` makes a fresh block the identity. @default 'uniform', diffusers' */
  readonly lastInit?: 'uniform' | 'zero';
}

export interface PixelAttentionParams extends AttentionParams {
  readonly group_norm?: NormParams;
}

/**
 * Self-attention over the pixels of [N, C, H, W], added to the input: group norm, attention with `H W` tokens, projection. It has the
 * names of diffusers' `Attention` in its U-Nets and autoencoders.
 *
 * @throws UserError when the head size does not divide the channels
 */
export function pixelAttention(given: PixelAttentionConfig): Layer<PixelAttentionParams> {
  const config = readOptions('nn/pixelAttention', given);
  const { channels, headSize = channels, groups, epsilon = 1e-5, outputScale = 1 } = config;
  checkSizes('pixelAttention', { channels, headSize });
  if (channels % headSize !== 0) {
    throw new UserError(
      `[nn/pixelAttention] head size does not divide the channels: headSize=${headSize}, channels=${channels}. Choose `
        + 'attentionHeadDim among the divisors of the channels of every block with attention.',
    );
  }
  const norm = groups === null ? undefined : scoped('group_norm', groupNorm({ channels, groups, epsilon }));
  const tokens = attention({
    channels,
    heads: channels / headSize,
    ...(config.lastInit === 'zero' && { outInit: { weightInit: constant(0), biasInit: constant(0) } }),
  });
  return defineModule({
    init(generator: Generator): PixelAttentionParams {
      return { ...(norm && { group_norm: norm.init(generator) }), ...tokens.init(generator) };
    },
    apply(params: PixelAttentionParams, x: Tensor) {
      const [n, c, ...spatial] = x.shape as [number, number, ...number[]];
      const normal = norm ? norm.apply(params.group_norm!, x) : x;
      const h = transpose(reshape(normal, [n, c, -1]), [0, 2, 1]); // [N, H W, C]
      const mixed = reshape(transpose(tokens.apply(params, h), [0, 2, 1]), [n, c, ...spatial]);
      const sum = add(mixed, x);
      return outputScale === 1 ? sum : div(sum, outputScale);
    },
  });
}
