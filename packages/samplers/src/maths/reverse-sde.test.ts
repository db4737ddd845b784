import { expect, test } from 'vitest';
import { langevinStep } from './reverse-sde.ts';

test('Langevin steps have the stationary variance of the unadjusted algorithm, s^2 / (1 - step / (2 s^2))', () => {
  // On N(0, s^2) at a level of sigma s, the data are the point 0: D = 0, and a step is x (1 - pull) + noise z.
  const { pull, noise } = langevinStep({ alpha: 1, sigma: 0.5 }, 0.05);
  let variance = 3;
  for (let i = 0; i < 500; i++) variance = (1 - pull) ** 2 * variance + noise ** 2;
  expect(variance).toBeCloseTo(0.25 / (1 - 0.05 / 0.5), 12);
  expect(variance).toBeCloseTo(0.27778, 5);
});
