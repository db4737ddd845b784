import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tensor, type Tensor } from '@langevin/tensor';
import { listCheckpoints, pruneCheckpoints, readCheckpoint, stepName, stepOfName, writeCheckpoint } from '@langevin/training';
import { describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from './host-task.ts';

vi.setConfig({ testTimeout: 60_000 });

const POINT = { step: 12, position: { epoch: 1, index: 34 } };
const state = (...names: readonly string[]): Record<string, Tensor> =>
  Object.fromEntries(names.map((name, i) => [name, tensor(Float32Array.of(i, i + 0.5))]));

async function written(): Promise<string> {
  return writeCheckpoint(await temporaryFolder(), POINT, state('a', 'b'));
}

describe('checkpoints', () => {
  it('give back what was written', async () => {
    const read = await readCheckpoint(await written(), state('a', 'b'));
    expect(read.point).toEqual(POINT);
    expect(Object.keys(read.state)).toEqual(['a', 'b']);
  });

  it('replace one of the same step', async () => {
    const folder = await temporaryFolder();
    await writeCheckpoint(folder, POINT, state('a'));
    await writeCheckpoint(folder, { ...POINT, position: { epoch: 2, index: 0 } }, state('a'));
    const [only] = await listCheckpoints(folder);
    expect((await readCheckpoint(only!.path, state('a'))).point.position.epoch).toBe(2);
  });

  it('that are truncated are refused with the file', async () => {
    const path = await written();
    const file = join(path, 'state.safetensors');
    await truncate(file, (await readFile(file)).length - 3);
    await expect(readCheckpoint(path, state('a', 'b'))).rejects.toThrow(/^\[io\/safetensors\].*state\.safetensors/);
  });

  it('of which one bit is another one are refused: a weight, or the place in the run', async () => {
    const path = await written();
    const [file, description] = [join(path, 'state.safetensors'), join(path, 'state.json')];
    const [bytes, text] = [await readFile(file), await readFile(description, 'utf8')];
    const damaged = Uint8Array.from(bytes);
    damaged[damaged.length - 3]! ^= 4;
    await writeFile(file, damaged);
    await expect(readCheckpoint(path, state('a', 'b'))).rejects.toThrow('its content is not what was written');
    await writeFile(file, bytes);
    await writeFile(description, text.replace('"index": 34', '"index": 35'));
    await expect(readCheckpoint(path, state('a', 'b'))).rejects.toThrow('its content is not what was written');
    await writeFile(description, text);
    expect((await readCheckpoint(path, state('a', 'b'))).point).toEqual(POINT);
  });

  it.each([
    ['{', /state\.json.*is not valid JSON/],
    [
      '{"format":"langevin-training-1","checksum":"00000000","step":-1,"position":{"epoch":0,"index":0}}',
      /state\.json is not valid: path=.*Remove the folder to resume from an earlier checkpoint/,
    ],
    ['{"format":"other","step":1,"position":{"epoch":0,"index":0}}', /state\.json is not valid/],
  ])('with %s for a description are refused', async (text, message) => {
    const path = await written();
    await writeFile(join(path, 'state.json'), text);
    await expect(readCheckpoint(path, state('a', 'b'))).rejects.toThrow(message);
  });

  it('of another model are refused: missing and unknown weights are named', async () => {
    const path = await written();
    await expect(readCheckpoint(path, state('a', 'c'))).rejects.toThrow(
      `[nn/state-dict] weights do not fit: ${path} lacks "c" and has "b" that the model does not know. Check that the `
        + 'configuration belongs to these weights.',
    );
    await expect(readCheckpoint(path, { a: tensor(Float32Array.of(1)), b: tensor(Float32Array.of(1)) })).rejects.toThrow(
      `weight has another shape or dtype: name=a, ${path} has float32[2], the model wants float32[1]`,
    );
  });

  it('are found by name, in the order of steps; other names are not theirs', async () => {
    const folder = await temporaryFolder();
    for (const step of [100_000_000, 20, 3]) await writeCheckpoint(folder, { ...POINT, step }, state('a'));
    await writeFile(join(folder, 'notes.txt'), '');
    expect((await listCheckpoints(folder)).map(({ step }) => step)).toEqual([3, 20, 100_000_000]);
    expect([3, 100_000_000].map((step) => stepOfName(stepName(step)))).toEqual([3, 100_000_000]);
    expect(['step-3', 'step-00000003.old', '.writing-step-00000003'].map(stepOfName)).toEqual([undefined, undefined, undefined]);
    expect(await listCheckpoints(join(folder, 'nowhere'))).toEqual([]);
  });

  it('are pruned down to the newest, and milestones stay', async () => {
    const folder = await temporaryFolder();
    for (const step of [5, 10, 15, 20]) await writeCheckpoint(folder, { ...POINT, step }, state('a'));
    await pruneCheckpoints(folder, { keep: 1, milestone: 10 });
    expect((await listCheckpoints(folder)).map(({ step }) => step)).toEqual([10, 20]);
    await pruneCheckpoints(folder, { keep: 1 });
    expect((await listCheckpoints(folder)).map(({ step }) => step)).toEqual([20]);
  });
});
