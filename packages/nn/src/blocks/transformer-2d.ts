import { add, readOptions, reshape, transpose, type Generator, type Tensor } from '@langevin/tensor';
import { conv, type ConvParams } from '../layers/conv.ts';
import { linear, type LinearParams } from '../layers/linear.ts';
import { groupNorm, type NormParams } from '../layers/norm.ts';
import { defineModule, scoped, type Module } from '../module.ts';
import {
  flowWithin,
  transformerBlock,
  type TransformerBlockConfig,
  type TransformerBlockParams,
  type TransformerFlow,
} from './transformer-block.ts';

export interface Transformer2dConfig extends Omit<TransformerBlockConfig, 'channels'> {
  readonly channels: number;
  /** Blocks, one after another. @default 1 */
  readonly layers?: number;
  /** Of the normalisation before; divides `channels`. */
  readonly groups: number;
  /** Layers in and out: over pixels or over tokens, which is the same product with weights of another rank. @default 'conv' */
  readonly projection?: 'conv' | 'linear';
}

/** Names of diffusers. */
export interface Transformer2dParams {
  readonly norm: NormParams;
  /** [channels, channels, 1, 1], or [channels, channels] for a linear one. */
  readonly proj_in: ConvParams | LinearParams;
  readonly transformer_blocks: readonly TransformerBlockParams[];
  readonly proj_out: ConvParams | LinearParams;
}

/**
 * Transformer blocks over the pixels of [N, C, H, W], around a shortcut: diffusers' `Transformer2DModel` for pictures of channels.
 *
 * `apply(params, x [N, C, H, W], flow)` gives [N, C, H, W]; places of its taps begin with `transformer_blocks.0`.
 */
export function transformer2d(
  given: Transformer2dConfig,
): Module<Transformer2dParams, readonly [x: Tensor, flow: TransformerFlow], Tensor> {
  const { layers = 1, groups, projection = 'conv', ...block } = readOptions('nn/transformer2d', given);
  const { channels, heads } = block;
  // Heads that do not divide the channels leave some out, as in diffusers.
  const headSize = block.headSize ?? Math.floor(channels / heads);
  const inner = heads * headSize;
  const norm = scoped('norm', groupNorm({ channels, groups, epsilon: 1e-6 }));
  const projIn = scoped('proj_in', project({ projection, inputs: channels, outputs: inner }));
  const blocks = Array.from({ length: layers }, (_, i) =>
    scoped(`transformer_blocks.${i}`, transformerBlock({ ...block, channels: inner, headSize })),
  );
  const projOut = scoped('proj_out', project({ projection, inputs: inner, outputs: channels }));
  return defineModule({
    init(generator: Generator): Transformer2dParams {
      return {
        norm: norm.init(generator),
        proj_in: projIn.init(generator),
        transformer_blocks: blocks.map((each) => each.init(generator)),
        proj_out: projOut.init(generator),
      };
    },
    apply(params: Transformer2dParams, x: Tensor, flow: TransformerFlow) {
      const [n, , height, width] = x.shape as readonly [number, number, number, number];
      const tokens = (t: Tensor): Tensor => transpose(reshape(t, [n, t.shape[1]!, height * width]), [0, 2, 1]); // [N, H W, C]
      const pixels = (t: Tensor): Tensor => reshape(transpose(t, [0, 2, 1]), [n, t.shape[2]!, height, width]);
      const normal = norm.apply(params.norm, x);
      const isConv = projection === 'conv';
      const started = isConv ? tokens(projIn.apply(params.proj_in, normal)) : projIn.apply(params.proj_in, tokens(normal));
      const h = blocks.reduce(
        (at, each, i) => each.apply(params.transformer_blocks[i]!, at, flowWithin(flow, `transformer_blocks.${i}`)),
        started,
      );
      const ended = isConv ? projOut.apply(params.proj_out, pixels(h)) : pixels(projOut.apply(params.proj_out, h));
      return add(ended, x);
    },
  });
}

function project({
  projection,
  inputs,
  outputs,
}: {
  readonly projection: 'conv' | 'linear';
  readonly inputs: number;
  readonly outputs: number;
}): Module<ConvParams | LinearParams, readonly [x: Tensor], Tensor> {
  return projection === 'conv' ? conv({ inputs, outputs, kernel: 1 }) : linear({ inputs, outputs });
}
