import { type NoiseLevel, snrOf } from '@langevin/core';
import {
  arrayAlgebra,
  consistencyPreconditioning,
  discreteVp,
  edm,
  edmPreconditioning,
  iddpmPreconditioning,
  trigflow,
  trigflowPreconditioning,
  vpPreconditioning,
  edmWeight,
  flow,
  minSnrWeight,
  precondition,
  predictionConversion,
  predictionPreconditioning,
  predictions,
  snrPlusOneWeight,
  snrWeight,
  truncatedSnrWeight,
  uniformWeight,
  vePreconditioning,
  vpCosine,
  vpLinear,
  type Preconditioning,
} from '@langevin/core-schedules';
import { describe, expect, test } from 'vitest';

const levels: NoiseLevel[] = [0.001, 0.02, 0.3, 1, 5, 80].flatMap((sigma) => [
  { alpha: 1, sigma },
  { alpha: 1 / Math.hypot(1, sigma), sigma: sigma / Math.hypot(1, sigma) },
]);

const all: Preconditioning[] = [
  edmPreconditioning(),
  vePreconditioning(),
  ...predictions.map((prediction) => predictionPreconditioning({ process: vpLinear(), prediction })),
  predictionPreconditioning({ process: flow(), prediction: 'flow' }),
  predictionPreconditioning({ process: discreteVp(), prediction: 'epsilon', wholeSteps: true }),
  vpPreconditioning(),
  iddpmPreconditioning(),
  consistencyPreconditioning({ sigmaMin: 1e-4 }),
  trigflowPreconditioning(),
];

describe.each(all)('$name', (preconditioning) => {
  test('a network that gives its target makes the perfect denoiser, in any units', () => {
    for (const level of levels) {
      const { cSkip, cOut, targetX0, targetNoise } = preconditioning.at(level);
      // D = cSkip (alpha x0 + sigma e) + cOut (targetX0 x0 + targetNoise e) must be x0.
      expect(cSkip * level.alpha + cOut * targetX0).toBeCloseTo(1, 10);
      expect(cSkip * level.sigma + cOut * targetNoise).toBeCloseTo(0, 8);
    }
  });

  test('does not care for the units of the state', () => {
    for (const { alpha, sigma } of levels) {
      const [here, there] = [preconditioning.at({ alpha, sigma }), preconditioning.at({ alpha: 3 * alpha, sigma: 3 * sigma })];
      expect(there.cIn * 3).toBeCloseTo(here.cIn, 12);
      expect((there.cSkip * 3) / here.cSkip || 1).toBeCloseTo(1, 10);
      for (const name of ['cOut', 'targetX0', 'targetNoise'] as const) expect(there[name] / here[name] || 1).toBeCloseTo(1, 10);
      expect(there.cNoise).toBeCloseTo(here.cNoise, 8);
    }
  });
});

describe('EDM', () => {
  test('input and target have unit variance at every level', () => {
    for (const level of levels) {
      const { cIn, targetX0, targetNoise } = edmPreconditioning().at(level);
      expect(cIn ** 2 * (level.alpha ** 2 * 0.25 + level.sigma ** 2)).toBeCloseTo(1, 12);
      expect(targetX0 ** 2 * 0.25 + targetNoise ** 2).toBeCloseTo(1, 12);
    }
  });

  test('coefficients are those of the paper', () => {
    const s = 3;
    const { cSkip, cOut, cIn, cNoise } = edmPreconditioning().at({ alpha: 1, sigma: s });
    expect([cSkip, cOut, cIn, cNoise]).toEqual(
      [0.25 / (s ** 2 + 0.25), (s * 0.5) / Math.sqrt(s ** 2 + 0.25), 1 / Math.sqrt(s ** 2 + 0.25), Math.log(s) / 4].map((value) =>
        expect.closeTo(value, 14),
      ),
    );
  });

  test('a clean state comes back as it is', async () => {
    const denoise = precondition<Float64Array>({
      network: (x) => x.map(() => 7),
      preconditioning: edmPreconditioning(),
      algebra: arrayAlgebra(),
    });
    expect(await denoise(Float64Array.of(0.3, -2), { alpha: 1, sigma: 0 })).toEqual(Float64Array.of(0.3, -2));
  });
});

test('the VP column of EDM: cSkip 1, cOut -sigma, cIn 1/sqrt(sigma^2 + 1), cNoise 999 t', () => {
  const process = vpLinear();
  for (const t of [0.01, 0.4, 1]) {
    const sigma = process.sigma(t) / process.alpha(t);
    const { cSkip, cOut, cIn, cNoise } = predictionPreconditioning({ process, prediction: 'epsilon' }).at({ alpha: 1, sigma });
    expect(cSkip).toBeCloseTo(1, 10);
    expect(cOut / -sigma).toBeCloseTo(1, 10);
    expect(cIn).toBeCloseTo(1 / Math.sqrt(sigma ** 2 + 1), 12);
    expect(cNoise).toBeCloseTo(999 * t, 8);
  }
});

test('a chain is told its step, whole if it wants', () => {
  const process = discreteVp();
  const exact = predictionPreconditioning({ process, prediction: 'v' });
  for (const step of [0, 1, 499, 998, 999]) expect(exact.at(process.level(process.timeOfStep(step))).cNoise).toBe(step);
  const between = process.level((123.4 + 1) / 1000);
  expect(exact.at(between).cNoise).toBeCloseTo(123.4, 8);
  expect(predictionPreconditioning({ process, prediction: 'v', wholeSteps: true }).at(between).cNoise).toBe(123);
  // Beyond the chain, noisier or cleaner, the network hears the nearest end while the state is scaled as it is.
  expect(exact.at({ alpha: 1, sigma: 1000 })).toMatchObject({ cNoise: 999, cIn: expect.closeTo(1 / Math.hypot(1, 1000), 14) as number });
  expect(exact.at({ alpha: 1, sigma: 0 })).toMatchObject({ cNoise: 0, cSkip: 1 });
  expect(() => predictionPreconditioning({ process: vpLinear(), prediction: 'v', wholeSteps: true })).toThrow(
    'wholeSteps needs a process with steps: process=vp-linear.',
  );
});

test('pure noise: v and flow networks are denoisers there, epsilon is refused', () => {
  const noise = { alpha: 0, sigma: 1 };
  expect(predictionPreconditioning({ process: vpCosine(), prediction: 'v' }).at(noise)).toMatchObject({ cOut: -1, cIn: 1, cNoise: 999 });
  expect(predictionPreconditioning({ process: flow(), prediction: 'flow' }).at(noise)).toMatchObject({
    cSkip: 1,
    cOut: -1,
    cIn: 1,
    cNoise: 1000,
  });
  expect(() => predictionPreconditioning({ process: vpCosine(), prediction: 'epsilon' }).at(noise)).toThrow(
    'epsilon does not determine x0',
  );
  expect(() => edmPreconditioning().at(noise)).toThrow('[core-schedules/edm] alpha is out of range: alpha=0.');
});

test('a denoiser takes one level for each item, as training and parallel sampling need', async () => {
  const process = vpLinear();
  const at = [process.level(0.2), process.level(0.8)];
  const seen: Float64Array[] = [];
  const denoise = precondition<Float64Array>({
    network: (x, cNoise) => (seen.push(cNoise), x.map(Math.sin)),
    preconditioning: predictionPreconditioning({ process, prediction: 'v' }),
    algebra: arrayAlgebra({ items: 2 }),
  });
  const together = await denoise(Float64Array.of(1, 2, 3, 4), at);
  const one = precondition<Float64Array>({
    network: (x) => x.map(Math.sin),
    preconditioning: predictionPreconditioning({ process, prediction: 'v' }),
    algebra: arrayAlgebra(),
  });
  const apart = [await one(Float64Array.of(1, 2), at[0]!), await one(Float64Array.of(3, 4), at[1]!)];
  expect(Array.from(together)).toEqual([...apart[0]!, ...apart[1]!]);
  seen[0]!.forEach((value, i) => expect(value).toBeCloseTo([999 * 0.2, 999 * 0.8][i]!, 8));
});

test('a network of the wrong output is named', async () => {
  const denoise = precondition<Float64Array>({
    network: () => new Float64Array(1),
    preconditioning: edmPreconditioning(),
    algebra: arrayAlgebra(),
  });
  await expect(denoise(new Float64Array(2), edm().level(0.5))).rejects.toThrow(
    "[core-schedules/preconditioning] the network's output does not fit the state: length 1, expected 2",
  );
});

describe('loss weights', () => {
  test("EDM's weight times cOut^2 is 1 at every level", () => {
    for (const level of levels) expect(edmWeight().at(level) * edmPreconditioning().at(level).cOut ** 2).toBeCloseTo(1, 11);
  });

  test('the plain losses of epsilon, v and x0 are weights SNR, SNR + 1 and 1 of the x0 error', () => {
    for (const level of levels.filter(({ alpha }) => alpha < 1)) {
      const plain = { epsilon: snrWeight(), v: snrPlusOneWeight(), x0: uniformWeight() } as const;
      for (const [prediction, weight] of Object.entries(plain) as ['epsilon' | 'v' | 'x0', ReturnType<typeof uniformWeight>][]) {
        expect(weight.at(level) * predictionConversion({ from: prediction, to: 'x0' }, level).prediction ** 2).toBeCloseTo(1, 11);
      }
    }
  });

  test('cut weights meet the others at the cut', () => {
    for (const level of levels) {
      expect(truncatedSnrWeight().at(level)).toBe(Math.max(1, snrOf(level)));
      expect(minSnrWeight().at(level)).toBe(Math.min(5, snrOf(level)));
    }
  });
});

describe("columns of EDM's table 1, in sigma units", () => {
  test('VP: cSkip 1, cOut -sigma, cIn 1 / sqrt(sigma^2 + 1), cNoise 999 t', () => {
    for (const t of [0.01, 0.4, 1]) {
      const sigma = vpLinear().sigma(t) / vpLinear().alpha(t);
      const { cSkip, cOut, cIn, cNoise } = vpPreconditioning().at({ alpha: 1, sigma });
      expect([cSkip, cOut / -sigma, cIn * Math.sqrt(sigma ** 2 + 1), cNoise]).toEqual(
        [1, 1, 1, 999 * t].map((value) => expect.closeTo(value, 9)),
      );
    }
    expect(vpPreconditioning({ steps: 101 }).at(vpLinear().level(0.5)).cNoise).toBeCloseTo(50, 9);
  });

  test('iDDPM: the step whose sigma is nearest', () => {
    const process = discreteVp({ betas: 'squared-cosine' });
    const sigmas = Array.from({ length: 1000 }, (_, i) => process.level(process.timeOfStep(i))).map(({ alpha, sigma }) => sigma / alpha);
    for (const sigma of [0.003, 0.0123, 0.5, 3.3, 77, 20_000]) {
      const nearest = sigmas.reduce((best, each, i) => (Math.abs(each - sigma) < Math.abs(sigmas[best]! - sigma) ? i : best), 0);
      expect(iddpmPreconditioning().at({ alpha: 1, sigma }).cNoise).toBe(nearest);
    }
  });
});

describe('consistency', () => {
  const at = (sigma: number) => consistencyPreconditioning().at({ alpha: 1, sigma });
  test('a state at sigmaMin is its own answer, and so below', () => {
    for (const sigma of [0.002, 0.001]) expect([at(sigma).cSkip, at(sigma).cOut]).toEqual([1, 0]);
  });
  test('coefficients are those of the paper', () => {
    const s = 3;
    const { cSkip, cOut, cIn, cNoise } = at(s);
    expect([cSkip, cOut, cIn, cNoise]).toEqual(
      [0.25 / (2.998 ** 2 + 0.25), (2.998 * 0.5) / Math.sqrt(9.25), 1 / Math.sqrt(9.25), 250 * Math.log(3)].map((value) =>
        expect.closeTo(value, 12),
      ),
    );
  });
});

describe('TrigFlow', () => {
  const process = trigflow();
  test('on its own process it is D = cos x - sin sigmaData F, at both ends', () => {
    for (const t of [0, 0.3, 1]) {
      const angle = (Math.PI / 2) * t;
      const { cSkip, cOut, cIn, cNoise } = trigflowPreconditioning().at(process.level(t));
      expect([cSkip, cOut, cIn, cNoise]).toEqual(
        [Math.cos(angle), -Math.sin(angle) * 0.5, 2, angle].map((value) => expect.closeTo(value, 12)),
      );
    }
  });
  test("is EDM's with the other sign of F, but for the conditioning", () => {
    for (const level of levels) {
      const [a, b] = [trigflowPreconditioning().at(level), edmPreconditioning().at(level)];
      expect([a.cSkip / b.cSkip, a.cOut / b.cOut, a.cIn / b.cIn, a.targetX0 / b.targetX0, a.targetNoise / b.targetNoise]).toEqual(
        [1, -1, 1, -1, -1].map((value) => expect.closeTo(value, 12)),
      );
    }
  });
});
