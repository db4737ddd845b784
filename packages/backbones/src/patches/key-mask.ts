import { concat, expandDims, full, type Tensor } from '@langevin/tensor';

/**
 * The mask of tokens as attention takes it: bool [N, S] to [N, 1, 1, S]. Nothing stays nothing.
 *
 * @param beside as many keys that all queries see, behind the tokens. @default 0
 */
export function keyMask(mask: Tensor | undefined, beside = 0): Tensor | undefined {
  if (mask === undefined) return undefined;
  const all = beside === 0 ? mask : concat([mask, full([mask.shape[0]!, beside], 1, 'bool')], 1);
  return expandDims(all, [1, 2]);
}
