import {
  abs,
  add,
  div,
  erf,
  exp,
  greater,
  less,
  log,
  maximum,
  mul,
  neg,
  reciprocal,
  square,
  sub,
  where,
  type Tensor,
} from '@langevin/tensor';
import { logNormalInterval, logNormalCdf } from '../maths/normal-cdf.ts';

/** Half the width of a bin: 8-bit pixels are k / 127.5 - 1. */
const HALF_WIDTH = 1 / 255;

/** Values beyond these belong to the first or last bin, which reach to infinity (Ho et al. 2020, section 3.3). */
const EDGE = 0.999;

/**
 * log of the probability that a normal with `mean` and `deviation` falls into the bin of a pixel in [-1, 1], in float64.
 *
 * @example
 * Math.exp(discretisedLogProbability(0, { mean: 0, deviation: 0.001 })); // => 0.9999
 */
export function discretisedLogProbability(
  pixel: number,
  { mean, deviation }: { readonly mean: number; readonly deviation: number },
): number {
  const low = (pixel - mean - HALF_WIDTH) / deviation;
  const high = (pixel - mean + HALF_WIDTH) / deviation;
  if (pixel < -EDGE) return logNormalCdf(high);
  return pixel > EDGE ? logNormalCdf(-low) : logNormalInterval(low, high);
}

export interface DiscretisedDecoderOptions {
  /** 8-bit pixels as k / 127.5 - 1. */
  readonly x0: Tensor;
  /** Of the decoder, in the shape of x0. */
  readonly mean: Tensor;
  /** log of its deviation; broadcasts to x0. */
  readonly logDeviation: Tensor;
}

/**
 * The same for tensors: log probability of each pixel [N, ...] in nats, with gradients that reach from any distance (Ho et al. 2020,
 * arXiv:2006.11239, eq. 13, with the exact normal distribution function; the authors' code has a formula in tanh and stops at log 1e-12).
 *
 * @example
 * const logLikelihood = discretisedLogLikelihood({ x0: tensor([[0, 0]]), mean: tensor([[0, 0]]), logDeviation: tensor([[-7, -7]]) });
 * (await numbers(logLikelihood)).map(Math.exp); // => [1.000, 1.000]
 */
export function discretisedLogLikelihood({ x0, mean, logDeviation }: DiscretisedDecoderOptions): Tensor {
  const inverse = exp(neg(logDeviation));
  const centre = mul(sub(x0, mean), inverse);
  const half = mul(inverse, HALF_WIDTH);
  // By symmetry the bin is taken to lie on the left, where probabilities are small and their difference keeps its digits.
  const left = neg(abs(centre));
  const top = logCdf(add(left, half));
  const below = sub(logCdf(sub(left, half)), top);
  const inside = add(top, log(maximum(sub(1, exp(below)), 1e-30)));
  const lastOrInside = where({ if: greater(x0, EDGE), then: logCdf(neg(sub(centre, half))), else: inside });
  return where({ if: less(x0, -EDGE), then: logCdf(add(centre, half)), else: lastOrInside });
}

const TAIL = -2.5;

/** log of the normal distribution function: by erf, and in the tail by Laplace's continued fraction, 12 terms of it for 1e-6. */
function logCdf(x: Tensor): Tensor {
  const central = log(mul(add(erf(mul(maximum(x, TAIL), Math.SQRT1_2)), 1), 0.5));
  const distance = maximum(neg(x), -TAIL);
  let fraction = distance;
  for (let k = 12; k >= 1; k--) fraction = add(distance, div(k, fraction));
  const tail = add(sub(mul(square(x), -0.5), Math.log(2 * Math.PI) / 2), log(reciprocal(fraction)));
  return where({ if: less(x, TAIL), then: tail, else: central });
}
