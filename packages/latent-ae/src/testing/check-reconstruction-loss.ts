import { numbersOf } from '@langevin/nn/testing';
import { concat, gradients, mul, numbers, sub, sum, type Engine, type Tensor } from '@langevin/tensor';
import type { ReconstructionLoss } from '../reconstruction-loss.ts';

export interface CheckReconstructionLossOptions {
  /** Of a batch, [N, channels, ...]. @default [3, 3, 8, 8] */
  readonly shape?: readonly number[];
  /** What the data may be, out of numbers of variance 1. @default within -1 and 1 */
  readonly target?: (x: Tensor) => Tensor;
  /** @default the default engine */
  readonly engine?: Engine;
}

/** Of float32, in sums of some hundred numbers. */
const WITHIN = 1e-5;

/**
 * Proves of a loss what every loss has to keep: one finite number for each item, which does not depend on the others; its gradient by the
 * reconstruction is that of finite differences, and a small step down it makes the loss less.
 *
 * @throws Error saying what it does not keep
 */
export async function checkReconstructionLoss(
  loss: ReconstructionLoss,
  { shape = [3, 3, 8, 8], target: made = (x) => mul(x, 0.5), engine }: CheckReconstructionLossOptions = {},
): Promise<void> {
  const on = engine === undefined ? {} : { engine };
  const demand = (holds: boolean, what: string): void => {
    if (!holds) throw new Error(`loss ${loss.name} ${what}`);
  };
  const item = (name: string, i: number): Tensor => numbersOf(`loss/${name}/${i}`, [1, ...shape.slice(1)]);
  const all = (name: string): Tensor =>
    concat(
      Array.from({ length: shape[0]! }, (_, i) => item(name, i)),
      0,
    );
  const [target, reconstruction] = [made(all('target')), mul(all('reconstruction'), 0.5)];
  const distances = loss.apply({ target, reconstruction });
  demand(distances.shape.join() === String(shape[0]), `gives [${distances.shape.join()}] for ${shape[0]} items`);
  // Before anything is read: what is read is a number, and has no gradient any more.
  const [slope] = gradients([sum(distances)], [reconstruction]) as [Tensor];
  const values = await numbers(distances, on);
  demand(values.every(Number.isFinite), `is not finite: ${values.join(', ')}`);
  const [alone] = await numbers(loss.apply({ target: made(item('target', 1)), reconstruction: mul(item('reconstruction', 1), 0.5) }), on);
  demand(Math.abs(alone! - values[1]!) <= WITHIN * Math.max(1, Math.abs(alone!)), 'of an item depends on the others of its batch');
  const slopes = await numbers(slope, on);
  demand(slopes.every(Number.isFinite) && slopes.some((value) => value !== 0), 'has no gradient by the reconstruction');
  const norm = Math.sqrt(slopes.reduce((total, value) => total + value * value, 0));
  const total = async (x: Tensor): Promise<number> => (await numbers(sum(loss.apply({ target, reconstruction: x })), on))[0]!;
  const before = await total(reconstruction);
  const length = Math.min(1, (0.01 * Math.abs(before)) / norm);
  const after = await total(sub(reconstruction, mul(slope, length / norm)));
  demand(after < before, `grows down its own gradient: from ${before} to ${after}`);
  // Along the gradient the loss falls by |gradient| for each unit, but for curvature.
  const expected = norm * length;
  demand(Math.abs(before - after - expected) <= 0.3 * expected, `falls by ${before - after} where its gradient says ${expected}`);
}
