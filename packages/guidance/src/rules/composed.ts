import type { NoiseLevel } from '@langevin/core';
import { readOptions, shownValue, UserError } from '@langevin/tensor';
import { defineGuidance, type Guidance } from '../guidance.ts';
import { scaleAt, type Scale } from '../scales/scale.ts';
import { weightedDenoiser } from '../weighted.ts';

export interface ComposedOptions {
  /** Weight of each condition, or one for all; below 0 leads away from it. @default 1 */
  readonly weights?: Scale | readonly Scale[];
  /**
   * What the conditions are compared with. `none`: U + sum of w (D - U), of the score of p(x) times the product of (p(x|c) / p(x))^w.
   * `flat`: without U, so that the score is that of the product of p(x|c)^w alone; not at pure noise, where there is no such product.
   * @default 'none'
   */
  readonly prior?: 'none' | 'flat';
}

/**
 * Several conditions at once, each with a weight (Liu et al. 2022, arXiv:2206.01714, eq. 11): the score is that of a product of densities
 * at each noise level. A level's product is not the noised product of the data, so that samples follow it roughly, as under any guidance.
 *
 * @throws UserError for weights that are no numbers; from `guide`, when there are other than conditions, or without what stands for none
 * @example
 * const point = defineConditionalDenoiser({ nfe: 1, denoise: (_x: Float64Array, _at, condition: Float64Array) => condition });
 * const [snow, cat, none] = [10, 3, 1].map((value) => Float64Array.of(value));
 * const guided = composed({ weights: [1, 2] }).guide({ denoiser: point, algebra: arrayAlgebra(), conditions: [snow!, cat!], none: none! });
 * await guided(Float64Array.of(0), sigmaLevel(1)); // => [14]
 * guided.nfe(sigmaLevel(1)); // => 3
 */
export function composed(options: ComposedOptions = {}): Guidance {
  const where = 'guidance/composed';
  const { weights = 1, prior = 'none' } = readOptions(where, options);
  if (prior !== 'none' && prior !== 'flat') throw new UserError(`[${where}] unknown prior: prior=${shownValue(prior)}. Known: none, flat.`);
  if (Array.isArray(weights) && weights.length === 0)
    throw new UserError(`[${where}] there is no weight: weights=[]. Pass one for each condition, or one for all.`);
  const each = (Array.isArray(weights) ? (weights as readonly Scale[]) : [weights as Scale]).map((w) => scaleAt(where, 'weights', w));
  return defineGuidance({
    name: 'composed',
    summary: 'Several conditions at once, each with a weight: the product of what they ask for.',
    source: 'Liu et al. 2022, arXiv:2206.01714, eq. 11',
    guide: ({ denoiser, algebra, conditions, none }) => {
      if (Array.isArray(weights) && weights.length !== conditions.length)
        throw new UserError(
          `[${where}] a weight for each condition: weights=${weights.length}, conditions=${conditions.length}. Pass as many.`,
        );
      if (prior === 'none' && none === undefined)
        throw new UserError(
          `[${where}] nothing stands for no condition: none=undefined. Pass it, or take prior: 'flat' for the product of conditions alone.`,
        );
      const terms = conditions.map((condition, i) => ({ condition, weight: each[i % each.length]! }));
      const rest = (at: NoiseLevel): number => terms.reduce((left, { weight }) => left - weight(at), 1);
      if (prior === 'none')
        return weightedDenoiser({
          denoiser,
          algebra,
          terms: [...terms, { condition: none!, weight: rest }],
          none: terms.length,
        });
      // A flat density has x0 = x / alpha.
      const state = (at: NoiseLevel): number => {
        if (at.alpha > 0) return rest(at) / at.alpha;
        throw new UserError(
          `[${where}] pure noise has no product of conditions: alpha=0, sigma=${at.sigma}. Start below it, or take prior: 'none'.`,
        );
      };
      return weightedDenoiser({ denoiser, algebra, terms, state });
    },
  });
}
