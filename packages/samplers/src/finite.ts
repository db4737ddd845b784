import type { Algebra, FiniteCheck } from '@langevin/core';
import { UserError } from '@langevin/tensor';
import { checkChoice } from './check-option.ts';

/** Plain arrays see what is not finite as they check the form of a prediction, at no cost. */
const seesForFree = <T>(algebra: Algebra<T>): boolean => algebra.name === 'arrays';

/** Whether predictions have to be looked at for themselves. @throws UserError for an unknown choice */
export function watchesSteps<T>(finite: FiniteCheck = 'end', algebra: Algebra<T>): boolean {
  checkChoice('trajectory', { finite }, ['steps', 'end']);
  return finite === 'steps' && !seesForFree(algebra);
}

/** Numbers of the items that hold NaN or Infinity: one reduced number for each item comes to the host. */
export async function notFinite<T>(algebra: Algebra<T>, x: T): Promise<readonly number[]> {
  // Divided by itself what is finite cannot overflow, and Infinity is NaN; 1024 keeps sums of half floats small.
  const sizes = await algebra.scaledRms(x, { absolute: 1024, relative: 1024, of: [x] });
  return sizes.flatMap((size, item) => (Number.isFinite(size) ? [] : [item]));
}

/** Throws where the last state of a run is not finite; predictions over plain arrays have been looked at on the way. */
export async function checkEnd<T>(
  algebra: Algebra<T>,
  x: T,
  { here, watched }: { readonly here: string; readonly watched: boolean },
): Promise<void> {
  if (seesForFree(algebra)) return;
  const items = await notFinite(algebra, x);
  if (items.length === 0) return;
  const remedy = watched
    ? 'All predictions were finite: look at the sampler and its noise.'
    : "Pass finite: 'steps' to learn which step is the first.";
  throw new UserError(
    `[samplers/trajectory] the state holds NaN or Infinity after ${here}: images ${items.join(', ')} of the batch. ${remedy}`,
  );
}
