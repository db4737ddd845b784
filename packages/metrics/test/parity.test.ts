import { readFileSync } from 'node:fs';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { frechetDistance, momentsOf, precisionRecall, psnr, ssim, unbiasedDiscrepancy, type Pictures } from '@langevin/metrics';
import { describe, expect, it } from 'vitest';
import { features, uniform, type Recipe } from './harness.ts';

interface Golden {
  readonly cases: readonly {
    readonly name: string;
    readonly a: Recipe;
    readonly b: Recipe;
    readonly frechet: number;
    readonly kernel: number;
    readonly coverage: Readonly<Record<string, Readonly<Record<'precision' | 'recall' | 'density' | 'coverage', number>>>>;
  }[];
  readonly similarity: { readonly psnr: readonly number[]; readonly ssim: readonly number[] };
}

const golden = JSON.parse(readFileSync(new URL('golden/metrics.json', import.meta.url), 'utf8')) as Golden;
const engine = await onnxruntimeEngine({ device: 'cpu' });

describe.each(golden.cases)('features $name', ({ a, b, frechet, kernel, coverage }) => {
  const [samples, data] = [features(a), features(b)];

  it('have the Frechet distance of scipy', () => {
    const { value } = frechetDistance(momentsOf(samples), momentsOf(data));
    expect(Math.abs(value - frechet)).toBeLessThan(1e-9 * Math.max(1, frechet));
  });

  it('have the unbiased kernel distance of torchmetrics', async () => {
    const value = await unbiasedDiscrepancy(samples, data, { engine });
    // Float64 sums of kernels that grow with the cube of the squared norm; products round in single precision around the mean.
    const size = (1 + Math.max(a.shift, b.shift) ** 2) ** 3;
    expect(Math.abs(value - kernel)).toBeLessThan(1e-6 * size);
  });

  it.each(Object.entries(coverage))('have the precision, recall, density and coverage of prdc at k=%s', async (k, expected) => {
    expect(await precisionRecall(samples, data, { k: Number(k), engine })).toMatchObject({
      precision: expect.closeTo(expected.precision, 12) as number,
      recall: expect.closeTo(expected.recall, 12) as number,
      density: expect.closeTo(expected.density, 12) as number,
      coverage: expect.closeTo(expected.coverage, 12) as number,
    });
  });
});

describe('pictures', () => {
  const shape = [2, 3, 16, 16] as const;
  const noise = (phase: number): Float64Array =>
    Float64Array.from({ length: 2 * 3 * 256 }, (_, k) => 2 * uniform(k % 256, Math.floor(k / 256) % 3, phase + Math.floor(k / 768)) - 1);
  const [p, other] = [noise(0.3), noise(4.1)];
  const first: Pictures = { data: p, shape };
  const second: Pictures = { data: p.map((value, k) => 0.7 * value + 0.3 * other[k]!), shape };

  it('have the PSNR of scikit-image', () => {
    psnr(first, second).forEach((value, i) => expect(value).toBeCloseTo(golden.similarity.psnr[i]!, 9));
  });
  it('have the SSIM of scikit-image', () => {
    ssim(first, second).forEach((value, i) => expect(value).toBeCloseTo(golden.similarity.ssim[i]!, 9));
  });
});
