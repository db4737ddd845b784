import { UserError } from '@langevin/tensor';
import { describeRun, resolveSettings, type ResolvedSettings, type TrainingSettings } from '../training/config.ts';
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

/** @throws UserError when one is out of range */
export function resolveDynamicSettings(
  settings: DynamicSettings,
  { steps, degree }: { readonly steps: number; readonly degree: Gaussians['degree'] },
): ResolvedDynamicSettings {
  const { asset = 'train', rate = 1, finalRate = 0.1, ...rest } = settings;
  const demand = (holds: boolean, name: string, value: unknown, remedy: string): void => {
    if (!holds) throw new UserError(`[gaussians/dynamic] setting is out of range: ${name}=${String(value)}. ${remedy}`);
  };
  demand(['train', 'hold'].includes(asset), 'asset', asset, 'Known: train, hold.');
  demand(rate > 0 && rate < Infinity, 'rate', rate, 'Give a number > 0.');
  demand(finalRate > 0 && finalRate <= 1, 'finalRate', finalRate, 'Give a number in (0, 1].');
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
