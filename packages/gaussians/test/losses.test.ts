import {
  addOpacityRegularizer,
  addScaleRegularizer,
  createSsim,
  depthLoss,
  photometricLoss,
  psnr,
  type SsimPadding,
} from '@langevin/gaussians';
import { counterGenerator } from '@langevin/tensor';
import { describe, expect, it } from 'vitest';

const SIZE = { width: 17, height: 13, channels: 3 };
const LENGTH = SIZE.width * SIZE.height * SIZE.channels;
const picture = (stream: number, length = LENGTH): Float64Array => counterGenerator({ seed: 3, stream: [stream] }).uniform64(length);

/** (f(x + h) - f(x - h)) / 2h at some entries. */
function central(f: (x: Float64Array) => number, x: Float64Array, entries: readonly number[], h = 1e-6): number[] {
  return entries.map((entry) => {
    const at = (by: number): number => f(x.map((value, i) => (i === entry ? value + by : value)));
    return (at(h) - at(-h)) / (2 * h);
  });
}
/** Corners, borders and the middle. */
const ENTRIES = [0, 1, 16 * 3, 17 * 3 * 6 + 8 * 3 + 2, 17 * 3 * 5 + 15, LENGTH - 1, 17 * 3 * 12 + 4];

/** Directly from the definition: windows that reach over the border see zeros. */
function definition(a: Float64Array, b: Float64Array, padding: SsimPadding): number {
  const raw = Array.from({ length: 11 }, (_, i) => Math.exp(-((i - 5) ** 2) / 4.5));
  const total = raw.reduce((sum, value) => sum + value, 0);
  const inset = padding === 'valid' ? 5 : 0;
  let sum = 0;
  let windows = 0;
  for (let c = 0; c < 3; c++) {
    for (let y = inset; y < SIZE.height - inset; y++) {
      for (let x = inset; x < SIZE.width - inset; x++) {
        const moments = [0, 0, 0, 0, 0];
        for (let v = -5; v <= 5; v++) {
          for (let u = -5; u <= 5; u++) {
            if (y + v < 0 || y + v >= SIZE.height || x + u < 0 || x + u >= SIZE.width) continue;
            const at = ((y + v) * SIZE.width + x + u) * 3 + c;
            const weight = (raw[v + 5]! * raw[u + 5]!) / total ** 2;
            for (const [i, value] of [a[at]!, b[at]!, a[at]! ** 2, b[at]! ** 2, a[at]! * b[at]!].entries())
              moments[i] = moments[i]! + weight * value;
          }
        }
        const [ma, mb, aa, bb, ab] = moments as [number, number, number, number, number];
        sum += ((2 * ma * mb + 1e-4) * (2 * (ab - ma * mb) + 9e-4)) / ((ma * ma + mb * mb + 1e-4) * (aa - ma * ma + bb - mb * mb + 9e-4));
        windows++;
      }
    }
  }
  return sum / windows;
}

describe.each(['same', 'valid'] as const)('SSIM with %s windows', (padding) => {
  const ssim = createSsim<Float64Array>(SIZE, { padding, precision: 'float64' });
  const image = picture(1);
  const target = ssim.prepare(picture(2));

  it('is the definition', () => {
    expect(ssim.value(image, target)).toBeCloseTo(definition(image, target.picture, padding), 12);
    expect(ssim.value(target.picture, target)).toBeCloseTo(1, 12);
  });

  it('has the gradient of central differences', () => {
    const into = new Float64Array(LENGTH);
    expect(ssim.addGradient(image, target, { scale: 2, into })).toBe(ssim.value(image, target));
    const expected = central((x) => 2 * ssim.value(x, target), image, ENTRIES);
    for (const [i, entry] of ENTRIES.entries()) expect(Math.abs(into[entry]! - expected[i]!)).toBeLessThan(1e-8);
    // The bound means something: these gradients are far larger.
    expect(Math.max(...ENTRIES.map((entry) => Math.abs(into[entry]!)))).toBeGreaterThan(1e-4);
  });

  it('in float32 is that of float64 to rounding', () => {
    const single = createSsim(SIZE, { padding });
    const into = new Float32Array(LENGTH);
    const value = single.addGradient(Float32Array.from(image), single.prepare(Float32Array.from(target.picture)), { scale: 1, into });
    const exact = new Float64Array(LENGTH);
    expect(Math.abs(value - ssim.addGradient(image, target, { scale: 1, into: exact }))).toBeLessThan(1e-5);
    expect(Math.max(...exact.map((expected, i) => Math.abs(expected - into[i]!)))).toBeLessThan(1e-7);
  });
});

describe('losses', () => {
  it('SSIM refuses pictures that cannot be compared', () => {
    expect(() => createSsim({ width: 10, height: 20, channels: 3 }, { padding: 'valid' })).toThrow(
      '[gaussians/ssim] no window lies inside of the picture: width=10, height=20.',
    );
    expect(() => createSsim({ width: 0, height: 2, channels: 3 })).toThrow('width=0');
    expect(() => createSsim(SIZE).prepare(new Float32Array(4))).toThrow('target.length=4, expected 663');
  });

  it.each([undefined, 'mask'] as const)('photometric loss has the gradient of central differences (%s)', (masked) => {
    const ssim = createSsim<Float64Array>(SIZE, { precision: 'float64' });
    const mask = masked && Uint8Array.from({ length: SIZE.width * SIZE.height }, (_, i) => [255, 0, 128][i % 3]!);
    const target = ssim.prepare(picture(5));
    const loss = (image: Float64Array) => photometricLoss({ image, target, ssim, size: SIZE, mask, dssim: 0.3 });
    const image = picture(4);
    const { gradient, loss: value, l1, ssim: similarity, mse } = loss(image);
    expect(value).toBeCloseTo(0.7 * l1 + 0.3 * (1 - similarity), 12);
    const expected = central((x) => loss(x).loss, image, ENTRIES);
    for (const [i, entry] of ENTRIES.entries()) expect(Math.abs(gradient[entry]! - expected[i]!)).toBeLessThan(1e-8);
    if (mask) expect(Math.abs(gradient[3]!)).toBe(0);
    else expect(-10 * Math.log10(mse)).toBeCloseTo(psnr(image, target.picture), 10);
  });

  it('depth compares where depth is known', () => {
    const target = Float64Array.of(2, 0, 4, 1);
    const depth = Float64Array.of(1, 3, 5, 0);
    expect(depthLoss(depth, target, { space: 'depth', weight: 3 })).toEqual({ loss: 3, gradient: Float64Array.of(-1, 0, 1, -1) });
    const inverse = depthLoss(depth, target, { weight: 3 });
    expect(inverse.loss).toBeCloseTo(0.5 + 0.05 + 1, 12);
    const expected = central((x) => depthLoss(x, target, { weight: 3 }).loss, depth, [0, 1, 2]);
    for (const [i, value] of expected.entries()) expect(Math.abs(inverse.gradient[i]! - value)).toBeLessThan(1e-8);
    expect(depthLoss(depth, new Float64Array(4), { weight: 1 })).toEqual({ loss: 0, gradient: new Float64Array(4) });
  });

  it('regularisers add their gradients', () => {
    for (const [add, length] of [
      [addOpacityRegularizer, 5],
      [addScaleRegularizer, 6],
    ] as const) {
      const x = picture(7, length);
      const into = new Float64Array(length).fill(1);
      add(x, { weight: 0.2, into });
      const expected = central((values) => add(values, { weight: 0.2, into: new Float64Array(length) }), x, [0, length - 1]);
      expect(into[0]! - 1).toBeCloseTo(expected[0]!, 8);
      expect(into[length - 1]! - 1).toBeCloseTo(expected[1]!, 8);
    }
  });

  it('PSNR', () => {
    expect(psnr(Float32Array.of(0.5, 0.5), Float32Array.of(0.5, 0.5))).toBe(Infinity);
    expect(psnr(Float64Array.of(0, 0), Float64Array.of(0.1, 0.1))).toBeCloseTo(20, 12);
    expect(() => psnr(new Float32Array(1), new Float32Array(2))).toThrow('[gaussians/metrics] pictures differ in size');
  });
});
