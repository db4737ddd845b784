import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { add, compile, dispose, gather, numbers, realize, tensor, type Engine, type Tensor } from '@langevin/tensor';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** Runs whose results are large end in another way than small ones: in the binding's error for an output it cannot convert. */
const SIZE = 2 ** 19;
let engine: Engine;
beforeAll(async () => void (engine = await onnxruntimeEngine({ device: 'cpu', threads: 2 })));
afterAll(() => engine.dispose());

const ramp = (from: number): Tensor =>
  tensor(
    Float32Array.from({ length: SIZE }, (_, i) => from + (i % 1000)),
    { shape: [SIZE] },
  );

test('results of several megabytes arrive, in order, run after run', async () => {
  const step = compile((x: Tensor, y: Tensor) => ({ sum: add(x, y), next: add(x, 1), one: add(y, 2) }), { engine });
  for (const from of [0, 5000]) {
    const { sum, next, one } = await step(ramp(from), ramp(1));
    const [a, b, c] = await Promise.all([sum, next, one].map((result) => numbers(result, { engine })));
    expect([a![0], a![999], a!.at(-1)]).toEqual([from + 1, from + 1999, from + 1 + 2 * ((SIZE - 1) % 1000)]);
    expect([b![0], b![1001]]).toEqual([from + 1, from + 2]);
    expect([c![0], c![1001]]).toEqual([3, 4]);
    dispose(sum, next, one);
  }
});

test('an error of such a run is an error still, and the next run works', async () => {
  const pick = compile((x: Tensor, at: Tensor) => ({ picked: gather(x, at), next: add(x, 1) }), { engine });
  const at = (index: number): Tensor => tensor(Int32Array.of(index), { shape: [1], dtype: 'int32' });
  await expect(pick(ramp(0), at(2 ** 24)).then(({ picked, next }) => realize([picked, next], { engine }))).rejects.toThrow(/gather/);
  const { picked } = await pick(ramp(0), at(7));
  expect(await numbers(picked, { engine })).toEqual([7]);
});
