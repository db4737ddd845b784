import { constantDecay, emaWeight, halfLifeDecay, inversePowerDecay, powerDecay, updateAverage, warmUpDecay } from '@langevin/nn';
import { compile, numbers, tensor, type Tensor } from '@langevin/tensor';
import { describe, expect, it } from 'vitest';
import { flat, onCpu } from '../engine.ts';

onCpu();

describe('a moving average', () => {
  it('keeps mu^n of its start while the parameters are zero', async () => {
    const mu = 0.9;
    const step = compile((average: { w: Tensor }, params: { w: Tensor }, weight: Tensor) => updateAverage(average, params, weight), {
      donate: [0],
    });
    let average: { w: Tensor } = { w: tensor([1, -5]) };
    const params = { w: tensor([0, 0]) };
    for (let n = 1; n <= 20; n++) average = await step(average, params, emaWeight(constantDecay(mu), n));
    const [a, b] = await numbers(average.w);
    expect(a! / mu ** 20).toBeCloseTo(1, 5);
    expect(b! / (-5 * mu ** 20)).toBeCloseTo(1, 5);
    expect(step.counters().traces).toBe(1);
    await step.dispose();
  });

  it('has the full precision of a weight near zero', async () => {
    // 1 - 0.9999 computed in float32 would be off by 3e-4.
    const [moved] = await flat(updateAverage({ w: tensor([0]) }, { w: tensor([1]) }, emaWeight(constantDecay(0.9999), 1)));
    expect(moved! / 1e-4).toBeCloseTo(1, 6);
  });

  it('copies integers', async () => {
    expect(await flat(updateAverage({ w: tensor([1], { dtype: 'int32' }) }, { w: tensor([7], { dtype: 'int32' }) }, 0.5))).toEqual([7]);
  });
});

describe('decays', () => {
  it('warm-up is (1 + n) / (10 + n) until it reaches mu', () => {
    const decay = warmUpDecay(0.99);
    expect(decay(0)).toBe(0.1);
    expect(decay(8)).toBe(0.5);
    expect(decay(1e6)).toBe(0.99);
  });

  it('inverse power reaches 0.999 after 31,600 steps', () => {
    expect(inversePowerDecay({ max: 0.9999 })(31622)).toBeCloseTo(0.999, 6);
    expect(inversePowerDecay({ max: 0.9, scale: 2, power: 1 })(2)).toBe(0.5);
  });

  it('a half-life in images halves what is left after that many images', () => {
    const decay = halfLifeDecay({ halfLife: 640, batch: 64, rampUp: null });
    let left = 1;
    for (let n = 1; n <= 10; n++) left *= decay(n);
    expect(left).toBeCloseTo(0.5, 12);
  });

  it('the ramp-up shortens the half-life to a share of the images seen', () => {
    const decay = halfLifeDecay({ halfLife: 1000, batch: 10, rampUp: 0.05 });
    expect(decay(1)).toBe(0);
    expect(decay(101)).toBeCloseTo(0.5 ** (10 / 50), 12);
    expect(decay(1e6)).toBeCloseTo(0.5 ** (10 / 1000), 12);
  });

  it('the power function forgets its start at the first step and averages evenly for gamma 0', () => {
    expect(powerDecay(0.1)(1)).toBe(0);
    // The width of a uniform profile: decay 1 - 1/n, a plain mean.
    expect(powerDecay(Math.sqrt(1 / 12))(4)).toBeCloseTo(0.75, 7);
  });

  it.each([
    [() => constantDecay(1), '[nn/constantDecay] decay is out of range: decay=1.'],
    [() => powerDecay(0.5), '[nn/powerDecay] std is out of range: std=0.5.'],
    [() => halfLifeDecay({ halfLife: 0, batch: 1 }), 'halfLife=0, batch=1, rampUp=0.05'],
    [() => inversePowerDecay({ max: 0.9, power: 0 }), 'scale=1, power=0'],
  ])('case %# is rejected', (make, message) => {
    expect(make).toThrow(message);
  });
});
