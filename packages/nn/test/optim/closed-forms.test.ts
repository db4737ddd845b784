import { adam, adamW, lion, rAdam, sgd, type AdamOptions, type Optimizer } from '@langevin/nn';
import { compile, numbers, tensor, type Tensor } from '@langevin/tensor';
import { describe, expect, it } from 'vitest';
import { onCpu } from '../engine.ts';

onCpu();

/** Parameters after each of the given gradients, in one compiled step whose state is donated. */
async function run<State>(
  optimizer: Optimizer<State>,
  start: readonly number[],
  grads: readonly (readonly number[])[],
  learningRate: number,
): Promise<number[][]> {
  const step = compile(
    (params: { w: Tensor }, state: State, g: Tensor, lr: Tensor) => optimizer.update({ w: g }, state, { params, learningRate: lr }),
    { donate: [0, 1] },
  );
  let params = { w: tensor(start) };
  let state = optimizer.init(params);
  const seen: number[][] = [];
  for (const g of grads) {
    ({ params, state } = await (
      step as unknown as (p: { w: Tensor }, s: State, g: Tensor, lr: number) => Promise<{ params: { w: Tensor }; state: State }>
    )(params, state, tensor(g), learningRate));
    seen.push(await numbers(params.w));
  }
  expect(step.counters()).toEqual({ calls: grads.length, traces: 1 });
  await step.dispose();
  return seen;
}

/** Rounding of a handful of float32 operations. */
const close = (actual: readonly number[], expected: readonly number[], relative = 1e-6): void => {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((x, i) =>
    expect(Math.abs(x - expected[i]!), `element ${i}: ${x} for ${expected[i]}`).toBeLessThanOrEqual(
      relative * Math.max(1, Math.abs(expected[i]!)),
    ),
  );
};

describe('sgd', () => {
  it('shrinks a quadratic by (1 - lr k) a step', async () => {
    // Loss k w^2 / 2 has the gradient k w.
    const [k, lr] = [3, 0.1];
    const weights = [2, 2 * (1 - lr * k), 2 * (1 - lr * k) ** 2];
    const seen = await run(
      sgd(),
      [2],
      weights.map((w) => [k * w]),
      lr,
    );
    close(
      seen.map(([w]) => w!),
      [1, 2, 3].map((n) => 2 * (1 - lr * k) ** n),
    );
  });

  it('sums a geometric series with momentum and a constant gradient', async () => {
    const [mu, lr, steps] = [0.9, 0.01, 6];
    const seen = await run(
      sgd({ momentum: mu }),
      [0],
      Array.from({ length: steps }, () => [1]),
      lr,
    );
    let velocity = 0;
    let w = 0;
    const expected = Array.from({ length: steps }, (_, n) => {
      velocity = (1 - mu ** (n + 1)) / (1 - mu);
      return (w -= lr * velocity);
    });
    close(seen.flat(), expected);
  });

  it('looks one step ahead with Nesterov', async () => {
    const [first, second] = await run(sgd({ momentum: 0.5, variant: 'nesterov' }), [0], [[1], [1]], 1);
    close(first!, [-(1 + 0.5)]);
    close(second!, [-1.5 - (1 + 0.5 * 1.5)]);
  });

  it('adds weight decay to the gradient', async () => {
    close((await run(sgd({ weightDecay: 0.1 }), [4], [[1]], 0.5))[0]!, [4 - 0.5 * (1 + 0.4)]);
  });
});

describe.each([
  ['adam', adam],
  ['adamW without decay', () => adamW({ weightDecay: 0 })],
] as const)('%s', (_, make) => {
  it('moves by lr sign(g) at the first step, whatever the size of g', async () => {
    const [seen] = await run(make(), [1, 1, 1], [[1e-3, -250, 7]], 0.01);
    close(seen!, [0.99, 1.01, 0.99]);
  });

  it('moves by lr at every step under a constant gradient', async () => {
    const seen = await run(
      make(),
      [0],
      Array.from({ length: 5 }, () => [-3]),
      0.1,
    );
    close(seen.flat(), [0.1, 0.2, 0.3, 0.4, 0.5], 2e-6);
  });

  it('stands still under a zero gradient', async () => {
    expect((await run(make(), [1.25], [[0]], 0.1)).flat()).toEqual([1.25]);
  });
});

describe('weight decay', () => {
  it('is decoupled in adamW: w (1 - lr d) - lr sign(g)', async () => {
    close((await run(adamW({ weightDecay: 0.5 }), [4], [[3]], 0.1))[0]!, [4 * (1 - 0.05) - 0.1]);
  });

  it('is an L2 gradient in adam: it can turn the sign of the step', async () => {
    close((await run(adam({ weightDecay: 0.5 }), [4], [[-1]], 0.1))[0]!, [3.9]);
  });

  it('spares parameters that the filter names', async () => {
    const seen: string[] = [];
    const optimizer = adamW({ weightDecay: 0.5, decay: (name, parameter) => (seen.push(`${name}${parameter.rank}`), false) });
    close((await run(optimizer, [4], [[3]], 0.1))[0]!, [3.9]);
    expect(seen).toEqual(['w1']);
  });
});

describe('rAdam', () => {
  it('is momentum without second moment for the first five steps, then rectified', async () => {
    // Under a constant gradient g: m / c1 = g and sqrt(v / c2) = |g|, so steps are lr g, then lr r_t sign(g).
    const [lr, g, beta2] = [0.01, 4, 0.999];
    const rhoMax = 2 / (1 - beta2) - 1;
    const seen = (
      await run(
        rAdam(),
        [0],
        Array.from({ length: 8 }, () => [g]),
        lr,
      )
    ).flat();
    let w = 0;
    const expected = Array.from({ length: 8 }, (_, n) => {
      const t = n + 1;
      const rho = rhoMax - (2 * t * beta2 ** t) / (1 - beta2 ** t);
      const r = Math.sqrt(((rho - 4) * (rho - 2) * rhoMax) / ((rhoMax - 4) * (rhoMax - 2) * rho));
      return (w -= rho > 5 ? lr * r : lr * g);
    });
    close(seen, expected, 2e-6);
  });

  it.each([200, 999, 1000, 5000])('has the rectification of float64 at step %i, from a restored state', async (t) => {
    const [lr, beta1, beta2] = [1, 0.9, 0.999];
    const optimizer = rAdam();
    const rhoMax = 2 / (1 - beta2) - 1;
    const rho = rhoMax - (2 * t * beta2 ** t) / (1 - beta2 ** t);
    const r = Math.sqrt(((rho - 4) * (rho - 2) * rhoMax) / ((rhoMax - 4) * (rhoMax - 2) * rho));
    // Sums that a constant gradient of 1 has made in t - 1 steps.
    const sum = (beta: number): Tensor => tensor([(1 - beta ** (t - 1)) / (1 - beta)]);
    const state = { step: tensor(new Float32Array([t - 1]), { shape: [] }), gradientSum: { w: sum(beta1) }, squareSum: { w: sum(beta2) } };
    const { params } = optimizer.update({ w: tensor([1]) }, state, { params: { w: tensor([0]) }, learningRate: lr });
    close(await numbers(params.w), [-r], 2e-6);
  });
});

describe('lion', () => {
  it('moves by lr in the direction of b1 m + (1 - b1) g, and keeps b2 m + (1 - b2) g', async () => {
    const [b1, b2, lr, decay] = [0.9, 0.99, 0.125, 0.5];
    const grads = [
      [1, -2],
      [-0.2, 30],
      [-0.2, 0],
      [0.001, -5],
    ];
    const seen = await run(lion({ weightDecay: decay }), [1, 1], grads, lr);
    const m = [0, 0];
    const w = [1, 1];
    for (const [n, g] of grads.entries()) {
      for (const i of [0, 1]) {
        w[i] = w[i]! * (1 - lr * decay) - lr * Math.sign(b1 * m[i]! + (1 - b1) * g[i]!);
        m[i] = b2 * m[i]! + (1 - b2) * g[i]!;
      }
      close(seen[n]!, w);
    }
  });
});

describe('betas of 0 keep nothing', () => {
  const grads = [
    [3, -0.5],
    [-2, 4],
  ];
  it.each([
    ['adam', adam({ beta1: 0, beta2: 0 })],
    ['adamW', adamW({ beta1: 0, beta2: 0, weightDecay: 0 })],
  ])('%s steps by the sign', async (_, optimizer) => {
    const [first, second] = await run(optimizer, [1, 1], grads, 0.1);
    close(first!, [0.9, 1.1]);
    close(second!, [1, 1]);
  });

  it('lion steps by the sign, rAdam, whose second moment is never trusted, by the gradient', async () => {
    close((await run(lion({ beta1: 0, beta2: 0 }), [1, 1], grads, 0.1))[1]!, [1, 1]);
    close((await run(rAdam({ beta1: 0, beta2: 0 }), [1, 1], grads, 0.1))[1]!, [0.9, 0.65]);
  });
});

it('an option that is undefined has its default', async () => {
  const grads = [[0]];
  expect(await run(adamW({ weightDecay: undefined } as unknown as AdamOptions), [1], grads, 0.5)).toEqual(
    await run(adamW({ weightDecay: 0.01 }), [1], grads, 0.5),
  );
  expect(await run(adamW(), [1], grads, 0.5)).not.toEqual(await run(adam(), [1], grads, 0.5));
});

describe('errors', () => {
  it.each([
    [() => adam({ beta2: 1 }), '[nn/adam] beta2 is out of range: beta2=1.'],
    [() => rAdam({ beta1: -0.1 }), '[nn/rAdam] beta1 is out of range: beta1=-0.1. Pass a number >= 0 and < 1.'],
    [() => adamW({ epsilon: -1 }), '[nn/adamW] epsilon is out of range: epsilon=-1.'],
    [() => sgd({ variant: 'nesterov' }), '[nn/sgd nesterov] momentum is out of range: momentum=0.'],
    [() => lion({ weightDecay: NaN }), '[nn/lion] weightDecay is out of range: weightDecay=NaN.'],
    [
      () =>
        adam().update({ v: tensor([1]) } as unknown as { w: Tensor }, adam().init({ w: tensor([1]) }), {
          params: { w: tensor([1]) },
          learningRate: 1,
        }),
      'first difference at "w"',
    ],
    [
      () => adam().update({ w: tensor([1]) }, adam().init({ v: tensor([1]) }), { params: { w: tensor([1]) }, learningRate: 1 }),
      'state has no entry for a parameter: name=w',
    ],
    [
      () =>
        sgd().update(
          { w: tensor([1], { dtype: 'float16' }) },
          { velocity: {} },
          { params: { w: tensor([1], { dtype: 'float16' }) }, learningRate: 1 },
        ),
      'parameter is not float32: name=w, dtype=float16',
    ],
  ])('case %#', (make, message) => {
    expect(make).toThrow(message);
  });
});

describe('decays of 0 are legal, as in PyTorch: nothing is carried along', () => {
  const grads = [
    [1, -2],
    [-0.5, 30],
    [0.25, -4],
  ];
  const signs = (lr: number): number[][] => {
    let w = [1, 1];
    return grads.map((g) => (w = w.map((x, i) => x - lr * Math.sign(g[i]!))));
  };

  it('adam with both at 0 is g / |g|', async () => {
    const seen = await run(adam({ beta1: 0, beta2: 0 }), [1, 1], grads, 0.125);
    seen.forEach((w, i) => close(w, signs(0.125)[i]!));
  });

  it('lion with both at 0 moves along the sign of the gradient', async () => {
    const seen = await run(lion({ beta1: 0, beta2: 0 }), [1, 1], grads, 0.125);
    seen.forEach((w, i) => close(w, signs(0.125)[i]!));
  });

  it('adam with the first at 0 takes the gradient itself', async () => {
    const [lr, b2] = [0.125, 0.5];
    const seen = await run(adam({ beta1: 0, beta2: b2 }), [1], [[1], [-3]], lr);
    const second = ((1 - b2) * (b2 * 1 + 9)) / (1 - b2 ** 2);
    close(seen[0]!, [1 - lr]);
    close(seen[1]!, [1 - lr + (lr * 3) / Math.sqrt(second)]);
  });
});
