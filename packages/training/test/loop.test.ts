import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { data } from '@langevin/tensor';
import { listCheckpoints, readCheckpoint, runFolder, train } from '@langevin/training';
import { describe, expect, it, vi } from 'vitest';
import { events, hostTask, temporaryFolder } from './host-task.ts';

// Every checkpoint is flushed to the disk, which takes as long as the disk takes.
vi.setConfig({ testTimeout: 60_000 });

describe('events', () => {
  it('come in order: start, steps, checkpoints, previews, done', async () => {
    const folder = await temporaryFolder();
    const shown: string[] = [];
    const task = { ...hostTask(), preview: async (_state: unknown, path: string) => void shown.push(path) };
    const all = await events(task, { folder, steps: 5, checkpointEvery: 2, previewEvery: 4, logEvery: 2 });
    expect(all.map((event) => `${event.kind} ${event.step}`)).toEqual([
      'start 0',
      'step 1',
      'step 2',
      'checkpoint 2',
      'step 3',
      'step 4',
      'preview 4',
      'checkpoint 4',
      'step 5',
      'checkpoint 5',
      'done 5',
    ]);
    expect(shown).toEqual([join(folder, 'previews', 'step-00000004.png')]);
    // Every second step, and the last.
    expect(await readFile(join(folder, 'log.jsonl'), 'utf8')).toMatch(
      /^\{"step":2,.*\n\{"step":4,.*\n\{"step":5,"loss":[\d.]+,"twice":[\d.]+\}\n$/,
    );
  });

  it('say when a run is done already', async () => {
    const folder = await temporaryFolder();
    await events(hostTask(), { folder, steps: 3 });
    const again = await events(hostTask(), { folder, steps: 3, start: 'resume' });
    expect(again.map((event) => event.kind)).toEqual(['start', 'done']);
  });
});

describe('options', () => {
  it.each([
    [{ steps: 0 }, 'steps=0'],
    [{ steps: 1.5 }, 'steps=1.5'],
    [{ steps: 1, logEvery: 0 }, 'logEvery=0'],
    [{ steps: 1, checkpointEvery: 0 }, 'checkpointEvery=0'],
    [{ steps: 1, keep: 0 }, 'keep=0'],
    [{ steps: 1, previewEvery: -1 }, 'previewEvery=-1'],
  ])('%j are refused', async (options, named) => {
    await expect(events(hostTask(), { folder: await temporaryFolder(), ...options })).rejects.toThrow(
      `is out of range: ${named}. Pass an integer >=`,
    );
  });
});

describe('a resumed run', () => {
  it('equals an uninterrupted one, wherever it was stopped', async () => {
    const whole = await temporaryFolder();
    await events(hostTask(), { folder: whole, steps: 9, checkpointEvery: 3, logEvery: 1 });
    // Before the first checkpoint, at one, after one, at the last step but one.
    for (const stop of [1, 3, 4, 8]) {
      const folder = await temporaryFolder();
      for await (const event of train(hostTask(), { folder, steps: 9, checkpointEvery: 3, logEvery: 1 }))
        if (event.kind === 'step' && event.step === stop) break;
      await events(hostTask(), { folder, steps: 9, checkpointEvery: 3, logEvery: 1, start: 'resume' });
      for (const file of ['log.jsonl', 'checkpoints/step-00000009/state.safetensors', 'checkpoints/step-00000009/state.json']) {
        expect(await readFile(join(folder, file)), `${file}, stopped after step ${stop}`).toEqual(await readFile(join(whole, file)));
      }
    }
  });

  it('ignores and removes what a killed writer left, and a half-written line of the log', async () => {
    const folder = await temporaryFolder();
    await events(hostTask(), { folder, steps: 2, logEvery: 1 });
    const left = join(folder, 'checkpoints', '.writing-0f');
    await mkdir(left);
    await writeFile(join(left, 'state.safetensors'), 'half');
    await writeFile(join(folder, 'log.jsonl'), '{"step":3,"lo', { flag: 'a' });
    await events(hostTask(), { folder, steps: 3, logEvery: 1, start: 'resume' });
    expect(await readdir(join(folder, 'checkpoints'))).toEqual(['step-00000002', 'step-00000003']);
    expect(
      (await readFile(join(folder, 'log.jsonl'), 'utf8'))
        .split('\n')
        .filter(Boolean)
        .map((line) => (JSON.parse(line) as { step: number }).step),
    ).toEqual([1, 2, 3]);
  });

  it('is refused in a folder with checkpoints unless it is asked for', async () => {
    const folder = await temporaryFolder();
    await events(hostTask(), { folder, steps: 2 });
    await expect(events(hostTask(), { folder, steps: 4 })).rejects.toThrow(
      `[training/loop] folder already has checkpoints: folder=${folder}, newest step=2. Resume it, or choose another folder.`,
    );
  });

  it('is refused with another configuration, and the first entry that differs is named', async () => {
    const folder = await temporaryFolder();
    await events(hostTask({ config: { seed: 1, data: { name: 'emoji', size: 32 } } }), { folder, steps: 1 });
    await expect(
      events(hostTask({ config: { seed: 1, data: { name: 'emoji', size: 64 } } }), { folder, steps: 2, start: 'resume' }),
    ).rejects.toThrow(
      '[training/config] run was started with another configuration: data.size: stored 32, given 64, '
        + `path=${join(folder, 'config.json')}. Use the stored one, or a new folder.`,
    );
    await expect(events(hostTask({ config: { seed: 1 } }), { folder, steps: 2, start: 'resume' })).rejects.toThrow(
      'data: stored {"name":"emoji","size":32}, given nothing',
    );
  });
});

describe('a loss that is not finite', () => {
  it.each([NaN, Infinity])('stops the run: %s; step, batch and last good checkpoint are named', async (loss) => {
    const folder = await temporaryFolder();
    const run = events(hostTask({ losses: { 6: loss } }), { folder, steps: 9, checkpointEvery: 2 });
    const last = join(folder, 'checkpoints', 'step-00000004');
    await expect(run).rejects.toThrow(
      `[training/loop] loss is not finite: loss=${loss}, step=6, batch items=[15, 16, 17]. Last good checkpoint: ${last}. Resume, `
        + 'which goes on from it, with a lower learning rate or gradient clipping.',
    );
    expect((await readCheckpoint(last, hostTask().init())).point.step).toBe(4);
    expect((await listCheckpoints(join(folder, 'checkpoints'))).at(-1)?.path).toBe(last);
  });

  it('says so when there is no checkpoint yet', async () => {
    await expect(events(hostTask({ losses: { 1: NaN } }), { folder: await temporaryFolder(), steps: 9 })).rejects.toThrow(
      'step=1, batch items=[0, 1, 2]. Last good checkpoint: none yet.',
    );
  });
});

describe('an abort', () => {
  it('writes a checkpoint after the running step and ends; the run goes on from there', async () => {
    const folder = await temporaryFolder();
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const event of train(hostTask(), { folder, steps: 100, signal: stop.signal })) {
      seen.push(event.kind === 'done' ? `done ${event.step} ${event.reason}` : `${event.kind} ${event.step}`);
      if (event.kind === 'step' && event.step === 3) stop.abort();
    }
    expect(seen.slice(-3)).toEqual(['step 3', 'checkpoint 3', 'done 3 aborted']);
    expect((await events(hostTask(), { folder, steps: 5, start: 'resume' }))[0]).toMatchObject({ kind: 'start', step: 3, resumed: true });
  });
});

describe('old checkpoints', () => {
  it('are removed but for the newest and the milestones', async () => {
    const folder = await temporaryFolder();
    await events(hostTask(), { folder, steps: 10, checkpointEvery: 1, keep: 2, milestone: 4 });
    expect((await listCheckpoints(join(folder, 'checkpoints'))).map(({ step }) => step)).toEqual([4, 8, 9, 10]);
  });
});

describe('a disk that fails', () => {
  it('stops the run when the log cannot grow, and loses no checkpoint', async ({ skip }) => {
    if (process.platform !== 'linux') skip('/dev/full, the disk that is always full, exists on Linux only');
    const folder = await temporaryFolder();
    const { log } = runFolder(folder);
    const run = async (): Promise<void> => {
      for await (const event of train(hostTask(), { folder, steps: 9, checkpointEvery: 2, logEvery: 3 })) {
        if (event.kind !== 'checkpoint' || event.step !== 4) continue;
        await rm(log);
        await symlink('/dev/full', log);
      }
    };
    await expect(run()).rejects.toThrow(`[io/log] log cannot be written: path=${log}. The disk is full: free some space.`);
    expect((await listCheckpoints(join(folder, 'checkpoints'))).map(({ step }) => step)).toEqual([2, 4]);
  });

  it('stops the run when a checkpoint cannot be written; the message says which, and that earlier ones are untouched', async () => {
    const folder = await temporaryFolder();
    const { checkpoints } = runFolder(folder);
    const run = async (): Promise<void> => {
      for await (const event of train(hostTask(), { folder, steps: 4, checkpointEvery: 2 })) {
        if (event.kind !== 'step' || event.step !== 1) continue;
        await rm(checkpoints, { recursive: true });
        await writeFile(checkpoints, 'a file where the folder was');
      }
    };
    await expect(run()).rejects.toThrow(
      new RegExp(
        `^\\[training/checkpoint\\] checkpoint cannot be written: step=2, folder=${checkpoints}, ENOTDIR.*Earlier checkpoints are `
          + `untouched; free space or permissions and resume\\.$`,
      ),
    );
  });

  it('is full: the run stops, what was written stays, and it goes on when there is room', async ({ skip }) => {
    const folder = await temporaryFolder();
    // Room for three checkpoints of 80 kB and the report.
    if (!mounted(folder, '400k')) skip('no tmpfs can be mounted here: that takes Linux and root');
    try {
      const task = hostTask({ size: 20_000 });
      const whole = await temporaryFolder();
      await events(task, { folder: whole, steps: 9, checkpointEvery: 1, keep: 9, logEvery: 1 });

      await expect(events(task, { folder, steps: 9, checkpointEvery: 1, keep: 9, logEvery: 1 })).rejects.toThrow(/no space|ENOSPC/i);
      const kept = await listCheckpoints(join(folder, 'checkpoints'));
      expect(kept.length).toBeGreaterThan(0);
      const names = await readdir(join(folder, 'checkpoints'));
      expect(names.filter((name) => !name.startsWith('step-'))).toEqual([]);
      for (const { path, step } of kept) {
        const { point, state } = await readCheckpoint(path, task.init());
        expect(point.step).toBe(step);
        expect((await data(state.w)).length).toBe(20_000);
      }
      execFileSync('mount', ['-o', 'remount,size=8m', folder]);
      await events(task, { folder, steps: 9, checkpointEvery: 1, keep: 9, logEvery: 1, start: 'resume' });
      for (const file of ['log.jsonl', 'checkpoints/step-00000009/state.safetensors'])
        expect(await readFile(join(folder, file))).toEqual(await readFile(join(whole, file)));
    } finally {
      execFileSync('umount', [folder]);
    }
  });
});

function mounted(folder: string, size: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
