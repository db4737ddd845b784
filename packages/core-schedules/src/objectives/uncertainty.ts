import {
  add,
  checkNumber,
  cos,
  div,
  exp,
  matmul,
  mean,
  mul,
  reshape,
  type Tensor,
  tensor,
  torchGenerator,
  UserError,
} from '@langevin/tensor';

export interface UncertaintyHeadOptions {
  /** Fourier features, 1..65536. @default 128, EDM2's */
  readonly channels?: number;
  /** Deviation of their frequencies, in radians / (2 pi) per unit of cNoise, > 0. @default 1 */
  readonly bandwidth?: number;
  /** Seed of the fixed frequencies and phases: a run that goes on must keep it. @default 0 */
  readonly seed?: number;
}

export interface UncertaintyParams {
  /** [channels, 1] */
  readonly weight: Tensor;
  /** [1] */
  readonly bias: Tensor;
}

/** A small network of the noise level alone that learns the log variance of the loss there. */
export interface UncertaintyHead {
  /** All zero: at the start every level counts as it would without the head. */
  readonly init: () => UncertaintyParams;
  /** cNoise [N] to u [N]. */
  readonly apply: (params: UncertaintyParams, cNoise: Tensor) => Tensor;
}

/**
 * u(sigma) of EDM2: a linear layer over sqrt(2) cos(2 pi (f cNoise + phase)) with fixed random f and phase (Karras et al. 2023,
 * arXiv:2312.02696).
 *
 * @example
 * const head = uncertaintyHead({ channels: 8 });
 * head.apply(head.init(), tensor([0.1, 0.2])).shape; // => [2]
 */
export function uncertaintyHead(options: UncertaintyHeadOptions = {}): UncertaintyHead {
  const { channels = 128, bandwidth = 1, seed = 0 } = options;
  const where = 'core-schedules/uncertainty';
  checkNumber(where, { channels }, { atLeast: 1, atMost: 65_536, kind: 'integer' });
  checkNumber(where, { bandwidth }, { above: 0 });
  const generator = torchGenerator(seed);
  const frequencies = generator.normal64(channels).map((f) => 2 * Math.PI * bandwidth * f);
  const phases = generator.uniform64(channels).map((phase) => 2 * Math.PI * phase);
  return Object.freeze({
    init: () => ({ weight: tensor(new Float32Array(channels), { shape: [channels, 1] }), bias: tensor(new Float32Array(1)) }),
    apply: ({ weight, bias }: UncertaintyParams, cNoise: Tensor) => {
      if (cNoise.rank !== 1)
        throw new UserError(`[${where}] cNoise is one number for each image: shape=[${cNoise.shape.join(', ')}]. Pass a tensor [N].`);
      const angles = add(
        mul(reshape(cNoise, [cNoise.size, 1]), tensor(Float32Array.from(frequencies), { shape: [1, channels] })),
        tensor(Float32Array.from(phases), { shape: [1, channels] }),
      );
      // EDM2 scales features by sqrt(2) to unit variance, and the sum by 1 / sqrt(channels).
      return add(reshape(matmul(mul(cos(angles), Math.sqrt(2 / channels)), weight), [cNoise.size]), bias);
    },
  });
}

export interface UncertainLossOptions {
  /** [N], as a training loss gives them. */
  readonly perImage: Tensor;
  /** u [N], as an uncertainty head gives it. */
  readonly logVariance: Tensor;
}

/**
 * The mean of loss / exp(u) + u: u learns the log of the loss to be expected at each level, so that all levels come to weigh the same in
 * the gradient (Karras et al. 2023, arXiv:2312.02696).
 *
 * @example
 * const { loss } = uncertainLoss({ perImage: tensor([2, 4]), logVariance: tensor([0, 0]) });
 * await numbers(loss); // => [3]
 */
export function uncertainLoss({ perImage, logVariance }: UncertainLossOptions): { readonly loss: Tensor; readonly perImage: Tensor } {
  const each = add(div(perImage, exp(logVariance)), logVariance);
  return { loss: mean(each), perImage: each };
}
