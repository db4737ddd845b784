import { mkdtemp, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onnxruntimeEngine, type EngineOptions } from '@langevin/engine-onnxruntime';
import type { FileSlice, Graph } from '@langevin/tensor';
import { afterAll, beforeAll, expect, test } from 'vitest';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'langevin-'));
  await mkdir(join(folder, 'a'));
  await mkdir(join(folder, 'b'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A file with `offset` bytes of something else before the numbers. */
async function fileOf(path: string, values: Float32Array, offset: number): Promise<FileSlice> {
  const bytes = new Uint8Array(offset + values.byteLength).fill(0xff);
  bytes.set(new Uint8Array(values.buffer), offset);
  await writeFile(join(folder, path), bytes);
  const read = () => Promise.reject(new Error('the runtime was to read the file by itself'));
  return { path: join(folder, path), offset, byteLength: values.byteLength, read };
}

/** (x, two constants) -> x * first + second. */
const scaled = (first: FileSlice, second: FileSlice): Graph => {
  const info = { shape: [4], dtype: 'float32' } as const;
  return {
    values: [info, info, info, info, info],
    inputs: [0],
    constants: [
      { value: 1, data: first },
      { value: 2, data: second },
    ],
    nodes: [
      { op: 'mul', params: {}, inputs: [0, 1], outputs: [3] },
      { op: 'add', params: {}, inputs: [3, 2], outputs: [4] },
    ],
    outputs: [4],
    key: `scaled ${first.path} ${second.path}`,
  };
};

test.each(['pack', 'map'] as const satisfies readonly EngineOptions['weights'][])(
  'the runtime itself reads constants from files of different folders (weights: %s)',
  async (weights) => {
    const engine = await onnxruntimeEngine({ device: 'cpu', weights });
    const first = await fileOf('a/first.safetensors', new Float32Array([1, 2, 3, 4]), 64);
    const second = await fileOf('b/second.safetensors', new Float32Array([10, 20, 30, 40]), 8);
    const executable = await engine.compile(scaled(first, second));
    const x = await engine.upload(new Float32Array([1, 1, 2, 2]), { shape: [4], dtype: 'float32' });
    const [y] = await executable.run([x]);
    expect(await engine.download(y!)).toEqual(new Float32Array([11, 22, 36, 48]));
    await engine.dispose();
  },
);
