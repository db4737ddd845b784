import { silu, type Generator, type Tensor } from '@langevin/tensor';
import { constant, conv, defineModule, scoped, type ConvParams, type Layer } from '@langevin/nn';

/** Names of diffusers. */
export interface HintEmbeddingParams {
  readonly conv_in: ConvParams;
  readonly blocks: readonly ConvParams[];
  readonly conv_out: ConvParams;
}

/** Layers that are nothing at first, so that a fresh ControlNet changes nothing (Zhang et al. 2023, sec. 3.1: zero convolutions). */
export const ZERO = { weightInit: constant(0), biasInit: constant(0) };

/**
 * A picture at the size of the sample: convolutions, of which each but the first halves it. diffusers' `ControlNetConditioningEmbedding`.
 *
 * `apply(params, hint [N, channels, H, W])` gives [N, outputs, H / 2^k, W / 2^k], k = sizes - 1.
 */
export function hintEmbedding(config: {
  readonly channels: number;
  readonly sizes: readonly number[];
  readonly outputs: number;
}): Layer<HintEmbeddingParams> {
  const { channels, sizes, outputs } = config;
  const convIn = scoped('conv_in', conv({ inputs: channels, outputs: sizes[0]!, kernel: 3, padding: 1 }));
  const blocks = sizes
    .slice(1)
    .flatMap((size, i) => [
      scoped(`blocks.${2 * i}`, conv({ inputs: sizes[i]!, outputs: sizes[i]!, kernel: 3, padding: 1 })),
      scoped(`blocks.${2 * i + 1}`, conv({ inputs: sizes[i]!, outputs: size, kernel: 3, padding: 1, stride: 2 })),
    ]);
  const convOut = scoped('conv_out', conv({ inputs: sizes.at(-1)!, outputs, kernel: 3, padding: 1, ...ZERO }));
  return defineModule({
    init: (generator: Generator): HintEmbeddingParams => ({
      conv_in: convIn.init(generator),
      blocks: blocks.map((block) => block.init(generator)),
      conv_out: convOut.init(generator),
    }),
    apply: (params: HintEmbeddingParams, hint: Tensor) =>
      convOut.apply(
        params.conv_out,
        blocks.reduce((h, block, i) => silu(block.apply(params.blocks[i]!, h)), silu(convIn.apply(params.conv_in, hint))),
      ),
  });
}
