import type { Algebra, Denoiser, NoiseLevel } from '@langevin/core';
import { dormandPrince, type DormandPrinceOptions } from '../maths/dormand-prince.ts';
import { angleOf, levelAtAngle, normOf } from './angle.ts';

/** How the ODE is solved; see {@link dormandPrince}. */
export type FlowAccuracy = Pick<DormandPrinceOptions<never>, 'rtol' | 'atol' | 'control' | 'maxSteps' | 'signal'>;

export interface ProbabilityFlowOptions<T> extends FlowAccuracy {
  readonly algebra: Algebra<NoInfer<T>>;
  readonly denoise: Denoiser<NoInfer<T>>;
  /** The state at `from`. */
  readonly x: T;
  /** Level of x, sigma > 0: `process.level(process.span.min)` to encode, `process.level(process.span.max)` to decode. */
  readonly from: NoiseLevel;
  readonly to: NoiseLevel;
}

export interface ProbabilityFlowResult<T> {
  readonly x: T;
  /** Evaluations of the denoiser. */
  readonly evaluations: number;
}

/**
 * Where the probability-flow ODE leads a state from one level to another, of any process and in either direction (Song et al. 2021,
 * arXiv:2011.13456, section 4.3): towards noise it encodes, from noise it decodes, and both undo each other.
 *
 * @example
 * const { denoiser, flow: exact } = gaussian({ mean: [0.5], std: 0.2 });
 * const [from, to] = [sigmaLevel(0.1), sigmaLevel(10)];
 * const x: Float64Array = Float64Array.of(0.7);
 * const end = await probabilityFlow({ algebra: arrayAlgebra(), denoise: denoiser<Float64Array>(), x, from, to, rtol: 1e-9, atol: 1e-9 });
 * Math.abs(end.x[0]! - exact(x, { from, to })[0]!) < 1e-6; // => true
 */
export async function probabilityFlow<T>({
  algebra,
  denoise,
  x,
  from,
  to,
  ...accuracy
}: ProbabilityFlowOptions<T>): Promise<ProbabilityFlowResult<T>> {
  const where = 'core-schedules/probability-flow';
  const result = await dormandPrince<T>({
    ...accuracy,
    algebra,
    x: algebra.linear([1 / normOf(from), x]),
    from: angleOf(where, 'from', from),
    to: angleOf(where, 'to', to),
    rate: async (state, time) => {
      const at = typeof time === 'number' ? levelAtAngle(time) : time.map(levelAtAngle);
      return { x: algebra.linear([alphaOf(at), state], [-1, await denoise(state, at)]) };
    },
  });
  return { x: algebra.linear([normOf(to), result.x]), evaluations: result.evaluations };
}

/** alpha of one level or of each of a list. */
export function alphaOf(at: NoiseLevel | readonly NoiseLevel[]): number | readonly number[] {
  return 'alpha' in at ? at.alpha : at.map(({ alpha }) => alpha);
}
