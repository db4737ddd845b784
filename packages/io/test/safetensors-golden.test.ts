import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostTensor } from '@langevin/io';
import { decodeSafetensors, encodeSafetensors } from '@langevin/io';
import { openSafetensors, readJson, readSafetensors, writeSafetensors } from '@langevin/io/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

// Written by the Python package: tooling/parity/safetensors_golden.py, whose name, versions and date are in the file.
const GOLDEN = join(import.meta.dirname, 'golden');
const FILE = join(GOLDEN, 'safetensors.safetensors');

interface Row {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly hex: string;
}

let rows: readonly Row[];
let folder: string;

beforeAll(async () => {
  rows = ((await readJson(join(GOLDEN, 'safetensors.json'))) as { tensors: Row[] }).tensors;
  folder = await mkdtemp(join(tmpdir(), 'langevin-io-'));
});
afterAll(() => rm(folder, { recursive: true }));

function describeTensor(name: string, tensor: HostTensor): Row {
  const hex = Buffer.from(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength).toString('hex');
  return { name, dtype: tensor.dtype, shape: tensor.shape, hex };
}

describe('a file written by the Python package', () => {
  test('is read whole, bit for bit', async () => {
    const { tensors, metadata } = await readSafetensors(FILE);
    expect(metadata).toEqual({ format: 'pt' });
    const found = rows.map(({ name }) => describeTensor(name, tensors.get(name)!));
    expect(found).toEqual(rows);
    expect(tensors.size).toBe(rows.length);
  });

  test('is read by range, one tensor at a time', async () => {
    const file = await openSafetensors(FILE);
    for (const row of rows) expect(describeTensor(row.name, await file.read(row.name))).toEqual(row);
    await file.close();
  });

  test('gives slices that say where the bytes are', async () => {
    const file = await openSafetensors(FILE);
    const bytes = await readFile(FILE);
    for (const row of rows) {
      const slice = file.slice(row.name);
      expect(slice).toMatchObject({ path: FILE, dtype: row.dtype, shape: row.shape });
      expect(bytes.subarray(slice.offset, slice.offset + slice.byteLength).toString('hex')).toBe(row.hex);
    }
    await file.close();
  });

  test('is written again as the same bytes, from memory and from disk', async () => {
    const bytes = new Uint8Array(await readFile(FILE));
    const { tensors, metadata } = decodeSafetensors(bytes);
    expect(encodeSafetensors(tensors, { metadata })).toEqual(bytes);
    const path = join(folder, 'again.safetensors');
    await writeSafetensors(path, new Map([...tensors].reverse()), { metadata });
    expect(new Uint8Array(await readFile(path))).toEqual(bytes);
  });
});
