import { constant, defineModule, type Layer } from '@langevin/nn';
import { add, div, mean, mul, reshape, rsqrt, sqrt, square, stopGradient, sub, type Generator, type Tensor } from '@langevin/tensor';

/** Names of PyTorch. */
export interface ChannelNormParams {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly running_mean?: Tensor;
  readonly running_var?: Tensor;
}

export type ChannelNormKind = 'rms_norm' | 'batch_norm';

const EPSILON = 1e-5;

/**
 * A norm of each pixel of [N, C, H, W] by itself: the root mean square of its channels, or the mean and variance that training has counted
 * for each channel (batch norm as it is evaluated; its counts have no gradient).
 */
export function channelNorm(kind: ChannelNormKind, channels: number): Layer<ChannelNormParams> {
  const along = (values: Tensor): Tensor => reshape(values, [1, channels, 1, 1]);
  const [one, zero] = [constant(1), constant(0)];
  return defineModule({
    init: (generator: Generator): ChannelNormParams => ({
      weight: one(generator, [channels]),
      bias: zero(generator, [channels]),
      ...(kind === 'batch_norm' && { running_mean: zero(generator, [channels]), running_var: one(generator, [channels]) }),
    }),
    apply(params: ChannelNormParams, x: Tensor) {
      const normal =
        kind === 'rms_norm'
          ? mul(x, rsqrt(add(mean(square(x), { axes: [1], dims: 'keep' }), EPSILON)))
          : div(sub(x, along(stopGradient(params.running_mean!))), sqrt(add(along(stopGradient(params.running_var!)), EPSILON)));
      return add(mul(normal, along(params.weight)), along(params.bias));
    },
  });
}
