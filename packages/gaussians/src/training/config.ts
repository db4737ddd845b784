import { UserError } from '@langevin/tensor';
import type { ShDegree } from '../gaussians.ts';
import { checkRates, DEFAULT_RATES, type LearningRates } from '../optimizer/rates.ts';
import type { SplatScene } from '../scenes/scene.ts';
import { defaultStrategy } from '../strategies/default.ts';
import type { Strategy } from '../strategies/strategy.ts';

/** What is behind the scene while training; `random` is another colour at every step, so that nothing can hide in it. */
export type TrainingBackground = 'black' | 'white' | 'random';

/** What decides the result of a training, apart from scene and start. */
export interface TrainingSettings {
  /** Of the order of views, backgrounds and the strategy. @default 0 */
  readonly seed?: number;
  /** How the number of Gaussians changes. @default defaultStrategy(), up to half of decaySteps: what changes later has no time to settle */
  readonly strategy?: Strategy;
  readonly rates?: Partial<LearningRates>;
  /** Steps over which the rate of the means falls. @default the steps of the run */
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

/** All settings, with their defaults. */
export interface ResolvedSettings extends Required<Omit<TrainingSettings, 'rates'>> {
  readonly rates: LearningRates;
}

/** Half of the 30,000 steps of the paper (Kerbl et al. 2023). */
const LAST_CHANGE = 15_000;

/** @throws UserError when one is out of range */
export function resolveSettings(settings: TrainingSettings, steps: number): ResolvedSettings {
  const { decaySteps = steps } = settings;
  if (!Number.isSafeInteger(decaySteps) || decaySteps < 1)
    throw new UserError(`[gaussians/training] setting is out of range: decaySteps=${String(decaySteps)}. Give an integer >= 1.`);
  const strategy = settings.strategy ?? defaultStrategy({ stop: Math.min(LAST_CHANGE, Math.floor(decaySteps / 2)) });
  const resolved: ResolvedSettings = {
    seed: 0,
    degree: 3,
    degreeEvery: 1000,
    dssim: 0.2,
    antialiasing: 'none',
    background: 'black',
    opacityRegularizer: strategy.defaults.opacityRegularizer,
    scaleRegularizer: strategy.defaults.scaleRegularizer,
    depthWeight: 0,
    ...settings,
    decaySteps,
    strategy,
    rates: { ...DEFAULT_RATES, ...settings.rates },
  };
  checkRates(resolved.rates);
  const demand = (holds: boolean, name: keyof ResolvedSettings, remedy: string): void => {
    if (!holds) throw new UserError(`[gaussians/training] setting is out of range: ${name}=${String(resolved[name])}. ${remedy}`);
  };
  demand(Number.isSafeInteger(resolved.seed) && resolved.seed >= 0, 'seed', 'Give an integer >= 0.');
  demand(Number.isSafeInteger(resolved.degreeEvery) && resolved.degreeEvery >= 1, 'degreeEvery', 'Give an integer >= 1.');
  for (const name of ['opacityRegularizer', 'scaleRegularizer', 'depthWeight'] as const)
    demand(Number.isFinite(resolved[name]) && resolved[name] >= 0, name, 'Give a number >= 0.');
  demand([0, 1, 2, 3].includes(resolved.degree), 'degree', 'Give 0 to 3.');
  demand(resolved.dssim >= 0 && resolved.dssim <= 1, 'dssim', 'Give a number from 0 to 1.');
  demand(['black', 'white', 'random'].includes(resolved.background), 'background', 'Known: black, white, random.');
  demand(['none', 'mip'].includes(resolved.antialiasing), 'antialiasing', 'Known: none, mip.');
  return resolved;
}

/** The settings and the scene as plain values, by which a resumed run is known to be the same. */
export function describeRun(settings: ResolvedSettings, scene: SplatScene): Readonly<Record<string, unknown>> {
  const { strategy, ...rest } = settings;
  return {
    ...rest,
    strategy: { name: strategy.name, ...strategy.options },
    scene: {
      name: scene.name,
      extent: scene.extent,
      views: scene.train.map(
        ({ name, camera, time }) => `${name} ${camera.width}x${camera.height}${time === undefined ? '' : ` at ${time}`}`,
      ),
    },
  };
}

/** The first entry in which two descriptions differ, or undefined. */
export function firstDifference(stored: unknown, given: unknown, path = ''): string | undefined {
  if (typeof stored !== 'object' || typeof given !== 'object' || stored === null || given === null) {
    return Object.is(stored, given)
      ? undefined
      : `${path}: stored ${JSON.stringify(stored) ?? 'nothing'}, given ${JSON.stringify(given) ?? 'nothing'}`;
  }
  for (const key of new Set([...Object.keys(stored), ...Object.keys(given)])) {
    const found = firstDifference(
      (stored as Record<string, unknown>)[key],
      (given as Record<string, unknown>)[key],
      path === '' ? key : `${path}.${key}`,
    );
    if (found !== undefined) return found;
  }
  return undefined;
}
