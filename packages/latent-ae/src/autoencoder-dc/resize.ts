import { conv, defineModule, doubled, pixelShuffle, pixelUnshuffle, scoped, type ConvParams, type Layer } from '@langevin/nn';
import { add, mean, repeat, reshape, type Generator, type Tensor } from '@langevin/tensor';

/** Names of diffusers. */
export interface DcResizeParams {
  readonly conv: ConvParams;
}

export interface DcResizeConfig {
  readonly inputs: number;
  readonly outputs: number;
  /** Whether a rearrangement of the input is added (Chen et al. 2024, arXiv:2410.10733, sec. 3.2). */
  readonly shortcut: 'rearranged' | 'none';
}

/** Means of neighbouring channels: [N, groups * size, H, W] to [N, groups, H, W]. */
export function channelMeans(x: Tensor, groups: number): Tensor {
  const [n, c, h, w] = x.shape as readonly [number, number, number, number];
  return mean(reshape(x, [n, groups, c / groups, h, w]), { axes: [2] });
}

/** Each channel `times` times, one after the other. */
export const channelRepeats = (x: Tensor, times: number): Tensor => (times === 1 ? x : repeat(x, times, 1));

/** Half the sides: `DCDownBlock2d` of diffusers, by rearranging 2x2 pixels into channels or by a stride. */
export function dcDown({
  inputs,
  outputs,
  shortcut,
  by,
}: DcResizeConfig & { readonly by: 'rearranging' | 'stride' }): Layer<DcResizeParams> {
  const inner = scoped(
    'conv',
    by === 'stride'
      ? conv({ inputs, outputs, kernel: 3, stride: 2, padding: 1 })
      : conv({ inputs, outputs: outputs / 4, kernel: 3, padding: 1 }),
  );
  return defineModule({
    init: (generator: Generator): DcResizeParams => ({ conv: inner.init(generator) }),
    apply(params: DcResizeParams, x: Tensor) {
      const h = inner.apply(params.conv, x);
      const small = by === 'stride' ? h : pixelUnshuffle(h, 2);
      return shortcut === 'none' ? small : add(small, channelMeans(pixelUnshuffle(x, 2), outputs));
    },
  });
}

/** Double the sides: `DCUpBlock2d` of diffusers, by rearranging channels into 2x2 pixels or by copies of pixels. */
export function dcUp({ inputs, outputs, shortcut, by }: DcResizeConfig & { readonly by: 'rearranging' | 'copies' }): Layer<DcResizeParams> {
  const inner = scoped('conv', conv({ inputs, outputs: by === 'copies' ? outputs : 4 * outputs, kernel: 3, padding: 1 }));
  return defineModule({
    init: (generator: Generator): DcResizeParams => ({ conv: inner.init(generator) }),
    apply(params: DcResizeParams, x: Tensor) {
      const large = by === 'copies' ? inner.apply(params.conv, doubled(x)) : pixelShuffle(inner.apply(params.conv, x), 2);
      return shortcut === 'none' ? large : add(large, pixelShuffle(channelRepeats(x, (4 * outputs) / inputs), 2));
    },
  });
}
