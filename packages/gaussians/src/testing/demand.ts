/** Throws an Error, which fails the test that asks, when a part does not keep what every part of its kind keeps. */
export function demand(part: string, holds: boolean, what: string): void {
  if (!holds) throw new Error(`${part} ${what}`);
}

/** Whether two arrays hold the same bits. */
export function sameBits(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}

/** The error of work that has to be refused; an Error itself where it is not. */
export async function refusal(part: string, work: () => unknown, what: string): Promise<unknown> {
  let error: unknown;
  try {
    await work();
  } catch (thrown) {
    error = thrown;
  }
  demand(part, error !== undefined, `takes ${what}`);
  return error;
}
