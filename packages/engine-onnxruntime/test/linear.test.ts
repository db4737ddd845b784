import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import {
  add,
  cacheCounters,
  cast,
  compile,
  data,
  mul,
  neg,
  realize,
  scalar,
  sub,
  tensor,
  traceGraph,
  type Engine,
  type Tensor,
} from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linearPlan } from '../src/linear/plan.ts';

/** An item alone has too few elements for the plan and runs in a session; the batch does not. */
const [ITEMS, SIZE] = [4, 600];

let engine: Engine;
beforeAll(async () => void (engine = await onnxruntimeEngine({ device: 'cpu', threads: 2 })));
afterAll(() => engine.dispose());

const wave = (k: number): Float32Array => Float32Array.from({ length: ITEMS * SIZE }, (_, i) => 3 * Math.sin(i * (0.37 + 0.11 * k) + k));
const perItem = [0.3, -1.7, 1, 2.1];

/** `each` is the factor that differs from item to item. */
type Formula = (x: readonly Tensor[], each: Tensor) => readonly Tensor[];

const weigh = (terms: readonly (readonly [Tensor, number])[]): Tensor => terms.map(([x, c]) => mul(x, scalar(c))).reduce(add);

const FORMULAS: Readonly<Record<string, Formula>> = {
  'one product': ([x]) => [mul(x!, scalar(0.3))],
  'two terms': ([x, y]) => [
    weigh([
      [x!, 0.3],
      [y!, 0.9],
    ]),
  ],
  'four terms': ([x, y, z, w]) => [
    weigh([
      [x!, 0.3],
      [y!, 0.9],
      [z!, -0.1],
      [w!, 1 / 3],
    ]),
  ],
  'noise upon a step': ([x, y, z]) => [
    weigh([
      [
        weigh([
          [x!, 0.3],
          [y!, 0.9],
        ]),
        1,
      ],
      [z!, 0.4],
    ]),
  ],
  'a step that is scaled': ([x, y, z]) => [
    weigh([
      [z!, 0.4],
      [
        weigh([
          [x!, 0.3],
          [y!, 0.9],
        ]),
        0.7,
      ],
    ]),
  ],
  'a corrected state and the step from it': ([x, y, z]) => {
    const corrected = weigh([
      [x!, 0.3],
      [y!, 0.9],
    ]);
    return [
      weigh([
        [corrected, 0.6],
        [z!, 0.2],
      ]),
      corrected,
    ];
  },
  'guidance and a step': ([x, y, z]) => {
    const guided = add(y!, mul(sub(z!, y!), scalar(7.5)));
    return [
      weigh([
        [x!, 0.3],
        [guided, 0.9],
      ]),
      guided,
    ];
  },
  'a factor for each item': ([x, y], each) => [add(mul(x!, each), mul(y!, scalar(0.9)))],
  signs: ([x, y, z]) => [
    sub(
      neg(
        weigh([
          [x!, 0.3],
          [y!, 0.9],
        ]),
      ),
      mul(neg(z!), scalar(0.1)),
    ),
    sub(
      x!,
      weigh([
        [x!, 0.3],
        [y!, 0.9],
      ]),
    ),
    neg(neg(z!)),
  ],
};

const bits = async (x: Tensor): Promise<readonly number[]> => [...new Uint32Array(((await data(x, { engine })) as Float32Array).buffer)];

describe('linear combinations of states', () => {
  test.each(Object.entries(FORMULAS))('%s: planned, and the bits of a session', async (_, formula) => {
    const arrays = [0, 1, 2, 3].map(wave);
    const whole = formula(
      arrays.map((values) => tensor(values, { shape: [ITEMS, 20, 30] })),
      tensor(Float32Array.from(perItem), { shape: [ITEMS, 1, 1] }),
    );
    const parts = perItem.map((number, item) =>
      formula(
        arrays.map((values) => tensor(values.slice(item * SIZE, (item + 1) * SIZE), { shape: [1, 20, 30] })),
        tensor(Float32Array.of(number), { shape: [1, 1, 1] }),
      ),
    );
    await realize(whole, { engine });
    for (const [k, result] of whole.entries())
      expect(await bits(result)).toEqual((await Promise.all(parts.map((part) => bits(part[k]!)))).flat());
  });

  test('which graphs are taken', () => {
    const plan = (formula: Formula, shape: readonly number[] = [ITEMS, SIZE]) =>
      linearPlan(
        traceGraph(
          (...x: readonly Tensor[]) => formula(x, x[4]!),
          [shape, shape, shape, shape, [shape[0]!, 1]].map((each) => ({ shape: each, dtype: 'float32' as const })),
        ),
      );
    for (const formula of Object.values(FORMULAS)) expect(plan(formula)).toBeDefined();
    for (const formula of Object.values(FORMULAS)) expect(plan(formula, [1, SIZE])).toBeUndefined();
    expect(plan(FORMULAS['four terms']!, [64, 3, 128, 128])).toBeUndefined();
    expect(plan(([x, y]) => [mul(x!, y!)])).toBeUndefined();
    expect(plan(([x, y]) => [add(x!, mul(y!, y!))])).toBeUndefined();
    expect(plan(([x]) => [cast(mul(x!, scalar(2)), 'float16')])).toBeUndefined();
    // Both sides are sums that have to be kept.
    expect(plan(([x, y, z, w]) => [add(mul(add(x!, y!), scalar(0.3)), mul(add(z!, w!), scalar(0.9)))])).toBeUndefined();
    expect(plan(([x, y]) => [mul(add(x!, y!), scalar(0.3))])).toBeUndefined();
    // A fibonacci tree: each sum is read twice and nowhere kept.
    const tree = (a: Tensor, b: Tensor, depth: number): Tensor => (depth === 0 ? b : tree(b, add(mul(b, scalar(0.5)), a), depth - 1));
    expect(plan(([x, y]) => [tree(x!, y!, 30)])).toBeUndefined();
  });

  test('are compiled once whatever the numbers, and leave their inputs as they were', async () => {
    const x = tensor(wave(0), { shape: [ITEMS, SIZE] });
    const before = await bits(x);
    const run = (factor: number): Promise<void> =>
      realize(
        [
          weigh([
            [x, factor],
            [tensor(wave(1), { shape: [ITEMS, SIZE] }), 1 - factor],
          ]),
        ],
        { engine },
      );
    await run(0.1);
    const { compilations } = cacheCounters(engine);
    for (const factor of [0, 1, -3, 0.7]) await run(factor);
    expect(cacheCounters(engine).compilations).toBe(compilations);
    expect(await bits(x)).toEqual(before);
  });

  test('write into storage that is given', async () => {
    const average = compile((mean: Tensor, x: Tensor) => add(mul(mean, scalar(0.9)), mul(x, scalar(0.1))), { engine, donate: [0] });
    const x = tensor(new Float32Array(ITEMS * SIZE).fill(1), { shape: [ITEMS, SIZE] });
    let mean: Tensor = tensor(new Float32Array(ITEMS * SIZE), { shape: [ITEMS, SIZE] });
    for (let k = 0; k < 5; k++) mean = await average(mean, x);
    const values = (await data(mean, { engine })) as Float32Array;
    values.forEach((value) => expect(value).toBeCloseTo(1 - 0.9 ** 5, 6));
    await average.dispose();
  });
});
