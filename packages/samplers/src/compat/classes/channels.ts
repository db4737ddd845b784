import type { Algebra } from '@langevin/core';
import { UserError } from '@langevin/tensor';

/** The leading channels of each item, as many as the state has: what is left of an output with learned variances. */
export async function firstChannels<T>(algebra: Algebra<T>, output: T, like: T): Promise<T> {
  const [whole, part, items] = [algebra.size(output), algebra.size(like), algebra.items(like)];
  if (whole === part) return output;
  if (whole !== 2 * part || part % items !== 0)
    throw new UserError(
      `[samplers/compat] the model output does not hold the state's channels: output of ${whole} elements, state of ${part}. Pass `
        + 'outputs of the same batch and size, with or without as many channels again for the variance.',
    );
  const values = await algebra.toHost(output);
  const [stride, size] = [whole / items, part / items];
  const kept = new Float64Array(part);
  for (let i = 0; i < items; i++) kept.set(values.subarray(i * stride, i * stride + size), i * size);
  return algebra.fromHost(kept, like);
}

/** A model output in its halves by channel: the prediction, and the variance of networks that learned it. */
export async function splitChannels<T>(
  algebra: Algebra<T>,
  output: T,
  like: T,
): Promise<{ readonly prediction: T; readonly variance: T | undefined }> {
  const [whole, part, items] = [algebra.size(output), algebra.size(like), algebra.items(like)];
  if (whole !== 2 * part) return { prediction: await firstChannels(algebra, output, like), variance: undefined };
  const values = await algebra.toHost(output);
  const size = part / items;
  const variance = new Float64Array(part);
  for (let i = 0; i < items; i++) variance.set(values.subarray((2 * i + 1) * size, (2 * i + 2) * size), i * size);
  return { prediction: await firstChannels(algebra, output, like), variance: algebra.fromHost(variance, like) };
}
