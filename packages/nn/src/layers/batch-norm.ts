import {
  add,
  checkNumber,
  div,
  expandDims,
  mean,
  mul,
  ones,
  readOptions,
  sqrt,
  square,
  stopGradient,
  sub,
  UserError,
  zeros,
  type Generator,
  type Tensor,
} from '@langevin/tensor';
import { checkSizes } from '../check-sizes.ts';
import { constant } from '../init.ts';

export interface BatchNormParams {
  /** [channels] */
  readonly weight: Tensor;
  /** [channels] */
  readonly bias: Tensor;
}

/** Moving averages that a forward pass changes and no gradient does; names of PyTorch. */
export interface BatchNormBuffers {
  /** [channels] */
  readonly running_mean: Tensor;
  /** [channels] */
  readonly running_var: Tensor;
}

export interface BatchNormConfig {
  readonly channels: number;
  /** Added to the variance. @default 1e-5, PyTorch's */
  readonly epsilon?: number;
  /** Share of the new statistics in the moving averages. @default 0.1, PyTorch's */
  readonly momentum?: number;
}

/** How a batch norm runs. */
export interface BatchNorm {
  readonly init: (generator: Generator) => BatchNormParams;
  readonly buffers: () => BatchNormBuffers;
  /**
   * Normalises each channel of [N, channels, ...], by the statistics of the batch, which move the averages, or by the averages.
   *
   * @throws UserError when the batch has one number for each channel only
   */
  readonly apply: (
    params: BatchNormParams,
    x: Tensor,
    given: { readonly buffers: BatchNormBuffers; readonly statistics: 'batch' | 'running' },
  ) => { readonly output: Tensor; readonly buffers: BatchNormBuffers };
}

/**
 * Normalise each channel over a batch: `torch.nn.BatchNorm1d` to `3d` (Ioffe and Szegedy 2015). It couples all items of a batch. As in
 * PyTorch, items are normalised by the variance with n, and the average is of that with n - 1.
 *
 * @example
 * const norm = batchNorm({ channels: 1 });
 * const given = { buffers: norm.buffers(), statistics: 'batch' } as const;
 * const { output, buffers } = norm.apply(norm.init(torchGenerator(0)), tensor([[1], [3]]), given);
 * [await numbers(output), await numbers(buffers.running_mean)]; // => [[-0.9999949932098389, 0.9999949932098389], [0.20000000298023224]]
 */
export function batchNorm(given: BatchNormConfig): BatchNorm {
  const where = 'nn/batchNorm';
  const { channels, epsilon = 1e-5, momentum = 0.1 } = readOptions(where, given, ['channels', 'epsilon', 'momentum']);
  checkSizes('batchNorm', { channels });
  checkNumber(where, { epsilon }, { above: 0 });
  checkNumber(where, { momentum }, { atLeast: 0, atMost: 1 });
  const [one, zero] = [constant(1), constant(0)];
  return Object.freeze({
    init: (generator: Generator) => ({ weight: one(generator, [channels]), bias: zero(generator, [channels]) }),
    buffers: () => ({ running_mean: zeros([channels]), running_var: ones([channels]) }),
    apply(params: BatchNormParams, x: Tensor, { buffers, statistics }: Parameters<BatchNorm['apply']>[2]) {
      if (x.rank < 2 || x.shape[1] !== channels)
        throw new UserError(`[${where}] input does not fit: x=[${x.shape.join(', ')}], channels=${channels}. Give [N, ${channels}, ...].`);
      const behind = x.shape.slice(2).map((_, i) => i + 1);
      const wide = (perChannel: Tensor): Tensor => (behind.length === 0 ? perChannel : expandDims(perChannel, behind));
      const normalised = (centre: Tensor, variance: Tensor): Tensor =>
        add(mul(sub(x, wide(centre)), wide(div(params.weight, sqrt(add(variance, epsilon))))), wide(params.bias));
      if (statistics === 'running') return { output: normalised(buffers.running_mean, buffers.running_var), buffers };
      const count = x.size / channels;
      if (count < 2)
        throw new UserError(
          `[${where}] a batch of one number has no variance: x=[${x.shape.join(', ')}]. Give more items, or larger ones.`,
        );
      const axes = [0, ...x.shape.slice(2).map((_, i) => i + 2)];
      const centre = mean(x, { axes });
      const variance = mean(square(sub(x, wide(centre))), { axes });
      const moved = (old: Tensor, fresh: Tensor): Tensor => add(mul(old, 1 - momentum), mul(stopGradient(fresh), momentum));
      return {
        output: normalised(centre, variance),
        buffers: {
          running_mean: moved(buffers.running_mean, centre),
          running_var: moved(buffers.running_var, mul(variance, count / (count - 1))),
        },
      };
    },
  });
}
