import { defineSampler, type NoiseLevel, relativeSigma, type Sampler } from '@langevin/core';
import { checkNumber, readOptions, UserError } from '@langevin/tensor';
import { checkChoice } from '../check-option.ts';
import { nodeWeights } from '../maths/lagrange.ts';
import { checkLowerOrderFinal, finiteHistory, remember, stepOrder, type LowerOrderFinal } from '../maths/multistep.ts';
import { integrate } from '../maths/quadrature.ts';

export interface ErSdeOptions {
  /** Evaluations that a step uses. @default 3 */
  readonly order?: 1 | 2 | 3;
  /**
   * The paper's noise scale function phi(s) divided by s, with s = sigma / alpha; it must not fall with s:
   * - `er`: e^(s^0.3) + 10, the paper's ER SDE 5, with much noise at high levels and little at low ones
   * - `sde`: s, the reverse SDE
   * - `ode`: 1, the probability-flow ODE
   *
   * @default 'er', which the paper found best
   */
  readonly noiseScale?: 'er' | 'sde' | 'ode' | ((s: number) => number);
  /** Factor on the noise that is added, > 0. @default 1 */
  readonly sNoise?: number;
  /**
   * How order 3 takes the slope: at the step's start, or, as published, in the middle of the step before, which leaves it at order 2.
   * @default 'exact'
   */
  readonly weights?: 'exact' | 'reference';
  /** When the order falls at the end of a run. @default 'clean', as the paper has no rule for it */
  readonly lowerOrderFinal?: LowerOrderFinal;
}

const SCALES = {
  er: (s: number): number => Math.exp(s ** 0.3) + 10,
  sde: (s: number): number => s,
  ode: (): number => 1,
} as const;

/**
 * ER-SDE-Solvers for extended reverse-time SDEs (Cui et al. 2023, arXiv:2309.06169, eq. 13 to 17): multistep in s = sigma / alpha, with
 * the amount of noise as a free function. In units of alpha = 1, with r = phi(s') / phi(s) and the prediction D as a polynomial of s,
 * x' = r x + phi(s') integral of D d(-1 / phi) + sqrt(s'^2 - s^2 r^2) z; the integrals by quadrature in log s.
 *
 * @throws UserError when an option is out of range, and when phi(s) / s rises along a step
 * @example
 * erSde().order; // => 2
 */
export function erSde(options: ErSdeOptions = {}): Sampler {
  const {
    order = 3,
    noiseScale = 'er',
    sNoise = 1,
    weights = 'exact',
    lowerOrderFinal = 'clean',
  } = readOptions('samplers/er-sde', options);
  checkChoice('er-sde', { order }, [1, 2, 3]);
  checkChoice('er-sde', { weights }, ['exact', 'reference']);
  checkLowerOrderFinal('er-sde', lowerOrderFinal);
  if (typeof noiseScale !== 'function')
    checkChoice('er-sde', { noiseScale }, { known: ['er', 'sde', 'ode'], also: 'or a function of sigma / alpha' });
  checkNumber('samplers/er-sde', { sNoise }, { above: 0 });
  const scale = typeof noiseScale === 'function' ? noiseScale : SCALES[noiseScale];
  const stochastic = noiseScale !== 'ode';
  return defineSampler({
    name: 'er-sde',
    order: orderOf(order, { stochastic, weights }),
    stochastic,
    paper: 'arXiv:2309.06169',
    step: async (input) => {
      const { x, from, to, denoise, noise, algebra, state } = input;
      const denoised = await denoise(x, from);
      const now = { at: from, x, denoised };
      const used = [now, ...finiteHistory(state.history)].slice(0, stepOrder(input, order, lowerOrderFinal));
      // What remains of the noise in x; the rest of sigma' is new.
      const kept = to.sigma === 0 ? 0 : keptShare(scale, { from, to });
      const predictions = predictionWeights(
        { from, to, kept },
        used.map(({ at }) => at),
        { scale, rule: weights },
      );
      const terms = [
        [(to.sigma / from.sigma) * kept, x],
        ...used.map((each, k) => [to.alpha * predictions[k]!, each.denoised] as const),
      ] as const;
      const output = { denoised, state: remember(state, now, order - 1) };
      if (!stochastic || to.sigma === 0) return { ...output, x: algebra.linear(...terms) };
      return { ...output, x: algebra.linear(...terms, [sNoise * to.sigma * Math.sqrt((1 - kept) * (1 + kept)), await noise()]) };
    },
  });
}

function orderOf(
  order: 1 | 2 | 3,
  { stochastic, weights }: { readonly stochastic: boolean; readonly weights: 'exact' | 'reference' },
): number {
  return stochastic || weights === 'reference' ? Math.min(2, order) : order;
}

/** (phi(s') / s') / (phi(s) / s); 0 from pure noise where phi rises faster than s. */
function keptShare(scale: (s: number) => number, { from, to }: { readonly from: NoiseLevel; readonly to: NoiseLevel }): number {
  const [before, after] = [scale(relativeSigma(from)), scale(relativeSigma(to))];
  const kept = before === Infinity ? 0 : after / before;
  if (kept >= 0 && kept <= 1) return kept;
  throw new UserError(
    `[samplers/er-sde] the noise scale must be > 0 and not rise as noise falls: noiseScale(${relativeSigma(from)})=${before}, `
      + `noiseScale(${relativeSigma(to)})=${after}. Pass a function that does not fall with s, or 'er'.`,
  );
}

interface Move {
  readonly from: NoiseLevel;
  readonly to: NoiseLevel;
  readonly kept: number;
}

/** Weights of predictions at these levels: of a polynomial of theta, 0 at s and 1 at s', against phi(s') d(-1 / phi). */
function predictionWeights(
  { from, to, kept }: Move,
  levels: readonly NoiseLevel[],
  { scale, rule }: { readonly scale: (s: number) => number; readonly rule: 'exact' | 'reference' },
): readonly number[] {
  const [s, next] = [relativeSigma(from), relativeSigma(to)];
  const own = 1 - ((from.alpha * to.sigma) / (to.alpha * from.sigma)) * kept;
  if (levels.length === 1) return [own];
  const last = next * scale(next);
  // By parts: j times the integral of theta^(j-1) (1 - phi(s') / phi), which does not cancel for short steps.
  const inner = (u: number): readonly number[] => {
    const tau = Math.exp(u);
    const base = ((1 - last / (tau * scale(tau))) * tau) / (s - next);
    return levels.slice(1).map((_, k) => (k + 1) * ((s - tau) / (s - next)) ** k * base);
  };
  const moments = [own, ...integrate(inner, { from: Math.log(next), to: Math.log(s) })];
  const nodes = levels.map((at) => (relativeSigma(at) - s) / (next - s));
  if (rule === 'reference' && moments.length === 3) moments[2]! += moments[1]! * nodes[1]!;
  return nodeWeights(nodes, moments);
}
