import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { compile, mul, numbers, select, tensor, type Tensor } from '@langevin/tensor';
import { expect, test } from 'vitest';

test('a frozen tensor may be larger than the 2 GiB that the runtime takes as a constant', { timeout: 60_000 }, async () => {
  const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
  // Bytes that nobody writes to or reads take no memory.
  const size = 2 ** 29 + 8;
  const data = new Float32Array(size);
  data[size - 1] = 7;
  const last = compile((w: Tensor, by: Tensor) => mul(select(w, 0, size - 1), by), { engine, freeze: [0] });
  const weights = tensor(data);
  expect(await numbers(await last(weights, 2), { engine })).toEqual([14]);
  expect(await numbers(await last(weights, 3), { engine })).toEqual([21]);
  await last.dispose();
  await engine.dispose();
});
