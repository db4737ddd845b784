import { defineDenoiser } from '@langevin/core';
import {
  blurring,
  cosineTransform,
  criticallyDamped,
  inFrequencies,
  tensorAlgebra,
  tensorCosineTransform,
  vpCosine,
  vpLinear,
  type BlurLevel,
} from '@langevin/core-schedules';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { ddim, gddim, sample, type GddimOptions } from '@langevin/samplers';
import { counterGenerator, numbers, setDefaultEngine, tensor, type Tensor } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

const SHAPE = { height: 6, width: 5 };
const SIZE = SHAPE.height * SHAPE.width;
const process = blurring({ ...SHAPE, mostBlur: 3 });
const transform = cosineTransform(SHAPE);

const normals = (seed: number, length = SIZE): Float64Array => Float64Array.from(counterGenerator({ seed, stream: [0] }).normal(length));
const gap = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);
const noised = (clean: Float64Array, { gains, sigma }: BlurLevel, epsilon: Float64Array): Float64Array =>
  clean.map((value, k) => gains[k % SIZE]! * value + sigma * epsilon[k]!);

describe('gDDIM on blurring diffusion', () => {
  const point = transform.forward(normals(3));
  const exact = defineDenoiser<Float64Array>({ nfe: 1, denoise: () => Promise.resolve(point.slice()) });

  test('is exact for data that are one point in one step, of any order in many, and from pure noise', async () => {
    const epsilon = normals(4);
    const [from, to] = [process.level(0.95), process.level(0.2)];
    const truth = noised(point, to, epsilon);
    expect(
      gap(await sample({ sampler: gddim(), denoise: exact, x: noised(point, from, epsilon), levels: [from, to] }), truth),
    ).toBeLessThan(1e-12);
    for (const options of [{ order: 3 }, { order: 4 }, { order: 2, corrector: 'always' }] as const) {
      const levels = [0.95, 0.8, 0.65, 0.5, 0.3, 0.2].map(process.level);
      expect(
        gap(await sample({ sampler: gddim({ ...options, process }), denoise: exact, x: noised(point, from, epsilon), levels }), truth),
      ).toBeLessThan(1e-10);
    }
    const all = [1, 0.7, 0.4, 0.1, 0].map(process.level);
    expect(gap(await sample({ sampler: gddim({ order: 3, process }), denoise: exact, x: epsilon, levels: all }), point)).toBeLessThan(
      1e-10,
    );
  });

  test('DDIM of the whole picture at once, without regard to frequencies, is not', async () => {
    const epsilon = normals(4);
    const levels = [0.95, 0.2].map(process.level);
    const plain = levels.map(({ alpha, sigma }) => ({ alpha, sigma }));
    expect(
      gap(
        await sample({ sampler: ddim(), denoise: exact, x: noised(point, levels[0]!, epsilon), levels: plain }),
        noised(point, levels[1]!, epsilon),
      ),
    ).toBeGreaterThan(0.1);
  });

  // Data of frequencies with means and deviations of their own, like those of photographs: less power the higher.
  const means = normals(5).map((value, k) => value / (1 + k));
  const deviations = Float64Array.from({ length: SIZE }, (_, k) => 1 / (1 + 0.3 * k));
  const spread = ({ gains, sigma }: BlurLevel): Float64Array => deviations.map((s, k) => Math.sqrt((gains[k]! * s) ** 2 + sigma ** 2));
  const gaussian = defineDenoiser<Float64Array>({
    nfe: 1,
    denoise: (x, at) => {
      const level = at as BlurLevel;
      const total = spread(level);
      return Promise.resolve(
        x.map((value, k) => means[k]! + ((level.gains[k]! * deviations[k]! ** 2) / total[k]! ** 2) * (value - level.gains[k]! * means[k]!)),
      );
    },
  });
  // Even in lambda from nearly pure noise on, where epsilon does not change yet: the first steps, with less of a history, cost no order.
  const noise = vpCosine();
  const grid = (steps: number): readonly BlurLevel[] =>
    Array.from({ length: steps + 1 }, (_, i) => process.level(noise.time(-11 + (i / steps) * 12)));
  const [first, last] = grid(1) as [BlurLevel, BlurLevel];
  const start = noised(means, first, normals(6));
  /** Along the probability-flow ODE each frequency of Gaussian data keeps its distance from the mean, in deviations. */
  const end = ((): Float64Array => {
    const [before, after] = [spread(first), spread(last)];
    return start.map((value, k) => last.gains[k]! * means[k]! + (after[k]! / before[k]!) * (value - first.gains[k]! * means[k]!));
  })();
  const errorOf = async (options: GddimOptions, steps: number): Promise<number> =>
    gap(await sample({ sampler: gddim({ ...options, process }), denoise: gaussian, x: start, levels: grid(steps) }), end);

  for (const order of [1, 2, 3, 4] as const) {
    for (const corrector of ['never', 'always'] as const) {
      test(`order ${order}, corrector ${corrector}: the error falls as declared`, async () => {
        const declared = gddim({ order, corrector, process }).order!;
        const [coarse, fine] = [await errorOf({ order, corrector }, 160), await errorOf({ order, corrector }, 320)];
        expect(Math.log2(coarse / fine)).toBeGreaterThan(declared - 0.35);
        expect(Math.log2(coarse / fine)).toBeLessThan(declared + 0.75);
      });
    }
  }

  test('without blur it is DDIM', async () => {
    const still = blurring({ ...SHAPE, mostBlur: 0, process: vpLinear() });
    const levels = [0.9, 0.5, 0.1].map(still.level);
    const denoise = defineDenoiser<Float64Array>({ nfe: 1, denoise: (x) => Promise.resolve(x.map((value) => Math.tanh(value))) });
    const plain = levels.map(({ alpha, sigma }) => ({ alpha, sigma }));
    expect(
      gap(
        await sample({ sampler: gddim(), denoise, x: start, levels }),
        await sample({ sampler: ddim(), denoise, x: start, levels: plain }),
      ),
    ).toBeLessThan(1e-12);
  });

  test('runs on an engine, with a network of pictures, for a batch', async () => {
    const clean = normals(7, 2 * SIZE);
    const levels = [0.95, 0.7, 0.45, 0.2].map(process.level);
    const epsilon = normals(8, 2 * SIZE);
    const x = noised(transform.forward(clean), levels[0]!, epsilon);
    const state = tensor(Float32Array.from(x), { shape: [2, 1, 6, 5] });
    const picture = tensor(Float32Array.from(clean), { shape: [2, 1, 6, 5] });
    const denoise = inFrequencies<Tensor>(
      defineDenoiser<Tensor>({ nfe: 1, denoise: () => Promise.resolve(picture) }),
      tensorCosineTransform(SHAPE),
    );
    const drawn = await sample({ sampler: gddim({ order: 2, process }), denoise, x: state, levels, algebra: tensorAlgebra() });
    expect(gap(await numbers(drawn), noised(transform.forward(clean), levels.at(-1)!, epsilon))).toBeLessThan(5e-5);
  });

  test('says what it needs', async () => {
    const levels = grid(3);
    await expect(sample({ sampler: gddim({ order: 2 }), denoise: gaussian, x: start, levels })).rejects.toThrow(
      'process=undefined. Pass process: blurring(), that of the levels.',
    );
    await expect(
      sample({ sampler: gddim({ order: 2, process: criticallyDamped() }), denoise: gaussian, x: start, levels }),
    ).rejects.toThrow('process=criticallyDamped');
    await expect(
      sample({
        sampler: gddim(),
        denoise: defineDenoiser<Float64Array>({ nfe: 1, denoise: (x: Float64Array) => Promise.resolve(x.slice()) }),
        x: new Float64Array(7),
        levels,
      }),
    ).rejects.toThrow("[samplers/gddim] the state is not whole spectra of the levels' size: elements=7, frequencies=30.");
  });
});
