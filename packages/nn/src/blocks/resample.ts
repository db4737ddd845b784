import { readOptions, avgPool, pad, resize, UserError, type Generator, type Tensor } from '@langevin/tensor';
import { conv, type ConvParams } from '../layers/conv.ts';
import { defineModule, scoped, type Layer, type Module } from '../module.ts';

/** Parameters of the convolution of {@link downsample} and {@link upsample}. */
export interface ResampleParams {
  readonly conv: ConvParams;
}

/** Double every axis of [N, C, ...], each element twice along each. */
export const doubled = (x: Tensor): Tensor => resize(x, { size: x.shape.slice(2).map((n) => 2 * n) });

/** Halve height and width of [N, C, H, W] by the mean of 2x2 pixels. @throws UserError when a side is odd */
export function halved(x: Tensor): Tensor {
  requireEven(x);
  return avgPool(x, { kernel: 2 });
}

function requireEven(x: Tensor): void {
  if (x.shape.slice(2).some((n) => n % 2 !== 0)) {
    throw new UserError(
      `[nn/halved] image has an odd side: x=[${x.shape.join(', ')}]. Height and width must be even at every level: multiples `
        + 'of 2^(levels - 1) for a U-Net; pad or resize the image.',
    );
  }
}

/**
 * Halve height and width by a 3x3 convolution of stride 2: diffusers' `Downsample2D`. Of an odd side, padding 1 gives the larger half.
 *
 * @param config `padding` 1 pads all sides; 0 pads right and bottom only, as autoencoders do. @default 1
 */
export function downsample(given: {
  readonly channels: number;
  readonly padding?: 0 | 1;
  /** Axes behind the channels. @default 2 */
  readonly axes?: 1 | 2 | 3;
}): Layer<ResampleParams> {
  const config = readOptions('nn/downsample', given);
  const { channels, padding = 1, axes = 2 } = config;
  const inner = scoped('conv', conv({ inputs: channels, outputs: channels, kernel: 3, axes, stride: 2, padding }));
  return defineModule({
    init: (generator: Generator): ResampleParams => ({ conv: inner.init(generator) }),
    apply(params: ResampleParams, x: Tensor) {
      const padded = padding === 0 ? pad(x, [[0, 0], [0, 0], ...Array.from({ length: axes }, () => [0, 1] as const)]) : x;
      return inner.apply(params.conv, padded);
    },
  });
}

/**
 * Double height and width, or bring them to a size, then a 3x3 convolution: diffusers' `Upsample2D`.
 *
 * `apply(params, x [N, channels, H, W], size?)` gives [N, channels, ...size].
 */
export function upsample(given: {
  readonly channels: number;
  /** Axes behind the channels. @default 2 */
  readonly axes?: 1 | 2 | 3;
}): Module<ResampleParams, readonly [x: Tensor, size?: readonly number[]], Tensor> {
  const config = readOptions('nn/upsample', given);
  const { channels, axes = 2 } = config;
  const inner = scoped('conv', conv({ inputs: channels, outputs: channels, kernel: 3, axes, padding: 1 }));
  return defineModule({
    init: (generator: Generator): ResampleParams => ({ conv: inner.init(generator) }),
    apply: (params: ResampleParams, x: Tensor, size?: readonly number[]) =>
      inner.apply(params.conv, size === undefined ? doubled(x) : resize(x, { size })),
  });
}
