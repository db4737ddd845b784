import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { float8ToFloat16, scaledFloat8 } from '@langevin/io';
import { numbers, setDefaultEngine, UnsupportedError, UserError, type Tensor } from '@langevin/tensor';
import { referenceEngine } from '@langevin/tensor/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/checkpoint.ts';
import { surveyCheckpoint } from '../../src/checkpoint/survey.ts';
import { mappedTensors } from '../../src/weights.ts';
import { scratch } from './scratch.ts';

beforeAll(() => setDefaultEngine(referenceEngine({ precision: 'float32' })));
afterAll(() => setDefaultEngine(undefined));

interface Raw {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

const bytesOf = (...values: readonly number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
const eight = (...bytes: readonly number[]): Raw => ({ dtype: 'F8_E4M3', shape: [2, bytes.length / 2], bytes: Uint8Array.from(bytes) });

/** A safetensors file in any dtype, for those that Langevin itself does not write. */
async function fileOf(tensors: Readonly<Record<string, Raw>>): Promise<string> {
  const path = join(await scratch(), 'model.safetensors');
  let at = 0;
  const described = Object.entries(tensors).map(([name, { dtype, shape, bytes }]) => {
    const range = [at, (at += bytes.length)];
    return [name, { dtype, shape, data_offsets: range }];
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(described)));
  const size = Buffer.alloc(8);
  size.writeUInt32LE(header.length);
  await writeFile(path, Buffer.concat([size, header, ...Object.values(tensors).map(({ bytes }) => bytes)]));
  return path;
}

const BYTES = [0x38, 0xb8, 0x40, 0x01, 0x7e, 0x80];

describe('weights in floats of 8 bits', () => {
  it('are float16, which has all of their values, and counted as what they are', async () => {
    const path = await fileOf({ 'a.weight': eight(...BYTES), 'b.weight': { ...eight(...BYTES), dtype: 'F8_E5M2' } });
    const { tensors, stored, evidence } = await mappedTensors(path);
    const [a, b] = ['a.weight', 'b.weight'].map((name) => tensors.get(name) as Tensor);
    expect([a!.dtype, b!.dtype]).toEqual(['float16', 'float16']);
    expect(await numbers(a!)).toEqual([1, -1, 2, 2 ** -9, 448, -0]);
    expect(await numbers(b!)).toEqual([0.5, -0.5, 2, 2 ** -16, NaN, -0]);
    expect(stored.get('b.weight')).toEqual({ form: 'F8_E5M2', byteLength: 6 });
    expect(evidence).toEqual([]);
    expect(float8ToFloat16(Uint8Array.of(0x38), 'F8_E4M3')).toEqual(Uint16Array.of(0x3c00));
  });

  it.each([
    ['one number', 'scale_weight', [], [0.5]],
    ['one number in a list', 'weight_scale', [1], [0.5]],
    ['a number for each row', 'weight_scale', [2, 1], [2, 10]],
  ] as const)('are multiplied by the scales beside them, which are no weights: %s', async (_, name, shape, scales) => {
    const path = await fileOf({
      'a.weight': eight(...BYTES),
      [`a.${name}`]: { dtype: 'F32', shape, bytes: bytesOf(...scales) },
      'a.input_scale': { dtype: 'F32', shape: [], bytes: bytesOf(3) },
      scaled_fp8: { dtype: 'F8_E4M3', shape: [0], bytes: new Uint8Array(0) },
      'c.bias': { dtype: 'F32', shape: [1], bytes: bytesOf(4) },
    });
    const { tensors, evidence } = await mappedTensors(path);
    expect([...tensors.keys()]).toEqual(['a.weight', 'c.bias']);
    const weight = tensors.get('a.weight') as Tensor;
    expect(weight.dtype).toBe('float32');
    const wanted = scaledFloat8(Uint8Array.from(BYTES), 'F8_E4M3', Float32Array.from(scales));
    expect(await numbers(weight)).toEqual([...wanted]);
    expect(evidence).toMatchObject([{ value: '1 times their scales' }]);
  });

  it('scales of weights that stayed in 32 bits are applied too', async () => {
    const path = await fileOf({
      'a.weight': { dtype: 'F32', shape: [2], bytes: bytesOf(1, 2) },
      'a.scale_weight': { dtype: 'F32', shape: [], bytes: bytesOf(4) },
    });
    expect(await numbers((await mappedTensors(path)).tensors.get('a.weight') as Tensor)).toEqual([4, 8]);
  });

  it('scales of blocks, and of other types, are refused by name', async () => {
    const blocks = { dtype: 'F32', shape: [1, 3], bytes: bytesOf(1, 2, 3) };
    const path = await fileOf({ 'a.weight': eight(...BYTES), 'a.weight_scale_inv': blocks });
    await expect(mappedTensors(path)).rejects.toThrow(UnsupportedError);
    await expect(mappedTensors(path)).rejects.toThrow('name=a.weight_scale_inv, F32[1, 3] for a weight [2, 3]');
    const odd = { dtype: 'F8_E8M0', shape: [], bytes: Uint8Array.of(127) };
    await expect(mappedTensors(await fileOf({ 'a.weight': eight(...BYTES), 'a.weight_scale': odd }))).rejects.toThrow('F8_E8M0[]');
  });

  it('a scale that is no number is an error where the weight is used', async () => {
    const scale = { dtype: 'F32', shape: [], bytes: bytesOf(NaN) };
    const { tensors } = await mappedTensors(await fileOf({ 'a.weight': eight(...BYTES), 'a.scale_weight': scale }));
    await expect(numbers(tensors.get('a.weight') as Tensor)).rejects.toThrow('scale is not finite');
  });
});

describe('files that are larger than memory', () => {
  /** 12 GB, of which the disk has a header: the rest is a hole. */
  const sparse = async (folder: string): Promise<string> => {
    const [rows, columns] = [2 ** 15, 2 ** 15];
    const size = rows * columns * 2;
    const names = Array.from({ length: 6 }, (_, i) => `blocks.${i}.weight`);
    const described = names.map((name, i) => [name, { dtype: 'F16', shape: [rows, columns], data_offsets: [i * size, (i + 1) * size] }]);
    const header = Buffer.from(JSON.stringify(Object.fromEntries(described)));
    const head = Buffer.alloc(8);
    head.writeUInt32LE(header.length);
    const path = join(folder, 'diffusion_pytorch_model.safetensors');
    const file = await open(path, 'w');
    await file.write(Buffer.concat([head, header]));
    await file.truncate(8 + header.length + names.length * size);
    await file.close();
    return path;
  };

  it('a checkpoint of 12 GB is opened and surveyed in no time and no memory', async () => {
    const root = await scratch();
    await mkdir(join(root, 'big'));
    await writeFile(join(root, 'big/config.json'), JSON.stringify({ _class_name: 'UNet2DConditionModel' }));
    await sparse(join(root, 'big'));
    const before = process.memoryUsage.rss();
    const began = performance.now();
    const { components } = await surveyCheckpoint(join(root, 'big'));
    expect(components[0]).toMatchObject({ bytes: 6 * 2 ** 31, counted: { elements: 6 * 2 ** 30, dtypes: { float16: 6 * 2 ** 30 } } });
    await openCheckpoint(join(root, 'big'));
    // Reading 12 GB would take a multiple of either on any machine.
    expect(performance.now() - began).toBeLessThan(2000);
    expect(process.memoryUsage.rss() - before).toBeLessThan(2 ** 29);
  });

  it('a file that is another one by now is refused where a weight is used', async () => {
    const path = await fileOf({ 'a.weight': eight(...BYTES) });
    const { tensors } = await mappedTensors(path);
    await writeFile(path, Buffer.alloc(10));
    await expect(numbers(tensors.get('a.weight') as Tensor)).rejects.toThrow(UserError);
    await expect(numbers(tensors.get('a.weight') as Tensor)).rejects.toThrow('was replaced after it was loaded');
  });
});
