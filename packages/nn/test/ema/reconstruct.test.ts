import { exponentOfStd, powerDecay, reconstructAverage, reconstructionWeights, stdOfExponent } from '@langevin/nn';
import { tensor } from '@langevin/tensor';
import { describe, expect, it } from 'vitest';
import { flat, onCpu } from '../engine.ts';

onCpu();

describe('width and exponent of a power-function profile', () => {
  it.each([0, 0.01, 1, 5, 6.94, 16.97, 100, 1e4])('invert each other at gamma %d', (gamma) => {
    // Near gamma 0 the width hardly depends on gamma, which costs half of the digits.
    expect(Math.abs(exponentOfStd(stdOfExponent(gamma)) - gamma)).toBeLessThanOrEqual(1e-9 * Math.max(1, gamma));
  });

  it.each([0.01, 0.05, 0.1, 0.25])('invert each other at std %d', (std) => {
    expect(stdOfExponent(exponentOfStd(std)) / std).toBeCloseTo(1, 12);
  });

  it('agree with the integral of the profile', () => {
    // Mean and variance of p(t) = (gamma + 1) t^gamma on [0, 1], by the midpoint rule.
    const gamma = 3.5;
    const n = 20000;
    const moment = (power: number): number =>
      Array.from({ length: n }, (_, i) => (i + 0.5) / n).reduce((sum, t) => sum + ((gamma + 1) * t ** (gamma + power)) / n, 0);
    expect(stdOfExponent(gamma)).toBeCloseTo(Math.sqrt(moment(2) - moment(1) ** 2), 7);
  });

  it('reject what no profile has', () => {
    expect(() => exponentOfStd(0.29)).toThrow('std=0.29');
    expect(() => exponentOfStd(0)).toThrow('std=0.');
    expect(() => stdOfExponent(-0.1)).toThrow('gamma=-0.1');
  });
});

/** A scalar weight over training: it converges, with a slow swing. */
const weightAt = (t: number): number => 1 - Math.exp(-t / 400) + 0.2 * Math.sin(t / 150);

/** The power-function average of the trajectory after each number of steps asked for. */
function track(std: number, steps: readonly number[]): Map<number, number> {
  const decay = powerDecay(std);
  const seen = new Map<number, number>();
  let average = 0;
  for (let n = 1; n <= Math.max(...steps); n++) {
    average += (1 - decay(n)) * (weightAt(n) - average);
    if (steps.includes(n)) seen.set(n, average);
  }
  return seen;
}

const STEPS = Array.from({ length: 16 }, (_, i) => 250 * (i + 1));
const snapshots = [0.05, 0.1].flatMap((std) =>
  [...track(std, STEPS)].map(([step, value]) => ({ step, std, params: { w: tensor([value]) } })),
);

describe('post-hoc reconstruction', () => {
  it.each([
    [0.07, 4000],
    [0.07, 2500],
    [0.15, 4000],
  ])('of std %d at step %i from snapshots of 0.05 and 0.10 matches direct tracking within one per cent', async (std, step) => {
    const direct = track(std, [step]).get(step)!;
    const [rebuilt] = await flat(reconstructAverage(snapshots, { std, step }));
    expect(Math.abs(rebuilt! / direct - 1)).toBeLessThan(0.01);
    // Not because the widths hardly differ: the stored ones are further off.
    const stored = snapshots.filter((snapshot) => snapshot.step === step);
    for (const { params } of stored) {
      const [value] = await flat(params);
      expect(Math.abs(rebuilt! - direct)).toBeLessThan(Math.abs(value! - direct) / 3);
    }
  });

  it('gives back a stored average', () => {
    const weights = reconstructionWeights(snapshots, { std: 0.1, step: 4000 });
    weights.forEach((x, i) => expect(x).toBeCloseTo(snapshots[i]!.std === 0.1 && snapshots[i]!.step === 4000 ? 1 : 0, 6));
  });

  it('has coefficients that sum to one', () => {
    expect(reconstructionWeights(snapshots, { std: 0.07 }).reduce((sum, x) => sum + x, 0)).toBeCloseTo(1, 12);
  });

  it.each([
    [[], { std: 0.07 }, 'no snapshots'],
    [
      [
        { step: 10, std: 0.05 },
        { step: 10, std: 0.05 },
      ],
      { std: 0.07 },
      'snapshots[1] has step=10, std=0.05',
    ],
    [[{ step: 0, std: 0.05 }], { std: 0.07 }, 'snapshots[0].step=0'],
    [[{ step: 1, std: 0.05 }], { std: 0.7 }, 'std=0.7'],
  ])('case %# is rejected', (stored, target, message) => {
    expect(() => reconstructionWeights(stored, target)).toThrow(message);
  });
});
