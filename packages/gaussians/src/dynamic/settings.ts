import { checkNumber, shownValue, UserError } from '@langevin/tensor';
import { givenOptions } from '../given-options.ts';
import { describeRun, resolveSettings, SETTING_NAMES, type ResolvedSettings, type TrainingSettings } from '../training/config.ts';
import { PLAIN_START, type Strategy } from '../strategies/strategy.ts';
import type { Gaussians } from '../gaussians.ts';
import type { SplatScene } from '../scenes/scene.ts';
import type { Deformation } from './deformation.ts';

/** What decides the result of learning a motion, apart from scene, asset and deformation. The number of Gaussians stays as it is. */
export interface DynamicSettings extends Omit<TrainingSettings, 'strategy' | 'degree' | 'degreeEvery'> {
  /**
   * `train`: the Gaussians learn on with the motion, as in 4D Gaussian splatting; `hold`: they stay as they are, bit for bit.
   * @default 'train'
   */
  readonly asset?: 'train' | 'hold';
  /** Multiplies the rates of the deformation, > 0. @default 1 */
  readonly rate?: number;
  /** The rates of the deformation fall exponentially to this part of the first ones, in (0, 1]. @default 0.1 */
  readonly finalRate?: number;
}

export interface ResolvedDynamicSettings extends ResolvedSettings {
  readonly asset: 'train' | 'hold';
  readonly rate: number;
  readonly finalRate: number;
}

/** What a motion does not change: the number of Gaussians and their harmonics. */
const FIXED = ['strategy', 'degree', 'degreeEvery'];

/** @throws UserError when one is out of range, or is none that a motion has */
export function resolveDynamicSettings(
  settings: DynamicSettings,
  { steps, degree }: { readonly steps: number; readonly degree: Gaussians['degree'] },
): ResolvedDynamicSettings {
  const known = [...SETTING_NAMES.filter((name) => !FIXED.includes(name)), 'asset', 'rate', 'finalRate'];
  const given = givenOptions('gaussians/dynamic', settings, { what: 'the training of a motion', known });
  const { asset = 'train', rate = 1, finalRate = 0.1, ...rest } = given;
  if (asset !== 'train' && asset !== 'hold')
    throw new UserError(`[gaussians/dynamic] setting is unknown: asset=${shownValue(asset)}. Known: train, hold.`);
  checkNumber('gaussians/dynamic', { rate }, { above: 0 });
  checkNumber('gaussians/dynamic', { finalRate }, { above: 0, atMost: 1 });
  return { ...resolveSettings({ ...rest, strategy: UNCHANGED, degree, degreeEvery: 1 }, steps), asset, rate, finalRate };
}

/** The same as plain values, by which a resumed run is known to be the same. */
export function describeDynamicRun(
  settings: ResolvedDynamicSettings,
  scene: SplatScene,
  { kind, config }: Pick<Deformation<never>, 'kind' | 'config'>,
): Readonly<Record<string, unknown>> {
  return { ...describeRun(settings, scene), motion: { kind, config } };
}

/** Rows stay where they are. */
const UNCHANGED: Strategy = { name: 'none', paper: 'none', options: {}, statistics: {}, defaults: PLAIN_START, refine: () => undefined };
