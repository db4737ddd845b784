import { afterAll, describe, expect, test } from 'vitest';
import type * as Package from '@langevin/engine-onnxruntime';
import { type Engine, type Graph } from '@langevin/tensor';
import { conformanceRows, runConformance } from '@langevin/tensor/testing';
import { bundle } from './harness/bundle.ts';
import { firstRows } from './harness/first-rows.ts';

// Worker threads load compiled files, so the package is compiled first, as its build does.
const folder = await bundle('worker', 'node', { index: 'src/index.ts', entry: 'src/worker/entry.ts' });
const compiled = (await import(/* @vite-ignore */ `${folder}/index.js`)) as typeof Package;
const inThread = (): Promise<Engine> => compiled.onnxruntimeEngine({ device: 'cpu', threads: 1, worker: 'thread' });

describe('worker thread', () => {
  let engine: Engine | undefined;
  afterAll(() => engine?.dispose());

  test('passes one conformance row of each op and all behaviours', { timeout: 120_000 }, async () => {
    const other = await inThread();
    const { results } = await runConformance(other, { rows: conformanceRows.filter(({ name }) => firstRows.test(name)) });
    await other.dispose();
    expect(results.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(results.filter(({ status }) => status === 'pass').length).toBeGreaterThan(200);
  });

  test('leaves the event loop free while it computes', async () => {
    engine = await inThread();
    const executable = await engine.compile(chainOfProducts(512, 24));
    const info = { shape: [512, 512], dtype: 'float32' } as const;
    const input = await engine.upload(new Float32Array(512 * 512).fill(1e-3), info);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const [output] = await executable.run([input]);
    clearInterval(timer);
    // 24 products of 0.27 GFLOP take tens of milliseconds; inline they would let no timer run.
    expect(ticks).toBeGreaterThan(0);
    expect(output!.shape).toEqual([512, 512]);
  });

  test('errors keep their kind and message', async () => {
    const other = await inThread();
    await other.dispose();
    await expect(other.upload(new Float32Array(1), { shape: [1], dtype: 'float32' })).rejects.toThrow('engine was disposed');
  });
});

function chainOfProducts(size: number, length: number): Graph {
  const values = Array.from({ length: length + 1 }, () => ({ shape: [size, size], dtype: 'float32' as const }));
  const params = { transposeA: false, transposeB: false };
  const nodes = Array.from({ length }, (_, i) => ({ op: 'matmul' as const, params, inputs: [i, 0], outputs: [i + 1] }));
  return { values, inputs: [0], constants: [], nodes, outputs: [length], key: `chain of ${length}` };
}
