import { checkNumber, shownValue, UserError } from '@langevin/tensor';
import type { Json } from '@langevin/training';
import { givenOptions } from '../given-options.ts';
import type { ShDegree } from '../gaussians.ts';
import { checkRates, DEFAULT_RATES, type LearningRates } from '../optimizer/rates.ts';
import { defaultStrategy } from '../strategies/default.ts';
import type { Strategy } from '../strategies/strategy.ts';

/** What is behind the scene while training; `random` is another colour at every step, so that nothing can hide in it. */
export type TrainingBackground = 'black' | 'white' | 'random';

/** What decides the result of a training, apart from scene and start. */
export interface TrainingSettings {
  /** Of the order of views, backgrounds and the strategy. @default 0 */
  readonly seed?: number;
  /** How the number of Gaussians changes; whatever it is, well before the end of the run. @default defaultStrategy() */
  readonly strategy?: Strategy;
  readonly rates?: Partial<LearningRates>;
  /** Steps over which the rate of the means falls. @default the steps that the run was started for */
  readonly decaySteps?: number;
  /** Highest degree of the spherical harmonics. @default 3 */
  readonly degree?: ShDegree;
  /** The degree in use begins at 0 and rises by 1 after so many steps. @default 1000 */
  readonly degreeEvery?: number;
  /** Share of 1 - SSIM in the loss, 0..1. @default 0.2 */
  readonly dssim?: number;
  /** @default 'none' */
  readonly antialiasing?: 'none' | 'mip';
  /** @default 'black' */
  readonly background?: TrainingBackground;
  /** Weight of the mean opacity. @default what the strategy says */
  readonly opacityRegularizer?: number;
  /** Weight of the mean deviation. @default what the strategy says */
  readonly scaleRegularizer?: number;
  /** Weight of the difference in disparity where a view has depth, in units of 1 / extent. @default 0 */
  readonly depthWeight?: number;
}

/** All settings, with their defaults; `decaySteps` only where it was given. */
export interface ResolvedSettings extends Required<Omit<TrainingSettings, 'rates' | 'decaySteps'>>, Pick<TrainingSettings, 'decaySteps'> {
  readonly rates: LearningRates;
}

const DEFAULTS = {
  seed: 0,
  degree: 3,
  degreeEvery: 1000,
  dssim: 0.2,
  antialiasing: 'none',
  background: 'black',
  depthWeight: 0,
} as const;

/** Names of all settings, for what nobody meant. */
export const SETTING_NAMES: readonly string[] = [
  ...Object.keys(DEFAULTS),
  'strategy',
  'rates',
  'decaySteps',
  'opacityRegularizer',
  'scaleRegularizer',
];

/** @throws UserError when one is out of range, or is none that a training has */
export function resolveSettings(settings: TrainingSettings): ResolvedSettings {
  const where = 'gaussians/training';
  const given = givenOptions(where, settings, { what: 'a training', known: SETTING_NAMES });
  const strategy = given.strategy ?? defaultStrategy();
  const rates = givenOptions(where, given.rates ?? {}, { what: 'learning rates', known: Object.keys(DEFAULT_RATES) });
  const resolved: ResolvedSettings = {
    ...DEFAULTS,
    opacityRegularizer: strategy.defaults.opacityRegularizer,
    scaleRegularizer: strategy.defaults.scaleRegularizer,
    ...given,
    strategy,
    rates: { ...DEFAULT_RATES, ...rates },
  };
  checkRates(resolved.rates);
  const { seed, degree, degreeEvery, decaySteps = 1, dssim, opacityRegularizer, scaleRegularizer, depthWeight } = resolved;
  checkNumber(where, { seed }, { atLeast: 0, kind: 'integer' });
  checkNumber(where, { degree }, { atLeast: 0, atMost: 3, kind: 'integer' });
  checkNumber(where, { decaySteps, degreeEvery }, { atLeast: 1, kind: 'integer' });
  checkNumber(where, { dssim }, { atLeast: 0, atMost: 1 });
  checkNumber(where, { opacityRegularizer, scaleRegularizer, depthWeight }, { atLeast: 0 });
  const { background, antialiasing } = resolved;
  checkName({ background }, ['black', 'white', 'random']);
  checkName({ antialiasing }, ['none', 'mip']);
  return resolved;
}

function checkName(named: Readonly<Record<string, string>>, known: readonly string[]): void {
  for (const [name, value] of Object.entries(named))
    if (!known.includes(value))
      throw new UserError(`[gaussians/training] setting is unknown: ${name}=${shownValue(value)}. Known: ${known.join(', ')}.`);
}

/** The settings as plain values: what decides a run, by which a resumed one is known to be the same. */
export function describeSettings({ strategy, rates, ...rest }: ResolvedSettings): { readonly [name: string]: Json } {
  return { ...rest, rates: { ...rates }, strategy: { name: strategy.name, ...strategy.options } };
}
