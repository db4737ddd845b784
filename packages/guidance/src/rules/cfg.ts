import { checkNumber, readOptions, shownValue, UserError } from '@langevin/tensor';
import { defineGuidance, onlyCondition, type Guidance } from '../guidance.ts';
import { checkRescale, rescaled, type RescaleOptions } from '../rescale.ts';
import { intervalScale } from '../scales/interval.ts';
import { scaleAt, type Scale } from '../scales/scale.ts';
import { weightedDenoiser } from '../weighted.ts';

export interface CfgOptions {
  /**
   * s in U + s (D - U), as Stable Diffusion counts: 1 is the condition alone, 0 is no condition; a function of the level for scales that
   * change along the run. @default 7.5, that of Stable Diffusion
   */
  readonly scale?: Scale;
  /** The other way to count, w = s - 1, of Ho and Salimans: (1 + w) D - w U. In place of `scale`. */
  readonly weight?: Scale;
  /** Guidance only above this noise-to-signal ratio, >= 0. @default 0 */
  readonly sigmaMin?: number;
  /** And only up to that one. @default Infinity */
  readonly sigmaMax?: number;
  /** How much of the conditional prediction's deviation is restored, 0..1, or that and of which prediction. @default 0 */
  readonly rescale?: number | RescaleOptions;
  /**
   * Whether the prediction without condition is asked for where it has no weight: CFG++ samplers look at it, whatever the scale.
   * @default 'weighted': at scale 1 an evaluation is saved
   */
  readonly asked?: 'weighted' | 'all';
}

/**
 * Classifier-free guidance: U + s (D - U), of the predictions under a condition and under none, which are one batch (Ho and Salimans 2022,
 * arXiv:2207.12598, eq. 6, whose w is s - 1). Where the scale is 1 or 0, one evaluation is all that it costs.
 *
 * It gives the same for a network's own output and for the x0-prediction, as both differ by the same multiple of the state under either
 * condition. Rescaling and thresholding do not; they come after it.
 *
 * @throws UserError for a scale and a weight at once, or numbers out of range; from `guide`, without what stands for no condition
 * @example
 * const point = defineConditionalDenoiser({ nfe: 1, denoise: (_x: Float64Array, _at, condition: Float64Array) => condition });
 * const input = { denoiser: point, algebra: arrayAlgebra(), conditions: [Float64Array.of(2)], none: Float64Array.of(1) };
 * const guided = cfg({ scale: 3 }).guide(input);
 * await guided(Float64Array.of(0), sigmaLevel(1)); // => [4]
 * guided.nfe(sigmaLevel(1)); // => 2
 */
export function cfg(options: CfgOptions = {}): Guidance {
  const where = 'guidance/cfg';
  const { scale, weight, sigmaMin = 0, sigmaMax = Infinity, rescale = 0, asked = 'weighted' } = readOptions(where, options);
  if (scale !== undefined && weight !== undefined)
    throw new UserError(
      `[${where}] a scale and a weight say the same twice: scale=${shownValue(scale)}, weight=${shownValue(weight)}. Pass one; scale is `
        + 'weight + 1.',
    );
  if (asked !== 'weighted' && asked !== 'all')
    throw new UserError(`[${where}] unknown evaluations: asked=${shownValue(asked)}. Known: weighted, all.`);
  const again = typeof rescale === 'number' ? { phi: rescale } : readOptions(where, rescale);
  checkNumber(where, { rescale: again.phi }, { atLeast: 0, atMost: 1 });
  checkRescale(where, again);
  const everywhere = weight === undefined ? scaleAt(where, 'scale', scale ?? 7.5) : plusOne(scaleAt(where, 'weight', weight));
  const strength = sigmaMin === 0 && sigmaMax === Infinity ? everywhere : intervalScale({ scale: everywhere, sigmaMin, sigmaMax });
  const alone = asked === 'weighted' && (scale === 1 || weight === 0);
  return defineGuidance({
    name: 'cfg',
    summary: 'Classifier-free guidance: away from no condition or a negative prompt, towards the condition.',
    source: 'Ho and Salimans 2022, arXiv:2207.12598, eq. 6',
    guide: ({ denoiser, algebra, conditions, none }) => {
      const condition = onlyCondition('cfg', conditions);
      if (none === undefined && !alone)
        throw new UserError(
          `[${where}] nothing stands for no condition: none=undefined. Pass the empty caption, the label for none or a negative prompt.`,
        );
      return weightedDenoiser({
        denoiser,
        algebra,
        terms: [
          { condition, weight: strength },
          ...(none === undefined ? [] : [{ condition: none, weight: (at: Parameters<typeof strength>[0]) => 1 - strength(at) }]),
        ],
        ...(none !== undefined && { none: 1 }),
        asked,
        ...(again.phi > 0 && { after: (guided, conditional, call) => rescaled(algebra, { guided, conditional }, { ...again, ...call }) }),
      });
    },
  });
}

function plusOne(weight: ReturnType<typeof scaleAt>): ReturnType<typeof scaleAt> {
  return (at) => weight(at) + 1;
}
