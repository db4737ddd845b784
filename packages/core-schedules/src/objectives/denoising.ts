import type { NoiseLevel } from '@langevin/core';
import { add, checkNumber, mean, mul, reshape, sameShape, showShape, square, sub, type Tensor, tensor, UserError } from '@langevin/tensor';
import type { LossWeight } from '../loss-weight.ts';
import { checkedCoefficients, type Preconditioning } from '../preconditioning.ts';

/** One number for each image of the batch, [N] float32 tensors: inputs of a compiled training step, whatever process made them. */
export interface TrainingCoefficients {
  /** x = alpha x0 + sigma noise */
  readonly alpha: Tensor;
  readonly sigma: Tensor;
  /** Scale of the network's input. */
  readonly cIn: Tensor;
  /** The network's noise conditioning. */
  readonly cNoise: Tensor;
  /** The network should give targetX0 x0 + targetNoise noise. */
  readonly targetX0: Tensor;
  readonly targetNoise: Tensor;
  /** Weight of the network's squared error. */
  readonly weight: Tensor;
  /** D = cSkip x + cOut F, for losses on the denoised image. */
  readonly cSkip: Tensor;
  readonly cOut: Tensor;
  /** Weight of the image in the mean over the batch, where levels were drawn by importance. */
  readonly importance?: Tensor;
}

export interface TrainingCoefficientsOptions {
  /** One for each image, such as drawLevels() gives; sigma > 0. */
  readonly levels: readonly NoiseLevel[];
  readonly preconditioning: Preconditioning;
  /** In units of the x0 error; see {@link LossWeight}. */
  readonly weight: LossWeight;
  /** One for each image, >= 0, as drawByImportance() gives. @default none */
  readonly importance?: readonly number[];
}

/**
 * All that a training step needs to know of its noise levels, computed on the host in float64.
 *
 * @throws UserError for an empty batch, and for levels where the weight or a coefficient is not finite (sigma = 0, say)
 * @example
 * const c = trainingCoefficients({ levels: [0.5, 2].map(sigmaLevel), preconditioning: edmPreconditioning(), weight: edmWeight() });
 * await numbers(c.sigma); // => [0.5, 2]
 */
export function trainingCoefficients({ levels, preconditioning, weight, importance }: TrainingCoefficientsOptions): TrainingCoefficients {
  const where = 'core-schedules/objective';
  checkNumber(where, { 'levels.length': levels.length }, { atLeast: 1, atMost: 1e6, kind: 'integer' });
  if (importance !== undefined) checkImportance(importance, levels.length);
  const rows = levels.map((level, i) => {
    const { alpha, sigma } = level;
    const c = checkedCoefficients(preconditioning, level);
    const row = { alpha, sigma, ...c, weight: weight.at(level) * c.cOut ** 2 };
    const bad = Object.entries(row).find(([, value]) => !Number.isFinite(value));
    if (bad !== undefined) {
      throw new UserError(
        `[${where}] ${bad[0]} is not finite: levels[${i}]={ alpha: ${alpha}, sigma: ${sigma} } with ${preconditioning.name} and `
          + `weight ${weight.name} gives ${bad[1]}. Draw levels inside of the process's span.`,
      );
    }
    return row;
  });
  const column = (name: keyof (typeof rows)[number]): Tensor => tensor(Float32Array.from(rows, (row) => row[name]));
  return {
    alpha: column('alpha'),
    sigma: column('sigma'),
    cIn: column('cIn'),
    cNoise: column('cNoise'),
    targetX0: column('targetX0'),
    targetNoise: column('targetNoise'),
    weight: column('weight'),
    cSkip: column('cSkip'),
    cOut: column('cOut'),
    ...(importance === undefined ? {} : { importance: tensor(Float32Array.from(importance)) }),
  };
}

export interface DenoisingLossOptions {
  /** The raw network with its parameters: x [N, ...] and cNoise [N] give [N, ...]. */
  readonly network: (x: Tensor, cNoise: Tensor) => Tensor;
  /** Clean images [N, ...]. */
  readonly x0: Tensor;
  /** Unit noise of the same shape. */
  readonly noise: Tensor;
  readonly coefficients: TrainingCoefficients;
}

export interface DenoisingLoss {
  /** Mean over the batch, with importance weights if there are any: a scalar. */
  readonly loss: Tensor;
  /** The loss of each image [N] before importance weights, for recordLosses() and for plots over noise. */
  readonly perImage: Tensor;
}

/**
 * The weighted squared error of the network's own output, as graph nodes: mean over elements of
 * weight (F(cIn x) - target)^2. By the choice of preconditioning and weight it is the epsilon, x0, v, flow or EDM loss; stated
 * for F rather than for D it loses no digits at low noise.
 *
 * @throws UserError when shapes differ
 * @example
 * const coefficients = trainingCoefficients({ levels: [sigmaLevel(1)], preconditioning: predictionPreconditioning({ process: edm(),
 * prediction: 'epsilon' }), weight: snrWeight() }); // A network that says 0 is off by the noise itself.
 * const { loss } = denoisingLoss({ network: (x) => mul(x, 0), x0: tensor([[0, 0]]), noise: tensor([[1, -1]]), coefficients });
 * await numbers(loss); // => [1]
 */
export function denoisingLoss({ network, x0, noise, coefficients: c }: DenoisingLossOptions): DenoisingLoss {
  checkSame('noise', noise, x0);
  const perImage = (t: Tensor): Tensor => perImageFactor(t, x0);
  const x = add(mul(perImage(c.alpha), x0), mul(perImage(c.sigma), noise));
  const output = network(mul(perImage(c.cIn), x), c.cNoise);
  checkSame("the network's output", output, x0);
  const target = add(mul(perImage(c.targetX0), x0), mul(perImage(c.targetNoise), noise));
  const axes = x0.shape.map((_, axis) => axis).slice(1);
  const error = square(sub(output, target));
  const losses = mul(c.weight, axes.length === 0 ? error : mean(error, { axes }));
  return { loss: batchMean(losses, c.importance), perImage: losses };
}

/** [N] as [N, 1, ...], to multiply images with. */
export function perImageFactor(factor: Tensor, x0: Tensor): Tensor {
  return reshape(
    factor,
    x0.shape.map((size, axis) => (axis === 0 ? size : 1)),
  );
}

/** The mean over the batch [N] of losses, each counted by its importance. */
export function batchMean(losses: Tensor, importance: Tensor | undefined): Tensor {
  return mean(importance === undefined ? losses : mul(losses, importance));
}

export function checkImportance(importance: readonly number[], images: number): void {
  checkNumber('core-schedules/objective', { 'importance.length': importance.length }, { atLeast: images, atMost: images, kind: 'integer' });
  importance.forEach((value, i) => checkNumber('core-schedules/objective', { [`importance[${i}]`]: value }, { atLeast: 0 }));
}

export function checkSame(name: string, t: Tensor, x0: Tensor): void {
  if (sameShape(t.shape, x0.shape)) return;
  throw new UserError(
    `[core-schedules/objective] ${name} must have the shape of x0: ${showShape(t.shape)} against x0 ${showShape(x0.shape)}. Make `
      + 'them equal.',
  );
}
