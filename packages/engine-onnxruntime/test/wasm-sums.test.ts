import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { conformanceRows, runConformance } from '@langevin/tensor/testing';
import { expect, test } from 'vitest';

// WebAssembly has kernels of its own, which add in fewer lanes: the rows that show it run here too; `npm run evidence` runs all.
test('long sums, large windows and statistics are right on WebAssembly', async () => {
  const ops = ['sum', 'mean', 'normalize', 'avgPool'];
  const rows = conformanceRows.filter(({ op, name }) => name.includes('long') || ops.includes(op));
  expect(rows.length).toBeGreaterThan(20);
  const { results, failed } = await runConformance(await onnxruntimeEngine({ device: 'wasm' }), { rows, behaviours: [] });
  expect(results.filter(({ status }) => status === 'fail')).toEqual([]);
  expect(failed).toBe(0);
}, 120_000);
