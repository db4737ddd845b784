import { checkNumber, UserError } from '@langevin/tensor';

/** Throws unless a batch of `length` divides into so many equal parts. */
export function checkParts(length: number, parts: number): void {
  if (Number.isInteger(parts) && parts >= 1 && length % parts === 0) return;
  throw new UserError(
    `[core-schedules/algebra] the batch does not divide into equal parts: length=${length}, parts=${parts}. Pass the number of `
      + 'states that were put together.',
  );
}

/** Throws unless q is a share. */
export function checkQuantile(q: number): void {
  checkNumber('core-schedules/algebra', { q }, { atLeast: 0, atMost: 1 });
}
