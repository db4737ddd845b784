import { shownValue, UserError } from '@langevin/tensor';

/** Pictures as plain numbers, [count, channels, height, width], row-major, in [-1, 1] as everywhere in the library. */
export interface Pictures {
  readonly data: Float32Array | Float64Array;
  readonly shape: readonly [count: number, channels: number, height: number, width: number];
}

/** What float32 may leave above the range when bytes or 0..1 are brought to it. */
const SLACK = 1e-6;

/** @throws UserError unless both are of one shape, have as many numbers as it says, and these are in [-1, 1] */
export function checkPair(metric: string, a: Pictures, b: Pictures): void {
  for (const [name, pictures] of Object.entries({ a, b })) checkPictures(metric, name, pictures);
  if (a.shape.some((n, axis) => n !== b.shape[axis])) {
    throw new UserError(
      `[metrics/${metric}] pictures differ in shape: [${a.shape.join(', ')}] and [${b.shape.join(', ')}]. Resize one of them, by name.`,
    );
  }
}

/** @throws UserError unless there are as many numbers as the shape says, all in [-1, 1] */
export function checkPictures(metric: string, name: string, pictures: Partial<Pictures> | null | undefined): void {
  const { data, shape } = pictures ?? {};
  if (!(data instanceof Float32Array || data instanceof Float64Array) || !Array.isArray(shape) || shape.length !== 4) {
    throw new UserError(
      `[metrics/${metric}] not pictures: ${name}=${shownValue(pictures)}. Pass { data, shape: [count, channels, height, width] }.`,
    );
  }
  if (!shape.every((n) => Number.isSafeInteger(n) && n >= 1) || data.length !== shape.reduce((product, n) => product * n, 1)) {
    throw new UserError(
      `[metrics/${metric}] numbers do not fill the shape: length=${data.length}, shape=[${shape.map(shownValue).join(', ')}].`
        + ' Pass [count, channels, height, width].',
    );
  }
  // The range is a constant of these measures: numbers of another one would give values that look like measures and are none.
  const wrong = data.findIndex((value) => !(Math.abs(value) <= 1 + SLACK));
  if (wrong >= 0) {
    throw new UserError(
      `[metrics/${metric}] a number is not in -1..1: ${name}.data[${wrong}]=${data[wrong]}. Clamp what a network gives, and bring bytes `
        + 'to this range with bytesToUnit() of @langevin/io.',
    );
  }
}
