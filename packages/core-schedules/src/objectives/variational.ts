import { add, checkNumber, exp, greater, mean, mul, square, stopGradient, sub, type Tensor, tensor, where } from '@langevin/tensor';
import type { LossWeight } from '../loss-weight.ts';
import type { Preconditioning } from '../preconditioning.ts';
import type { DiscreteNoiseProcess } from '../processes/discrete-vp.ts';
import { chainTerm, type ChainTerm } from './chain-terms.ts';
import { batchMean, checkSame, perImageFactor, trainingCoefficients, type DenoisingLoss, type TrainingCoefficients } from './denoising.ts';
import { discretisedLogLikelihood } from './discretised-decoder.ts';
import { plainWeight } from './plain-weight.ts';

/** [N] float32 tensors: those of a training step, and what the bound on the likelihood needs. */
export interface VariationalCoefficients extends TrainingCoefficients {
  /** The reverse step's mean is off by this times the error of the network's output. */
  readonly meanError: Tensor;
  readonly logBeta: Tensor;
  readonly logPosterior: Tensor;
  /** 1 where the step is the last, whose term is the discretised decoder, else 0. */
  readonly decoder: Tensor;
  /** Steps of the chain: one step's term times this estimates the whole bound. */
  readonly terms: Tensor;
}

export interface VariationalCoefficientsOptions {
  readonly process: DiscreteNoiseProcess;
  /** The step of each image, 0..process.steps-1. */
  readonly steps: readonly number[];
  readonly preconditioning: Preconditioning;
  /** Of the simple part, in units of the x0 error. @default plainWeight(preconditioning): L_simple, for epsilon */
  readonly weight?: LossWeight;
  /** One for each image, as drawByImportance() gives. @default none */
  readonly importance?: readonly number[];
}

/**
 * All that a step of training with learned variance needs to know of its steps of the chain.
 *
 * @throws UserError for steps outside of the chain
 * @example
 * const process = discreteVp();
 * const c = variationalCoefficients({ process, steps: [0, 999], preconditioning: predictionPreconditioning({ process, prediction: 'epsilon'
 * }) }); // The first step is told from the others: its term is the likelihood of the pixels.
 * await numbers(c.decoder); // => [1, 0]
 */
export function variationalCoefficients({
  process,
  steps,
  preconditioning,
  weight = plainWeight(preconditioning),
  importance,
}: VariationalCoefficientsOptions): VariationalCoefficients {
  steps.forEach((step, i) =>
    checkNumber('core-schedules/variational', { [`steps[${i}]`]: step }, { atLeast: 0, atMost: process.steps - 1, kind: 'integer' }),
  );
  const levels = steps.map((step) => process.level(process.timeOfStep(step)));
  const terms = steps.map((step) => chainTerm(process, step));
  const column = (of: (term: ChainTerm, i: number) => number): Tensor => tensor(Float32Array.from(terms, of));
  return {
    ...trainingCoefficients({ levels, preconditioning, weight, ...(importance === undefined ? {} : { importance }) }),
    meanError: column(({ x0Scale }, i) => x0Scale * preconditioning.at(levels[i]!).cOut),
    logBeta: column(({ logBeta }) => logBeta),
    logPosterior: column(({ logPosterior }) => logPosterior),
    decoder: column(({ decoder }) => Number(decoder)),
    terms: column(() => process.steps),
  };
}

/** What a network gives that learns the variance of the reverse steps. */
export interface LearnedVarianceOutput {
  /** What a network without learned variance gives, [N, ...]. */
  readonly output: Tensor;
  /** [N, ...] in -1..1: log variance from that of the posterior to log beta (Nichol and Dhariwal 2021, arXiv:2102.09672, eq. 15). */
  readonly variance: Tensor;
}

export interface VariationalLossOptions {
  /** The raw network with its parameters: x [N, ...] and cNoise [N]. */
  readonly network: (x: Tensor, cNoise: Tensor) => LearnedVarianceOutput;
  /** Clean 8-bit images, k / 127.5 - 1, [N, ...]. */
  readonly x0: Tensor;
  /** Unit noise of the same shape. */
  readonly noise: Tensor;
  readonly coefficients: VariationalCoefficients;
}

export interface HybridLossOptions extends VariationalLossOptions {
  /** Share of the bound, >= 0. @default 0.001 (arXiv:2102.09672, section 3.1) */
  readonly boundWeight?: number;
}

export interface HybridLoss extends DenoisingLoss {
  /** [N]: the weighted squared error alone. */
  readonly simple: Tensor;
  /** [N]: the images' terms of the bound, in bits per dimension. */
  readonly bound: Tensor;
}

/**
 * log variance of a reverse step from what the network says of it; v = -1 is the posterior's, 1 is beta.
 *
 * @example
 * const logs = { logPosterior: tensor([-4]), logBeta: tensor([-2]) };
 * // Outputs of -1 and 1 are the ends.
 * await numbers(interpolateLogVariance(tensor([[-1, 0, 1]]), logs)); // => [-4, -3, -2]
 */
export function interpolateLogVariance(
  variance: Tensor,
  { logPosterior, logBeta }: Pick<VariationalCoefficients, 'logPosterior' | 'logBeta'>,
): Tensor {
  const share = mul(add(variance, 1), 0.5);
  const low = perImageFactor(logPosterior, variance);
  return add(low, mul(share, sub(perImageFactor(logBeta, variance), low)));
}

/**
 * The bound's terms of the images' steps, times the number of steps: an estimate of L_vlb in bits per dimension whose gradient reaches the
 * mean as well as the variance.
 */
export function variationalLoss({ network, x0, noise, coefficients: c }: VariationalLossOptions): DenoisingLoss {
  const { error, variance } = evaluate({ network, x0, noise, coefficients: c });
  const perImage = mul(boundTerms({ error, variance, x0, coefficients: c }), c.terms);
  return { loss: batchMean(perImage, c.importance), perImage };
}

/**
 * L_hybrid = L_simple + 0.001 L_vlb (Nichol and Dhariwal 2021, arXiv:2102.09672, eq. 16): the bound teaches the variance only, since the
 * mean within it is a constant. L_vlb is estimated as steps times the term of each image's step, which is the authors' rescaling by
 * steps / 1000.
 */
export function hybridLoss({ network, x0, noise, coefficients: c, boundWeight = 0.001 }: HybridLossOptions): HybridLoss {
  checkNumber('core-schedules/variational', { boundWeight }, { atLeast: 0 });
  const { error, variance } = evaluate({ network, x0, noise, coefficients: c });
  const simple = mul(c.weight, itemMeans(square(error)));
  const bound = boundTerms({ error: stopGradient(error), variance, x0, coefficients: c });
  const perImage = add(simple, mul(mul(bound, c.terms), boundWeight));
  return { loss: batchMean(perImage, c.importance), perImage, simple, bound };
}

function evaluate({ network, x0, noise, coefficients: c }: VariationalLossOptions): { readonly error: Tensor; readonly variance: Tensor } {
  checkSame('noise', noise, x0);
  const of = (t: Tensor): Tensor => perImageFactor(t, x0);
  const x = add(mul(of(c.alpha), x0), mul(of(c.sigma), noise));
  const { output, variance } = network(mul(of(c.cIn), x), c.cNoise);
  checkSame("the network's output", output, x0);
  checkSame("the network's variance", variance, x0);
  return { error: sub(output, add(mul(of(c.targetX0), x0), mul(of(c.targetNoise), noise))), variance };
}

interface BoundTermOptions {
  /** Of the network's output. */
  readonly error: Tensor;
  readonly variance: Tensor;
  readonly x0: Tensor;
  readonly coefficients: VariationalCoefficients;
}

/** [N]: KL(q(x_(i-1) | x_i, x0) || p), or the decoder's -log p(x0 | x_0) at step 0, mean over elements, in bits. */
function boundTerms({ error, variance, x0, coefficients: c }: BoundTermOptions): Tensor {
  const of = (t: Tensor): Tensor => perImageFactor(t, x0);
  const logVariance = interpolateLogVariance(variance, c);
  // The true and the predicted mean hold the same share of x_i, so their difference is that of x0 alone, and no digits are lost.
  const difference = mul(of(c.meanError), error);
  const ratio = sub(of(c.logPosterior), logVariance);
  const divergence = mul(sub(add(exp(ratio), mul(square(difference), exp(mul(logVariance, -1)))), add(ratio, 1)), 0.5);
  const decoder = mul(discretisedLogLikelihood({ x0, mean: add(x0, difference), logDeviation: mul(logVariance, 0.5) }), -1);
  return mul(itemMeans(where({ if: greater(of(c.decoder), 0.5), then: decoder, else: divergence })), 1 / Math.LN2);
}

function itemMeans(t: Tensor): Tensor {
  const axes = t.shape.map((_, axis) => axis).slice(1);
  return axes.length === 0 ? t : mean(t, { axes });
}
