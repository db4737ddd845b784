import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { cast, numbers, tensor, type Engine } from '@langevin/tensor';
import { checkProgram, generateProgram, pastedProgram, programKinds } from '@langevin/tensor/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** `npm run evidence -- programs` takes thousands of them; a few here, and what those have found. */
describe('random programs', () => {
  let engine: Engine;
  beforeAll(async () => void (engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
  afterAll(() => engine.dispose());

  test.each(programKinds)('%s', { timeout: 60_000 }, async (kind) => {
    for (let seed = 0; seed < 15; seed++) {
      const spec = generateProgram(kind, seed);
      const { findings } = await checkProgram(engine, spec);
      expect(findings, pastedProgram(spec)).toEqual([]);
    }
  });

  test('rows without elements have no mean, and lose nothing else', async () => {
    const inputs = [{ shape: [1, 1, 0, 1], dtype: 'float32', draw: 'smooth', seed: 17 }] as const;
    const of = (part: string) => ({
      kind: 'smooth',
      seed: 1,
      inputs,
      steps: [{ op: 'normalize', inputs: ['x0'], attributes: { axes: 2, epsilon: 0.125, part } }],
      outputs: ['s0'],
    });
    for (const part of ['y', 'mean', 'inverseDeviation']) expect((await checkProgram(engine, of(part))).findings).toEqual([]);
  });
});

test.each(['cpu', 'wasm'] as const)('a float below zero becomes the byte of its integer, on %s', async (device) => {
  const engine = await onnxruntimeEngine({ device, threads: 1 });
  for (const dtype of ['float32', 'float16'] as const) {
    expect(await numbers(cast(tensor([-1.5, -0.5, 3.7, 300, -200], { dtype }), 'uint8'), { engine })).toEqual([255, 0, 3, 44, 56]);
  }
  await engine.dispose();
});

/** What ONNX Runtime's optimiser rewrites, as far as it goes at each of its levels. */
describe.each(['disabled', 'basic', 'extended', 'all'] as const)('rewritten graphs, optimiser: %s', (level) => {
  test('mean what they say', { timeout: 60_000 }, async () => {
    const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1, session: { graphOptimizationLevel: level } });
    for (let seed = 100; seed < 125; seed++) {
      const spec = generateProgram('rewrites', seed);
      expect((await checkProgram(engine, spec)).findings, pastedProgram(spec)).toEqual([]);
    }
    await engine.dispose();
  });
});
