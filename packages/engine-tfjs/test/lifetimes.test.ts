import { runInNewContext } from 'node:vm';
import { setFlagsFromString } from 'node:v8';
import { errorKind } from '@langevin/tensor';
import type { Engine, Graph } from '@langevin/tensor';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { tfjsEngine } from '@langevin/engine-tfjs';
import { PATIENT, backends } from './backends.ts';

const vector = { shape: [4], dtype: 'float32' } as const;

/** y = tanh(exp(x) * c), with dead ends and outputs that alias: [y, x, c, y]. */
const graph: Graph = {
  values: Array.from({ length: 6 }, () => vector),
  inputs: [0],
  constants: [{ value: 1, data: Float32Array.of(1, 2, 3, 4) }],
  nodes: [
    { op: 'exp', params: {}, inputs: [0], outputs: [2] },
    { op: 'mul', params: {}, inputs: [2, 1], outputs: [3] },
    { op: 'tanh', params: {}, inputs: [3], outputs: [4] },
    { op: 'neg', params: {}, inputs: [2], outputs: [5] },
  ],
  outputs: [4, 0, 1, 4],
  key: 'lifetimes',
};

describe.each(backends)('lifetimes on %s', PATIENT, (backend) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await tfjsEngine({ backend });
  });
  const upload = () => engine.upload(Float32Array.of(-1, 0, 0.5, 1), vector);

  test('memory does not grow over 1,000 runs', async () => {
    const executable = await engine.compile(graph);
    const x = await upload();
    const once = async () => (await executable.run([x])).forEach((buffer) => buffer.dispose());
    await once();
    const before = tf.memory();
    for (let i = 0; i < 1000; i++) await once();
    const after = tf.memory();
    expect([after.numTensors, after.numDataBuffers, after.numBytes]).toEqual([before.numTensors, before.numDataBuffers, before.numBytes]);
    x.dispose();
    await executable.dispose();
    expect(tf.memory().numTensors).toBe(before.numTensors - 2);
  });

  test('results outlive inputs, constants and each other', async () => {
    const executable = await engine.compile(graph);
    const x = await upload();
    const [y, same, constant, again] = await executable.run([x]);
    x.dispose();
    y!.dispose();
    await executable.dispose();
    const expected = [-1, 0, 0.5, 1].map((v, i) => Math.tanh(Math.exp(v) * (i + 1)));
    const result = (await engine.download(again!)) as Float32Array;
    result.forEach((v, i) => expect(v).toBeCloseTo(expected[i]!, 6));
    expect(await engine.download(same!)).toEqual(Float32Array.of(-1, 0, 0.5, 1));
    expect(await engine.download(constant!)).toEqual(Float32Array.of(1, 2, 3, 4));
    [same, constant, again].forEach((buffer) => buffer!.dispose());
  });

  test('a download is a copy', async () => {
    const x = await upload();
    const first = (await engine.download(x)) as Float32Array;
    first.fill(7);
    expect(await engine.download(x)).toEqual(Float32Array.of(-1, 0, 0.5, 1));
    x.dispose();
  });

  test('forgotten buffers are freed by the garbage collector', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const before = tf.memory().numTensors;
    for (let i = 0; i < 50; i++) await upload();
    expect(tf.memory().numTensors).toBe(before + 50);
    for (let i = 0; i < 20 && tf.memory().numTensors > before; i++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(tf.memory().numTensors).toBeLessThanOrEqual(before + 1);
  });

  test('the constants of executables that nobody has any more are freed, too', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const before = tf.memory().numTensors;
    for (let i = 0; i < 50; i++) await engine.compile(graph);
    expect(tf.memory().numTensors).toBe(before + 50);
    for (let i = 0; i < 20 && tf.memory().numTensors > before; i++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(tf.memory().numTensors).toBeLessThanOrEqual(before + 1);
  });

  test("a caller's tidy scope does not free buffers, and its backend stays active", async () => {
    const other = backend === 'cpu' ? 'wasm' : 'cpu';
    await tfjsEngine({ backend: other });
    await tf.setBackend(other);
    const executable = await engine.compile(graph);
    let pending: Promise<Float32Array> | undefined;
    tf.tidy(() => {
      pending = (async () => {
        const x = await upload();
        const [y] = await executable.run([x]);
        return (await engine.download(y!)) as Float32Array;
      })();
    });
    expect((await pending!)[1]).toBeCloseTo(Math.tanh(2), 6);
    expect(tf.getBackend()).toBe(other);
  });

  test('buffers offered for the results are given up', async () => {
    const executable = await engine.compile(graph);
    const [x, offered] = [await upload(), await upload()];
    const results = await executable.run([x], { outputs: [offered, undefined] });
    await expect(engine.download(offered)).rejects.toThrow(/buffer was disposed of: shape=\[4\]/);
    [x, ...results].forEach((buffer) => buffer.dispose());
  });

  test('what is wrong with inputs is named', async () => {
    const executable = await engine.compile(graph);
    const long = await engine.upload(new Float32Array(5), { shape: [5], dtype: 'float32' });
    await expect(executable.run([])).rejects.toThrow('[engine-tfjs/run] wrong number of inputs: given=0, expected=1.');
    await expect(executable.run([long])).rejects.toThrow('inputs[0]=float32 [5], expected float32 [4]');
    const foreign = { ...vector, dispose() {} };
    const error = await executable.run([foreign]).catch((e: unknown) => e);
    expect(errorKind(error)).toBe('user');
    expect(String(error)).toContain('buffer belongs to another engine');
    await executable.dispose();
    await expect(executable.run([long])).rejects.toThrow('executable was disposed of: graph=lifetimes');
    long.dispose();
  });
});
