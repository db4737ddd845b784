import { defineSampler, relativeSigma, type Sampler } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { checkChoice } from '../check-option.ts';
import { adamsWeights } from '../maths/lagrange.ts';
import { checkLowerOrderFinal, type LowerOrderFinal } from '../maths/multistep.ts';
import { noiseMultistep } from '../maths/noise-steps.ts';

export interface IpndmVOptions {
  /** Evaluations in the mean, 1..4; 1 is DDIM. @default 4 */
  readonly order?: 1 | 2 | 3 | 4;
  /**
   * `reference` is the weights of the authors' code, with three slips: a missing pair of brackets in the third term, and in the fourth
   * a sign and a ratio, for which the weights add up to 1 only where steps grow evenly. On grids even in lambda it is of order 3.
   *
   * @default 'exact', which is lms()
   */
  readonly weights?: 'exact' | 'reference';
  /**
   * When the order falls at the end of a run; `never` keeps it even in a step to a clean level, which there is the prediction itself with
   * any other rule. @default 'never', the authors'; ComfyUI's is 'clean'
   */
  readonly lowerOrderFinal?: LowerOrderFinal | 'never';
}

/**
 * iPNDM with variable steps (Zhou et al. 2024, arXiv:2312.00094, and their code): Adams-Bashforth for the grid as it is. One evaluation a
 * step.
 *
 * @throws UserError when an option is not among the known ones
 * @example
 * ipndmV().order; // => 4
 */
export function ipndmV(options: IpndmVOptions = {}): Sampler {
  const { order = 4, weights = 'exact', lowerOrderFinal = 'never' } = readOptions('samplers/ipndm-v', options);
  checkChoice('ipndm-v', { order }, [1, 2, 3, 4]);
  checkLowerOrderFinal('ipndm-v', lowerOrderFinal, ['never']);
  checkChoice('ipndm-v', { weights }, ['exact', 'reference']);
  return defineSampler({
    name: 'ipndm-v',
    order: weights === 'exact' ? order : Math.min(order, 3),
    stochastic: false,
    paper: 'arXiv:2312.00094',
    step: (input) => {
      const [from, to] = [relativeSigma(input.from), relativeSigma(input.to)];
      return noiseMultistep(input, {
        order,
        lowerOrderFinal,
        weigh: (used) => {
          const nodes = used.map(({ at }) => relativeSigma(at));
          return weights === 'exact'
            ? adamsWeights({ nodes, from, to })
            : referenceShares([to, ...nodes]).map((share) => share * (to - from));
        },
      });
    },
  });
}

/** Shares of two to four evaluations as published, from the end of the step and the sigmas of the evaluations. */
function referenceShares(sigmas: readonly number[]): readonly number[] {
  // Lengths of this step and those before it, the latest first.
  const [h, a, b, c] = sigmas.slice(1).map((sigma, k) => sigmas[k]! - sigma) as [number, number, number | undefined, number | undefined];
  const shares = [1 + h / a / 2, -h / a / 2, 0, 0];
  if (b !== undefined) {
    const third = (1 - ((h / (3 * (h + a))) * h * (h + a)) / (a * (a + b))) / 2;
    [1, -(1 + a / b), a / b].forEach((factor, k) => (shares[k]! += factor * third));
  }
  if (b !== undefined && c !== undefined) {
    const ratio = (a * (a + b)) / (b * (b + c));
    const fourth =
      (((1 - h / (3 * (h + a))) / 2 + ((1 - h / (2 * (h + a))) * h) / (6 * (h + a + b))) * h * (h + a) * (h + a + b))
      / (a * (a + b) * (a + b + c));
    [1, -(1 + a / b + ratio), a / b + ratio * (1 + b / c), (-ratio * a) / b].forEach((factor, k) => (shares[k]! += factor * fourth));
  }
  return shares.slice(0, sigmas.length - 1);
}
