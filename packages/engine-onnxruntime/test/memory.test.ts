import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { add, broadcastTo, compile, data, dispose, exp, full, matmul, mul, numbers, zeros, type Tensor } from '@langevin/tensor';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const MEGABYTE = 2 ** 20;

test('10,000 steps that make and drop 128 kB each do not grow the process', { timeout: 120_000 }, async () => {
  const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
  const step = compile((state: ReturnType<typeof zeros>) => ({ state: add(mul(state, 0.5), 1), waste: mul(state, 2) }), {
    engine,
    donate: [0],
  });
  let state = zeros([MEGABYTE / 32]);
  const run = async (steps: number): Promise<void> => {
    for (let i = 0; i < steps; i++) ({ state } = await step(state));
  };
  await run(1000);
  const before = process.memoryUsage().rss;
  await run(10_000);
  // 1.3 GB have passed; what remains is what the collector has not come to yet.
  expect(process.memoryUsage().rss - before).toBeLessThan(128 * MEGABYTE);
  expect((await numbers(state, { engine }))[0]).toBeCloseTo(2, 6);
  await engine.dispose();
});

test('storage of a result that was disposed of is used again, and holds the new result', async () => {
  const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
  const fill = compile((value: Tensor) => broadcastTo(value, [MEGABYTE / 4]), { engine });
  const first = await fill(1);
  const kept = await data(first, { engine });
  dispose(first);
  const second = await fill(2);
  const third = await fill(3);
  expect([kept[0], kept.at(-1)]).toEqual([1, 1]);
  for (const [tensor, value] of [
    [second, 2],
    [third, 3],
  ] as const) {
    const found = (await data(tensor, { engine })) as Float32Array;
    expect(found.every((x) => x === value)).toBe(true);
  }
  await expect(data(first, { engine })).rejects.toThrow('it was disposed');
  await engine.dispose();
});

test('a compiled function that nobody has any more gives back its session and its frozen weights', { timeout: 60_000 }, async () => {
  const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
  const side = 1024;
  const drop = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const weights = full([side, side], i);
      const layer = compile((w: Tensor, x: Tensor) => matmul(x, w), { engine, freeze: [0] });
      expect((await numbers(await layer(weights, full([1, side], 1)), { engine }))[0]).toBe(side * i);
      // Finalizers run between tasks.
      collect();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  await drop(5);
  const before = process.memoryUsage().rss;
  await drop(40);
  // Each holds 4 MB of weights as they are and 4 MB laid out: 320 MB if they stayed.
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * MEGABYTE);
  await engine.dispose();
});

test('an engine that is disposed of takes its executables with it, whoever has them', async () => {
  const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
  const half = compile((x: Tensor) => exp(mul(x, 0.5)), { engine });
  expect(await numbers(await half(zeros([2])), { engine })).toEqual([1, 1]);
  await engine.dispose();
  await expect(half(zeros([2]))).rejects.toThrow('executable was disposed before this run');
});
