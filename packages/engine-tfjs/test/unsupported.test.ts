import { errorKind } from '@langevin/tensor';
import type { Graph } from '@langevin/tensor';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { availableBackends, backendNames, tfjsEngine } from '@langevin/engine-tfjs';
import { single } from './graphs.ts';

const vector = { shape: [4], dtype: 'float32' } as const;

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(errorKind(error)).toBe('unsupported');
  return (error as Error).message;
}

describe('what this engine cannot do is refused with a remedy', () => {
  test.each(['float16', 'bfloat16'] as const)('%s', async (dtype) => {
    const engine = await tfjsEngine({ backend: 'cpu' });
    const half = { shape: [4], dtype };
    expect(await refusal(engine.compile(single('neg', {}, [half], [half])))).toBe(
      `[engine-tfjs/compile] TensorFlow.js has no ${dtype}: dtype=${dtype}. Cast to float32 before this engine sees it, or use `
        + '@langevin/engine-onnxruntime.',
    );
    expect(await refusal(engine.upload(new Uint16Array(4), half))).toContain(`dtype=${dtype}`);
  });

  test('an op whose TensorFlow.js kernel the backend lacks, when the graph is compiled', async () => {
    const engine = await tfjsEngine({ backend: 'cpu' });
    const erf = tf.getKernel('Erf', 'cpu')!;
    tf.unregisterKernel('Erf', 'cpu');
    try {
      expect(await refusal(engine.compile(single('erf', {}, [vector], [vector])))).toBe(
        '[engine-tfjs/compile] backend lacks a kernel: op="erf", backend="cpu", missing=[Erf]. Use tfjsEngine with backend "wasm", '
          + 'or @langevin/engine-onnxruntime.',
      );
    } finally {
      tf.registerKernel(erf);
    }
  });

  test('a composite', async () => {
    const engine = await tfjsEngine({ backend: 'cpu' });
    const graph: Graph = { ...single('neg', {}, [vector], [vector]), nodes: [{ op: 'silu', params: {}, inputs: [0], outputs: [1] }] };
    expect(await refusal(engine.compile(graph))).toContain('op="silu"');
  });

  test('a backend that is not installed', async () => {
    expect(await refusal(tfjsEngine({ backend: 'tensorflow-gpu' }))).toBe(
      '[engine-tfjs/backend] backend is not available: backend="tensorflow-gpu", @tensorflow/tfjs-node-gpu is not installed; run: '
        + 'npm install @tensorflow/tfjs-node-gpu.',
    );
  });
});

describe('choosing a backend', () => {
  test('every backend is reported, with the reason when it is missing', async () => {
    const status = await availableBackends();
    expect(status.map(({ name }) => name)).toEqual(backendNames);
    for (const backend of status) {
      if (!backend.available) expect(backend.reason).toContain(backend.package);
    }
    expect(status.filter(({ available }) => available).map(({ name }) => name)).toEqual(expect.arrayContaining(['wasm', 'cpu']));
  });

  test('without a name, the first that is available', async () => {
    const first = (await availableBackends()).find(({ available }) => available)!;
    const engine = await tfjsEngine();
    expect([engine.name, engine.device]).toEqual(['tfjs', first.name]);
  });
});
