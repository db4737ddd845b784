import { data, realize, scalar, tensor, type Tensor } from '@langevin/tensor';
import type { Gaussians } from '../gaussians.ts';
import { checkTime, deform, type Deformation, type MovingTensors } from './deformation.ts';

/** What may move. */
export const MOVING = ['means', 'quaternions', 'logScales'] as const;

/** Copies of what may move, as tensors. */
export function movingTensors({ count, means, quaternions, logScales }: Gaussians): MovingTensors {
  const of = (array: Float32Array, width: number): Tensor => tensor(Float32Array.from(array), { shape: [count, width] });
  return { means: of(means, 3), quaternions: of(quaternions, 4), logScales: of(logScales, 3) };
}

/** Gaussians at a time, computed by the engine: for many of them faster than `playback`, and the same up to rounding. */
export async function movedGaussians<Params>(
  deformation: Deformation<Params>,
  at: { readonly params: Params; readonly gaussians: Gaussians; readonly time: number },
): Promise<Gaussians> {
  const { params, gaussians, time } = at;
  const still = movingTensors(gaussians);
  const moved = deform({ deformation, params }, still, scalar(checkTime(time)));
  const changed = MOVING.filter((name) => moved[name] !== still[name]);
  await realize(changed.map((name) => moved[name]));
  const pose: Partial<Record<(typeof MOVING)[number], Float32Array>> = {};
  for (const name of changed) pose[name] = (await data(moved[name])) as Float32Array;
  return { ...gaussians, ...pose };
}
