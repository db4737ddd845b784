import type { Coefficient } from '@langevin/core';
import { arrayAlgebra, dormandPrince, tensorAlgebra } from '@langevin/core-schedules';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { mul, scalar, tensor, type Tensor } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';

const algebra = arrayAlgebra();
const timeOf = (time: Coefficient): number => (typeof time === 'number' ? time : time[0]!);

/** dx/dt = cos(t) x, whose solution is exp(sin t). */
const swing = {
  algebra,
  rate: (x: Float64Array, time: Coefficient) => ({ x: x.map((value) => value * Math.cos(timeOf(time))) }),
  x: Float64Array.of(1, -2),
  from: 0,
};

describe('accuracy', () => {
  test.each([1e-3, 1e-6, 1e-9, 1e-12])('the error follows the tolerance %s', async (tolerance) => {
    const { x, evaluations } = await dormandPrince({ ...swing, to: 10, rtol: tolerance, atol: tolerance });
    const error = Math.abs(x[0]! / Math.exp(Math.sin(10)) - 1);
    expect(error).toBeLessThan(100 * tolerance);
    expect(evaluations).toBeLessThan(6 * 30 * (1e-3 / tolerance) ** 0.2 + 20);
  });

  test('a fixed step is of order 5', async () => {
    const error = async (steps: number): Promise<number> => {
      let [x, at] = [Float64Array.of(1), 0];
      // A tolerance that allows everything leaves each interval one step.
      for (let i = 1; i <= steps; i++) {
        const to = (2 * i) / steps;
        ({ x } = await dormandPrince({ ...swing, x, from: at, to, atol: 1e9, firstStep: 10 }));
        at = to;
      }
      return Math.abs(x[0]! - Math.exp(Math.sin(2)));
    };
    const order = Math.log2((await error(20)) / (await error(40)));
    expect(order).toBeGreaterThan(4.8);
    expect(order).toBeLessThan(5.3);
  });

  test('polynomials of degree 4 in time are exact, there and back', async () => {
    const rate = (x: Float64Array, time: Coefficient) => ({ x: x.map(() => 5 * timeOf(time) ** 4) });
    const there = await dormandPrince({ algebra, rate, x: Float64Array.of(0), from: 0, to: 2 });
    expect(there.x[0]).toBeCloseTo(32, 12);
    const back = await dormandPrince({ algebra, rate, x: there.x, from: 2, to: 0 });
    expect(back.x[0]).toBeCloseTo(0, 12);
  });
});

describe('work', () => {
  test('six evaluations a step, one for the start, one to choose the first step', async () => {
    const chosen = await dormandPrince({ ...swing, to: 3 });
    expect(chosen.evaluations).toBe(2 + 6 * chosen.steps);
    const given = await dormandPrince({ ...swing, to: 3, firstStep: 0.1 });
    expect(given.evaluations).toBe(1 + 6 * given.steps);
    const went = await dormandPrince({ ...swing, x: given.x, from: 3, to: 4, firstStep: given.nextStep, firstRate: given.rate });
    expect(went.evaluations).toBe(6 * went.steps);
    expect(went.x[0]).toBeCloseTo(Math.exp(Math.sin(4)), 4);
  });

  test('nothing to do costs one evaluation', async () => {
    const { x, evaluations } = await dormandPrince({ ...swing, to: 0 });
    expect([Array.from(x), evaluations]).toEqual([[1, -2], 1]);
  });
});

describe('batches', () => {
  const pair = arrayAlgebra({ items: 2 });
  /** A slow item and a fast one, which needs many more steps. */
  const speeds = [1, 30];
  const rate = (x: Float64Array, time: Coefficient) => {
    const times = typeof time === 'number' ? [time, time] : time;
    const slopes = times.map((t, i) => speeds[i]! * Math.cos(speeds[i]! * t));
    return { x: x.map((value, i) => value * slopes[i]!), extra: slopes };
  };
  const start = { rate, x: Float64Array.of(1, 1), from: 0, to: 2 } as const;

  test('an item does not depend on its neighbours', async () => {
    const together = await dormandPrince({ ...start, algebra: pair });
    for (const item of [0, 1]) {
      const alone = await dormandPrince({
        algebra,
        rate: (x: Float64Array, time) => {
          const t = timeOf(time);
          const both = rate(
            Float64Array.from(speeds, () => x[0]!),
            [t, t],
          );
          return { x: both.x.slice(item, item + 1), extra: [both.extra[item]!] };
        },
        x: Float64Array.of(1),
        from: 0,
        to: 2,
      });
      expect(together.x[item]).toBe(alone.x[0]);
      expect(together.extra[item]).toBe(alone.extra[0]);
    }
  });

  test.each(['item', 'batch'] as const)('extras are integrated too: control %s', async (control) => {
    const { x, extra } = await dormandPrince({ ...start, algebra: pair, control, rtol: 1e-8, atol: 1e-8 });
    speeds.forEach((speed, i) => {
      expect(extra[i]).toBeCloseTo(Math.sin(2 * speed), 6);
      expect(x[i]).toBeCloseTo(Math.exp(Math.sin(2 * speed)), 6);
    });
  });

  test('tensors: the same steps', async () => {
    const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
    const result = await dormandPrince<Tensor>({
      algebra: tensorAlgebra({ engine }),
      rate: (x, time) => ({ x: mul(x, scalar(Math.cos(time as number))) }),
      x: tensor(Float32Array.of(1, -2), { shape: [2, 1] }),
      from: 0,
      to: 3,
      control: 'batch',
    });
    const values = await tensorAlgebra({ engine }).toHost(result.x);
    [1, -2].forEach((factor, i) => expect(values[i]! / factor).toBeCloseTo(Math.exp(Math.sin(3)), 4));
  });
});

describe('what cannot be', () => {
  test('a rate without bound is refused, and the place named', async () => {
    const burst = { algebra, rate: (x: Float64Array) => ({ x: x.map((value) => value ** 2) }), x: Float64Array.of(1), from: 0, to: 2 };
    await expect(dormandPrince(burst)).rejects.toThrow(
      /\[core-schedules\/dormand-prince\] the equation cannot be solved on: .*, at time=(1|0\.9999)/u,
    );
    await expect(dormandPrince({ ...burst, maxSteps: 3 })).rejects.toThrow('too many steps: maxSteps=3');
    await expect(dormandPrince({ ...burst, rate: () => ({ x: Float64Array.of(Number.NaN) }) })).rejects.toThrow('the rate is not a number');
  });

  test('options are checked', async () => {
    await expect(dormandPrince({ ...swing, to: Number.NaN })).rejects.toThrow('to=NaN');
    await expect(dormandPrince({ ...swing, to: 1, atol: 0 })).rejects.toThrow('atol=0');
    await expect(dormandPrince({ ...swing, to: 1, extra: [1] })).rejects.toThrow('extra=1, rate().extra=0, items=1');
    await expect(dormandPrince({ ...swing, to: 1, control: 'each' as never })).rejects.toThrow(
      'unknown control: control="each". Known: item, batch.',
    );
  });

  test('a signal stops it between evaluations', async () => {
    const stop = new AbortController();
    let calls = 0;
    const rate = (x: Float64Array) => (++calls === 4 && stop.abort(new Error('enough')), { x });
    await expect(dormandPrince({ algebra, rate, x: Float64Array.of(1), from: 0, to: 1, signal: stop.signal })).rejects.toThrow('enough');
    expect(calls).toBe(4);
  });
});
