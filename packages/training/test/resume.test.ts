import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { memoryDataset, type MemoryDatasetInit } from '@langevin/io';
import { train, type TrainingTask } from '@langevin/training';
import { describe, expect, it, vi } from 'vitest';
import { describeData } from '../src/diffusion/data-description.ts';
import { events, hostTask, temporaryFolder, type HostState } from './host-task.ts';

vi.setConfig({ testTimeout: 60_000 });

const steps = async (folder: string): Promise<readonly string[]> => (await readdir(join(folder, 'checkpoints'))).sort();

describe('a resumed run may change', () => {
  const task = (learningRate: number, seed = 1): TrainingTask<HostState> => ({
    ...hostTask({ config: { seed, optimizer: { name: 'adam', learningRate } } }),
    mayChange: ['optimizer.learningRate'],
  });

  it('what its task says; the change is told, and stored for the next resume', async () => {
    const folder = await temporaryFolder();
    await events(task(0.1), { folder, steps: 2 });
    const [start] = await events(task(0.01), { folder, steps: 4, start: 'resume' });
    expect(start).toMatchObject({ step: 2, changed: [{ path: 'optimizer.learningRate', stored: 0.1, given: 0.01 }] });
    expect(JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'))).toMatchObject({ optimizer: { learningRate: 0.01 } });
    const [again] = await events(task(0.01), { folder, steps: 5, start: 'resume' });
    expect(again).toMatchObject({ changed: [] });
  });

  it('and nothing else: the entry is named, what may change is listed, and nothing is stored', async () => {
    const folder = await temporaryFolder();
    await events(task(0.1), { folder, steps: 2 });
    const before = await readFile(join(folder, 'config.json'), 'utf8');
    await expect(events(task(0.01, 2), { folder, steps: 4, start: 'resume' })).rejects.toThrow(
      'run was started with another configuration: seed: stored 1, given 2, '
        + `path=${join(folder, 'config.json')}. Use the stored one, or a new folder. What may change: optimizer.learningRate.`,
    );
    expect(await readFile(join(folder, 'config.json'), 'utf8')).toBe(before);
  });
});

it('a run without a checkpoint has nothing that a configuration could contradict', async () => {
  const folder = await temporaryFolder();
  const failing = { ...hostTask({ config: { seed: 1 } }), step: () => Promise.reject(new Error('before the first step')) };
  await expect(events(failing, { folder, steps: 2 })).rejects.toThrow('before the first step');
  await events(hostTask({ config: { seed: 2 } }), { folder, steps: 2 });
  expect(JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'))).toEqual({ seed: 2 });
});

describe('the data of a resumed run', () => {
  const dataset = (init: Partial<MemoryDatasetInit> = {}) =>
    memoryDataset({
      name: 'greys',
      imageShape: [1, 1, 1],
      images: Uint8Array.of(0, 100, 200),
      labels: Int32Array.of(0, 1, 1),
      classes: ['cat', 'dog'],
      names: ['cat/0.png', 'dog/0.png', 'dog/1.png'],
      ...init,
    });
  const task = (init?: Partial<MemoryDatasetInit>): TrainingTask<HostState> => ({ ...hostTask(), data: describeData(dataset(init)) });

  it('may lie elsewhere and bear other names', async () => {
    const folder = await temporaryFolder();
    await events(task(), { folder, steps: 1 });
    const moved = task({ name: 'moved', names: ['a.png', 'b.png', 'c.png'] });
    expect(await events(moved, { folder, steps: 2, start: 'resume' })).toHaveLength(4);
  });

  it.each<[Partial<MemoryDatasetInit>, string]>([
    [
      {
        images: Uint8Array.of(9, 0, 100, 200),
        labels: Int32Array.of(0, 1, 2, 2),
        classes: ['ant', 'cat', 'dog'],
        names: ['ant/0.png', 'cat/0.png', 'dog/0.png', 'dog/1.png'],
      },
      'class added: "ant"',
    ],
    [{ classes: ['cat', 'fox'] }, 'class added: "fox", class gone: "dog"'],
    [{ classes: ['dog', 'cat'] }, 'class 0 was "cat", now "dog"'],
    [{ images: Uint8Array.of(0, 100), labels: Int32Array.of(0, 1), names: ['cat/0.png', 'dog/0.png'] }, 'item gone: "dog/1.png"'],
    [{ images: Uint8Array.of(0, 101, 200) }, 'pixels or label of item 1 ("dog/0.png") are others'],
    [{ labels: Int32Array.of(0, 0, 1) }, 'pixels or label of item 1 ("dog/0.png") are others'],
    [{ imageShape: [3, 1, 1], images: new Uint8Array(9) }, 'images were [1, 1, 1], now [3, 1, 1]'],
  ])('%# must be the same: the difference is named', async (init, difference) => {
    const folder = await temporaryFolder();
    await events(task(), { folder, steps: 1 });
    await expect(events(task(init), { folder, steps: 2, start: 'resume' })).rejects.toThrow(
      `[training/data] data are not those that the run was started with: ${difference}, path=${join(folder, 'data.json')}.`,
    );
    expect(await steps(folder)).toEqual(['step-00000001']);
  });
});

describe('a damaged newest checkpoint', () => {
  async function damaged(checkpoints: number): Promise<string> {
    const folder = await temporaryFolder();
    await events(hostTask(), { folder, steps: 2 * checkpoints, checkpointEvery: 2 });
    await writeFile(join(folder, 'checkpoints', `step-0000000${2 * checkpoints}`, 'state.safetensors'), 'damaged');
    return folder;
  }

  it('is named, with the one before it and how to go on from there', async () => {
    const folder = await damaged(2);
    await expect(events(hostTask(), { folder, steps: 6, start: 'resume' })).rejects.toThrow(
      new RegExp(
        `newest checkpoint cannot be read: path=${join(folder, 'checkpoints', 'step-00000004')}, .*Remove that folder to resume from `
          + 'step 2, or ask for the checkpoint before the newest: start "previous", on the command line --resume-previous',
      ),
    );
    expect(await steps(folder)).toEqual(['step-00000002', 'step-00000004']);
  });

  it('is set aside when the one before is asked for, and the run ends with the same bytes', async () => {
    const folder = await damaged(2);
    const whole = await temporaryFolder();
    await events(hostTask(), { folder: whole, steps: 6, checkpointEvery: 2, logEvery: 1 });
    const all = await events(hostTask(), { folder, steps: 6, checkpointEvery: 2, logEvery: 1, start: 'previous' });
    expect(all[0]).toMatchObject({ kind: 'start', step: 2 });
    expect(await steps(folder)).toEqual(['step-00000004', 'step-00000004.aside', 'step-00000006']);
    for (const step of ['step-00000004', 'step-00000006'])
      expect(await readFile(join(folder, 'checkpoints', step, 'state.safetensors'))).toEqual(
        await readFile(join(whole, 'checkpoints', step, 'state.safetensors')),
      );
  });

  it('that is the only one leaves nothing to go on from', async () => {
    const folder = await damaged(1);
    await expect(events(hostTask(), { folder, steps: 6, start: 'resume' })).rejects.toThrow('There is no other one');
    await expect(events(hostTask(), { folder, steps: 6, start: 'previous' })).rejects.toThrow('there is no checkpoint before the newest');
  });
});

describe('a folder', () => {
  it('is for one run at a time, and free again when the run ends, is left or fails', async () => {
    const folder = await temporaryFolder();
    for await (const event of train(hostTask(), { folder, steps: 3 })) {
      if (event.kind !== 'step') continue;
      await expect(events(hostTask(), { folder, steps: 3, start: 'resume' })).rejects.toThrow(
        `[io/lock] folder is in use by another process: folder="${folder}", pid=${process.pid}. Wait for it, stop it, or choose `
          + 'another folder.',
      );
      break;
    }
    await expect(events(hostTask({ losses: { 1: NaN } }), { folder, steps: 3, start: 'resume' })).rejects.toThrow('loss is not finite');
    await events(hostTask(), { folder, steps: 3, start: 'resume' });
    expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('of a process that was killed is cleaned: half-written pictures and files, in each of its folders', async () => {
    const folder = await temporaryFolder();
    await events(hostTask(), { folder, steps: 1 });
    const name = '.langevin-01234567-89ab-cdef-0123-456789abcdef.tmp';
    for (const path of ['', 'previews', 'checkpoints']) await writeFile(join(folder, path, name), 'half');
    await events(hostTask(), { folder, steps: 2, start: 'resume' });
    for (const path of ['', 'previews', 'checkpoints']) expect(await readdir(join(folder, path))).not.toContain(name);
  });

  it.each([
    ['', '[io/folder] path of the folder is not one: folder="". Give the path of a folder.'],
    ['/dev/null', 'A part of the path is a file, not a folder.'],
    ['/dev/null/run', 'A part of the path is a file, not a folder.'],
    ['/proc/run', 'folder cannot be used: folder="/proc/run"'],
  ])('%j is refused before anything is computed', async (folder, message) => {
    await expect(events(hostTask(), { folder, steps: 1 })).rejects.toThrow(message);
  });
});
