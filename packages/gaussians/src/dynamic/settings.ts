import { checkNumber, shownValue, UserError } from '@langevin/tensor';
import { givenOptions } from '../given-options.ts';
import { resolveSettings, SETTING_NAMES, type ResolvedSettings, type TrainingSettings } from '../training/settings.ts';
import { PLAIN_START, type Strategy } from '../strategies/strategy.ts';
import type { Gaussians } from '../gaussians.ts';

/** What decides the result of learning a motion, apart from scene, asset and deformation. The number of Gaussians stays as it is. */
export interface MotionSettings extends Omit<TrainingSettings, 'strategy' | 'degree' | 'degreeEvery'> {
  /**
   * `train`: the Gaussians learn on with the motion, as in 4D Gaussian splatting; `hold`: they stay as they are, bit for bit.
   * @default 'train'
   */
  readonly asset?: 'train' | 'hold';
  /** Multiplies the rates of the deformation, > 0. @default 1 */
  readonly rate?: number;
  /** The rates of the deformation fall exponentially to this part of the first ones over `decaySteps`, in (0, 1]. @default 0.1 */
  readonly finalRate?: number;
}

export interface ResolvedMotionSettings extends ResolvedSettings {
  readonly asset: 'train' | 'hold';
  readonly rate: number;
  readonly finalRate: number;
}

/** What a motion does not change: the number of Gaussians and their harmonics. */
const FIXED = ['strategy', 'degree', 'degreeEvery'];

/** @throws UserError when one is out of range, or is none that a motion has */
export function resolveMotionSettings(
  settings: MotionSettings,
  { degree }: { readonly degree: Gaussians['degree'] },
): ResolvedMotionSettings {
  const known = [...SETTING_NAMES.filter((name) => !FIXED.includes(name)), 'asset', 'rate', 'finalRate'];
  const given = givenOptions('gaussians/dynamic', settings, { what: 'the training of a motion', known });
  const { asset = 'train', rate = 1, finalRate = 0.1, ...rest } = given;
  if (asset !== 'train' && asset !== 'hold')
    throw new UserError(`[gaussians/dynamic] setting is unknown: asset=${shownValue(asset)}. Known: train, hold.`);
  checkNumber('gaussians/dynamic', { rate }, { above: 0 });
  checkNumber('gaussians/dynamic', { finalRate }, { above: 0, atMost: 1 });
  return { ...resolveSettings({ ...rest, strategy: UNCHANGED, degree, degreeEvery: 1 }), asset, rate, finalRate };
}

/** Rows stay where they are. */
const UNCHANGED: Strategy = { name: 'none', paper: 'none', options: {}, statistics: {}, defaults: PLAIN_START, refine: () => undefined };
