import { type NoiseLevel, snrOf } from '@langevin/core';
import {
  cosmapWeight,
  debiasedWeight,
  edmPreconditioning,
  edmWeight,
  flow,
  lossWeights,
  minSnrWeight,
  p2Weight,
  plainWeight,
  predictionPreconditioning,
  sigmaSqrtWeight,
  sigmoidWeight,
  snrPlusOneWeight,
  snrWeight,
  softMinSnrWeight,
  uniformWeight,
  vpLinear,
  type LossWeight,
  type Prediction,
} from '@langevin/core-schedules';
import { describe, expect, test } from 'vitest';

const process = vpLinear();
const levels: NoiseLevel[] = [0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 1].map(process.level);
/** The weight of the squared error of a network that predicts so. */
const ofNetwork = (prediction: Prediction, weight: LossWeight, level: NoiseLevel): number =>
  weight.at(level) * predictionPreconditioning({ process, prediction }).at(level).cOut ** 2;

test.each(lossWeights.names)('%s: the same in any units, finite and not negative over the process', (name) => {
  const weight = lossWeights.create(name);
  expect(weight.name).toBe(name);
  for (const level of levels) {
    const value = weight.at(level);
    expect(value).toBeGreaterThanOrEqual(0);
    expect(Number.isFinite(value)).toBe(true);
    expect(weight.at({ alpha: 3 * level.alpha, sigma: 3 * level.sigma }) / value).toBeCloseTo(1, 12);
  }
});

describe('what each is in units of other errors', () => {
  test('a v loss is SNR + 1, an epsilon loss SNR of the x0 loss', () => {
    for (const level of levels) {
      expect(ofNetwork('v', snrPlusOneWeight(), level)).toBeCloseTo(1, 10);
      expect(ofNetwork('epsilon', snrWeight(), level)).toBeCloseTo(1, 10);
      expect(ofNetwork('x0', uniformWeight(), level)).toBeCloseTo(1, 12);
    }
  });

  test("EDM's network loss has weight 1", () => {
    for (const sigma of [0.002, 0.1, 0.5, 3, 80])
      expect(edmWeight().at({ alpha: 1, sigma }) * edmPreconditioning().at({ alpha: 1, sigma }).cOut ** 2).toBeCloseTo(1, 12);
  });

  test('min-SNR is min(SNR, 5) / SNR of epsilon, min(SNR, 5) / (SNR + 1) of v', () => {
    for (const level of levels) {
      const snr = snrOf(level);
      expect(ofNetwork('epsilon', minSnrWeight(), level)).toBeCloseTo(Math.min(snr, 5) / snr, 10);
      expect(ofNetwork('v', minSnrWeight(), level)).toBeCloseTo(Math.min(snr, 5) / (snr + 1), 10);
    }
  });

  test("soft min-SNR is k-diffusion's (s sd / (s^2 + sd^2))^2 of EDM's network", () => {
    for (const sigma of [0.01, 0.5, 2, 40]) {
      const level = { alpha: 1, sigma };
      expect(softMinSnrWeight().at(level) * edmPreconditioning().at(level).cOut ** 2).toBeCloseTo(
        ((sigma * 0.5) / (sigma ** 2 + 0.25)) ** 2,
        12,
      );
    }
    expect(softMinSnrWeight({ gamma: 3 }).at({ alpha: 1, sigma: 0 })).toBe(3);
  });

  test('P2 is 1 / (k + SNR)^gamma, debiased 1 / sqrt(SNR), sigmoid sigmoid(bias - log SNR) of epsilon', () => {
    for (const level of levels) {
      const snr = snrOf(level);
      expect(ofNetwork('epsilon', p2Weight({ gamma: 0.5, k: 2 }), level)).toBeCloseTo((2 + snr) ** -0.5, 10);
      expect(ofNetwork('epsilon', debiasedWeight(), level)).toBeCloseTo(snr ** -0.5, 10);
      expect(ofNetwork('epsilon', sigmoidWeight({ bias: -1 }), level)).toBeCloseTo(1 / (1 + Math.exp(1 + Math.log(snr))), 10);
    }
    expect([sigmoidWeight().at({ alpha: 0, sigma: 1 }), sigmoidWeight({ bias: 0 }).at({ alpha: 1, sigma: 0 })]).toEqual([0, 1]);
    // gamma = 0 is the epsilon loss itself.
    expect(p2Weight({ gamma: 0 }).at(levels[2]!)).toBe(snrWeight().at(levels[2]!));
  });

  test('sigma-sqrt is the plain flow loss; cosmap its density', () => {
    const network = predictionPreconditioning({ process: flow(), prediction: 'flow' });
    for (const t of [0.05, 0.3, 0.5, 0.9, 1]) {
      const level = flow().level(t);
      expect(sigmaSqrtWeight().at(level) * network.at(level).cOut ** 2).toBeCloseTo(1, 12);
      const density = 2 / (Math.PI - 2 * Math.PI * t + 2 * Math.PI * t ** 2);
      expect(cosmapWeight().at(level) * network.at(level).cOut ** 2).toBeCloseTo(density, 12);
      expect(cosmapWeight({ of: 'x0' }).at(level)).toBeCloseTo(density, 12);
    }
  });

  test('plain weights undo every preconditioning', () => {
    for (const prediction of ['epsilon', 'x0', 'v', 'flow', 'score'] as const) {
      const weight = plainWeight(predictionPreconditioning({ process, prediction }));
      for (const level of levels) expect(ofNetwork(prediction, weight, level)).toBeCloseTo(1, 12);
    }
  });
});

test('what cannot be is refused', () => {
  expect(() => lossWeights.create('min_snr')).toThrow('unknown loss weight: "min_snr". Did you mean "min-snr"?');
  expect(() => lossWeights.create('min-snr', { gama: 4 })).toThrow('[loss weight/min-snr] unknown option: "gama". Did you mean "gamma"?');
  expect(() => minSnrWeight({ gamma: 0 })).toThrow('gamma=0');
  expect(() => p2Weight({ k: 0 })).toThrow('k=0');
  expect(() => sigmoidWeight({ bias: Number.NaN })).toThrow('bias=NaN');
  expect(() => cosmapWeight({ of: 'v' as never })).toThrow('unknown error: of="v". Known: flow, x0.');
});
