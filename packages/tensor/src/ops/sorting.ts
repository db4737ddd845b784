import { checkNumber, shownValue } from '../check-number.ts';
import { UserError } from '../errors.ts';
import { apply1, type OpDefinition } from '../graph/node.ts';
import { checkChoice, readOptions } from '../read-options.ts';
import type { Tensor } from '../tensor.ts';
import { lerp } from './binary.ts';
import { equal, where } from './compare.ts';
import { gatherElements } from './indexing.ts';
import { axisOf } from './operands.ts';
import { slice } from './slicing.ts';
import { squeeze } from './shaping.ts';

export const topKIndicesOp: OpDefinition<'topKIndices'> = {
  op: 'topKIndices',
  infer([x], { axis, k }) {
    const n = x!.shape[axis]!;
    if (!Number.isInteger(k) || k < 1 || k > n)
      throw new UserError(
        `[tensor/topK] k is out of range: k=${shownValue(k)}, size of axis ${axis} is ${n}. Give an integer in [1, ${n}].`,
      );
    return [{ shape: x!.shape.map((size, i) => (i === axis ? k : size)), dtype: 'int32' }];
  },
  vjp: () => [undefined],
};

export interface OrderOptions {
  /** @default -1 */
  readonly axis?: number;
  /** @default 'largest' for topK, 'smallest' first for sort */
  readonly order?: 'largest' | 'smallest';
}

const ORDER_OPTIONS = ['axis', 'order'];

/**
 * The k largest or smallest elements along an axis, in order, with their indices (int32); ties by rising index. NaN counts as larger than
 * infinity, as in PyTorch.
 */
export function topK(x: Tensor, k: number, options: OrderOptions = {}): { readonly values: Tensor; readonly indices: Tensor } {
  const { axis: given = -1, order = 'largest' } = readOptions('tensor/topK', options, ORDER_OPTIONS);
  checkChoice('tensor/topK', { order }, ['largest', 'smallest']);
  const axis = axisOf('tensor/topK', x, given);
  const indices = apply1(topKIndicesOp, [x], { axis, k, order });
  return { values: gatherElements(x, indices, axis), indices };
}

/** All elements in rising order ('smallest' first) along an axis, with their indices; stable. NaN is the largest, so it comes last. */
export function sort(x: Tensor, options: OrderOptions = {}): { readonly values: Tensor; readonly indices: Tensor } {
  const { axis: given = -1, order = 'smallest' } = readOptions('tensor/sort', options, ORDER_OPTIONS);
  checkChoice('tensor/sort', { order }, ['largest', 'smallest']);
  const axis = axisOf('tensor/sort', x, given);
  return topK(x, x.shape[axis]!, { axis, order });
}

/**
 * The q-quantile (0 <= q <= 1) along an axis, which is dropped, by linear interpolation between neighbours; NaN where an element is NaN.
 */
export function quantile(x: Tensor, q: number, axis = -1): Tensor {
  checkNumber('tensor/quantile', { q }, { atLeast: 0, atMost: 1 });
  const position = axisOf('tensor/quantile', x, axis);
  const last = x.shape[position]! - 1;
  const place = q * last;
  const low = Math.floor(place);
  const high = Math.ceil(place);
  const { values } = sort(x, { axis: position });
  const at = (index: number): Tensor => squeeze(slice(values, { [position]: { start: index, stop: index + 1 } }), position);
  const found = low === high ? at(low) : lerp(at(low), at(high), place - low);
  // NaN is sorted last. The branch that is not taken gets no gradient, and has none to spoil.
  const largest = at(last);
  return where({ if: equal(largest, largest), then: found, else: largest });
}
