import { checkNumber } from '@langevin/tensor';
import type { ParameterName, ShDegree } from '../gaussians.ts';
import { rowLength } from '../gaussians.ts';
import type { AdamColumns } from './adam.ts';

/** Learning rates of Kerbl et al. 2023 (gsplat's names for the same). */
export interface LearningRates {
  /** Times the scene's extent, at the start. @default 1.6e-4 */
  readonly means: number;
  /** What the rate of means is multiplied by over `decaySteps`. @default 0.01 */
  readonly meansFinal: number;
  /** @default 1e-3 */
  readonly quaternions: number;
  /** @default 5e-3 */
  readonly logScales: number;
  /** @default 5e-2 */
  readonly opacityLogits: number;
  /** Of the colour that does not depend on direction; the rest learns 20 times slower. @default 2.5e-3 */
  readonly sh: number;
}

export const DEFAULT_RATES: LearningRates = {
  means: 1.6e-4,
  meansFinal: 0.01,
  quaternions: 1e-3,
  logScales: 5e-3,
  opacityLogits: 5e-2,
  sh: 2.5e-3,
};

/** The rate of means after so many of `decaySteps`: exponential from the first to the last value, which stays. */
export function meansRate(
  rates: LearningRates,
  at: { readonly step: number; readonly decaySteps: number; readonly extent: number },
): number {
  const { step, decaySteps, extent } = at;
  return rates.means * extent * rates.meansFinal ** Math.min(1, step / decaySteps);
}

/** What each column of a parameter learns by. @param activeDegree spherical harmonics above it have no gradient yet and stay as they are */
export function columnsOf(
  name: ParameterName,
  rates: LearningRates,
  at: { readonly degree: ShDegree; readonly activeDegree: number; readonly means: number },
): readonly AdamColumns[] {
  const length = rowLength(name, at.degree);
  if (name !== 'sh') return [{ rowLength: length, from: 0, to: length, rate: name === 'means' ? at.means : rates[name] }];
  const active = 3 * (Math.min(at.activeDegree, at.degree) + 1) ** 2;
  const dc = { rowLength: length, from: 0, to: 3, rate: rates.sh };
  return active > 3 ? [dc, { rowLength: length, from: 3, to: active, rate: rates.sh / 20 }] : [dc];
}

/** @throws UserError when a rate is not a number >= 0 */
export function checkRates(rates: LearningRates): void {
  for (const [name, rate] of Object.entries(rates))
    checkNumber(
      'gaussians/optimizer',
      { [name]: rate },
      {
        atLeast: 0,
        advice: `Learning rates are numbers >= 0, the paper's is ${DEFAULT_RATES[name as keyof LearningRates]}.`,
      },
    );
}
