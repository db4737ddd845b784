import { checkNumber, UserError } from '@langevin/tensor';
import type { FloatArray } from '../array-algebra.ts';
import { linearAssignment } from '../maths/linear-assignment.ts';

export interface TransportPairingOptions {
  /** [items, ...], one image after another. */
  readonly x0: FloatArray;
  /** [items, ...] of the same size: noise, or images of another kind. */
  readonly source: FloatArray;
  /** Images in the batch, 1..4096. */
  readonly items: number;
}

/**
 * Which item of the source goes with each image so that squared distances add up to the least: OT-CFM's minibatch optimal transport
 * (Tong et al. 2023, arXiv:2302.00482, section 3.2). Paths that cross less are straighter, so fewer steps sample them.
 *
 * @returns [items], a permutation; {@link takeItems} brings the source into its order
 * @example
 * transportPairing({ x0: Float32Array.of(0, 10), source: Float32Array.of(9, 1), items: 2 }); // => [1, 0]
 */
export function transportPairing({ x0, source, items }: TransportPairingOptions): number[] {
  const where = 'core-schedules/transport-pairing';
  checkNumber(where, { items }, { atLeast: 1, atMost: 4096, kind: 'integer' });
  if (x0.length !== source.length || x0.length % items !== 0) {
    throw new UserError(
      `[${where}] both sides are batches of one shape: x0.length=${x0.length}, source.length=${source.length}, items=${items}. `
        + 'Pass as many images as noises.',
    );
  }
  const size = x0.length / items;
  const cost = new Float64Array(items * items);
  for (let i = 0; i < items; i++) {
    for (let j = 0; j < items; j++) {
      let total = 0;
      for (let k = 0; k < size; k++) total += (x0[i * size + k]! - source[j * size + k]!) ** 2;
      cost[i * items + j] = total;
    }
  }
  return linearAssignment(cost, items);
}

/**
 * The items of a batch in another order, in an array of the same kind.
 *
 * @example
 * takeItems(Float32Array.of(1, 2, 3, 4), [1, 0]); // => [3, 4, 1, 2]
 */
export function takeItems<T extends FloatArray>(batch: T, order: readonly number[]): T {
  const size = batch.length / order.length;
  const out = batch.slice() as T;
  order.forEach((item, i) => {
    checkNumber('core-schedules/transport-pairing', { [`order[${i}]`]: item }, { atLeast: 0, atMost: order.length - 1, kind: 'integer' });
    out.set(batch.subarray(item * size, (item + 1) * size), i * size);
  });
  return out;
}
