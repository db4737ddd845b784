import { cosineTransform, tensorCosineTransform } from '@langevin/core-schedules';
import { counterGenerator, numbers, setDefaultEngine, tensor } from '@langevin/tensor';
import { referenceEngine } from '@langevin/tensor/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

beforeAll(() => setDefaultEngine(referenceEngine()));
afterAll(() => setDefaultEngine(undefined));

const SHAPE = { height: 6, width: 5 };
const SIZE = SHAPE.height * SHAPE.width;
const transform = cosineTransform(SHAPE);

const normals = (seed: number, length = SIZE): Float64Array => Float64Array.from(counterGenerator({ seed, stream: [0] }).normal(length));
const gap = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);

describe('the cosine transform', () => {
  test('is orthonormal, both ways, for any number of pictures', () => {
    const x = normals(1, 3 * SIZE);
    const spectrum = transform.forward(x);
    expect(gap(transform.inverse(spectrum), x)).toBeLessThan(1e-13);
    expect(spectrum.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(
      x.reduce((sum, value) => sum + value * value, 0),
      10,
    );
  });

  test('of a constant is its first number alone, and of a cosine one number', () => {
    const wave = Float64Array.from(
      { length: SIZE },
      (_, n) => Math.cos((Math.PI * 2 * (Math.floor(n / 5) + 0.5)) / 6) * Math.cos((Math.PI * 3 * ((n % 5) + 0.5)) / 5),
    );
    const spectrum = transform.forward(wave);
    const at = 2 * SHAPE.width + 3;
    expect(spectrum[at]).toBeCloseTo(Math.sqrt((6 / 2) * (5 / 2)), 12);
    expect(spectrum.every((value, k) => k === at || Math.abs(value) < 1e-13)).toBe(true);
  });

  test('is the same on an engine', async () => {
    const x = normals(2, 2 * 3 * SIZE);
    const { forward, inverse } = tensorCosineTransform(SHAPE);
    const state = tensor(Float32Array.from(x), { shape: [2, 3, 6, 5] });
    expect(gap(await numbers(forward(state)), transform.forward(x))).toBeLessThan(2e-6);
    expect(gap(await numbers(inverse(forward(state))), x)).toBeLessThan(2e-6);
  });

  test('refuses what is no picture', () => {
    expect(() => transform.forward(new Float64Array(7))).toThrow(
      '[core-schedules/cosine-transform] the array is not whole pictures: length=7, height=6, width=5.',
    );
    expect(() => cosineTransform({ height: 0, width: 2 })).toThrow('side=0');
  });
});
