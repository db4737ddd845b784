import { logitLaplace, logitLaplaceDensity, mapPixels, unmapPixels } from '@langevin/latent-ae';
import { checkReconstructionLoss } from '@langevin/latent-ae/testing';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { numbersOf } from '@langevin/nn/testing';
import { clamp, linspace, log, numbers, setDefaultEngine, sub, tensor } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
beforeAll(() => setDefaultEngine(engine));
afterAll(() => setDefaultEngine(undefined));

describe('logit-laplace', () => {
  it('keeps what every loss has to keep', async () =>
    checkReconstructionLoss(logitLaplace({ scale: 0.5 }), { target: (x) => clamp(x, { min: -1, max: 1 }) }));

  it.each([
    [0, 0.3],
    [0.8, 0.5],
    [-1.5, 0.25],
  ])('around %d with scale %d the density integrates to one', async (location, scale) => {
    const cells = 40_000;
    const y = tensor(Float32Array.from({ length: cells }, (_, i) => (i + 0.5) / cells));
    const densities = await numbers(logitLaplaceDensity(y, { location: tensor([location]), scale }));
    const whole = densities.reduce((total, value) => total + Math.exp(value), 0) / cells;
    expect(Math.abs(whole - 1)).toBeLessThan(1e-3);
  });

  it('is the negative logarithm of the density, but for what does not depend on the reconstruction', async () => {
    const [target, scale] = [clamp(numbersOf('target', [1, 12]), { min: -1, max: 1 }), 0.7];
    const at = async (name: string): Promise<readonly [number, number]> => {
      const reconstruction = numbersOf(name, [1, 12]);
      const density = await numbers(logitLaplaceDensity(mapPixels(target), { location: reconstruction, scale }));
      const [loss] = await numbers(logitLaplace({ scale }).apply({ target, reconstruction }));
      return [loss!, -density.reduce((total, value) => total + value, 0) / 12];
    };
    const [[lossA, nllA], [lossB, nllB]] = [await at('a'), await at('b')];
    expect(Math.abs(lossA - lossB)).toBeGreaterThan(1e-3);
    expect(lossA - lossB).toBeCloseTo(nllA - nllB, 4);
  });

  it('maps pixels into the interval and back', async () => {
    const x = linspace(-1, 1, 41);
    const [back, mapped, given] = [await numbers(unmapPixels(mapPixels(x))), await numbers(mapPixels(x)), await numbers(x)];
    back.forEach((value, i) => expect(value).toBeCloseTo(given[i]!, 6));
    expect(Math.min(...mapped)).toBeCloseTo(0.1, 6);
    expect(Math.max(...mapped)).toBeCloseTo(0.9, 6);
    // What the decoder gives as logits is shown as the picture that it stands for.
    const y = mapPixels(x);
    const shown = await numbers(logitLaplace().toPicture!(sub(log(y), log(sub(1, y)))));
    shown.forEach((value, i) => expect(value).toBeCloseTo(given[i]!, 5));
  });
});
