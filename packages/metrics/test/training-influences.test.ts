import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { INFLUENCES_FILE, readTrainingInfluences, writeTrainingInfluences } from '@langevin/metrics/node';
import { errorKind } from '@langevin/tensor';
import { afterAll, beforeAll, expect, test } from 'vitest';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'langevin-influences-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('networks that had a say are written and read', async () => {
  expect(await readTrainingInfluences(folder)).toEqual([]);
  const influences = [
    { name: 'mnist-1', hash: 'a'.repeat(64), role: 'loss' },
    { name: 'teacher', hash: 'b'.repeat(64), role: 'teacher' },
  ] as const;
  await writeTrainingInfluences(folder, influences);
  expect(await readTrainingInfluences(folder)).toEqual(influences);
});

test.each([
  [{}, 'influences=an object'],
  [[1], 'influences[0].name=undefined'],
  [[{ name: '', hash: 'x', role: 'loss' }], 'influences[0].name='],
  [[{ name: 'a', hash: 'x', role: 'friend' }], 'influences[0].role="friend", known=loss discriminator condition teacher data'],
  [[{ name: 'a'.repeat(300), hash: 'x', role: 'loss' }], 'influences[0].name='],
])('%j is refused, written and read, and changes nothing', async (wrong, message) => {
  const file = join(folder, INFLUENCES_FILE);
  await writeTrainingInfluences(folder, []);
  const error = await writeTrainingInfluences(folder, wrong as never).catch((caught: unknown) => caught);
  expect([errorKind(error), String(error)]).toEqual(['user', expect.stringContaining(message)]);
  expect(await readFile(file, 'utf8')).toBe('[]\n');
  await writeFile(file, JSON.stringify(wrong));
  await expect(readTrainingInfluences(folder)).rejects.toThrow(message);
});
