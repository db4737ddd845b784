import type { Job, KINDS } from './layout.ts';
import type { Threads } from './threads.ts';

/** More let more be copied while others work, and cost a start each. */
const PARTS = 4;

/** A job that goes over units (rows of tiles, chunks of Gaussians), a few pieces each. */
export interface PartedJob {
  readonly kind: (typeof KINDS)[number];
  readonly job: Job;
  readonly units: number;
  /** Pieces of a unit. @default 1 */
  readonly each?: number;
  /** Copies in what units from `from` to before `to` need. */
  readonly bring?: ((from: number, to: number) => void) | undefined;
  /** Copies out what they made. */
  readonly take?: ((from: number, to: number) => void) | undefined;
}

/** Runs a job part by part: while the other threads are at one, the caller's copies for the next and from the last. */
export async function inParts({ run }: Threads, { kind, job, units, each = 1, bring, take }: PartedJob): Promise<void> {
  if (bring === undefined && take === undefined) return run({ kind, job, pieces: each * units });
  const bound = (part: number): number => Math.floor((units * part) / PARTS);
  bring?.(0, bound(1));
  for (let part = 0; part < PARTS; part++) {
    const meanwhile = (): void => {
      if (part > 0) take?.(bound(part - 1), bound(part));
      if (part + 1 < PARTS) bring?.(bound(part + 1), bound(part + 2));
    };
    await run({ kind, job, pieces: each * bound(part + 1), from: each * bound(part), meanwhile });
  }
  take?.(bound(PARTS - 1), units);
}

/** An array of so many numbers: the one given where it has that many and is not part of a memory that others write to, else a new one. */
export function arrayOf(length: number, given: Float32Array | undefined): { readonly array: Float32Array; readonly isNew: boolean } {
  return given?.length === length && given.buffer instanceof ArrayBuffer
    ? { array: given, isNew: false }
    : { array: new Float32Array(length), isNew: true };
}

/**
 * Writes to each page of arrays that are new: the first time that takes longer than what is written later, and can be done while others
 * work.
 */
export function touchPages(arrays: Iterable<Float32Array>): void {
  for (const array of arrays) for (let i = 0; i < array.length; i += 1024) array[i] = 0;
}
