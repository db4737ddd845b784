import { shownValue, UserError } from '@langevin/tensor';

/** Pictures as plain numbers, [count, channels, height, width], row-major, in [-1, 1] as everywhere in the library. */
export interface Pictures {
  readonly data: Float32Array | Float64Array;
  readonly shape: readonly [count: number, channels: number, height: number, width: number];
}

/** @throws UserError unless both are of one shape and have as many numbers as it says */
export function checkPair(metric: string, a: Pictures, b: Pictures): void {
  for (const [name, pictures] of Object.entries({ a, b } as Readonly<Record<string, Partial<Pictures> | null | undefined>>)) {
    const { data, shape } = pictures ?? {};
    if (data === undefined || !Array.isArray(shape)) {
      throw new UserError(
        `[metrics/${metric}] not pictures: ${name}=${shownValue(pictures)}. Pass { data, shape: [count, channels, height, width] }.`,
      );
    }
    const size = shape.reduce((product, n) => product * n, 1);
    if (shape.every((n) => Number.isSafeInteger(n) && n >= 1) && data.length === size) continue;
    throw new UserError(
      `[metrics/${metric}] numbers do not fill the shape: length=${data.length}, shape=[${shape.join(', ')}].`
        + ' Pass [count, channels, height, width].',
    );
  }
  if (a.shape.some((n, axis) => n !== b.shape[axis])) {
    throw new UserError(
      `[metrics/${metric}] pictures differ in shape: [${a.shape.join(', ')}] and [${b.shape.join(', ')}]. Resize one of them, by name.`,
    );
  }
}
