import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { numbers, tensor, type Tensor } from '@langevin/tensor';
import { describe, expect, it } from 'vitest';
import { folderStore } from '../../src/node/folder-store.ts';
import { memoryStore, readText } from '../../src/store.ts';
import { defineTask, type Evaluation, type Task } from '../../src/task.ts';
import { checkTask } from '../../src/testing/check-task.ts';
import { train, type TrainEvent, type TrainOptions } from '../../src/train.ts';

interface Walk {
  readonly x: number;
  readonly seen: readonly string[];
  readonly grown: Tensor;
  readonly flags: { readonly even: boolean; readonly limit: number; readonly note: null };
}

/** Host numbers, lists that grow, a tensor of another size at each step, two streams of different pace. */
function walk(options: { readonly config?: Task<Walk>['config']; readonly losses?: Readonly<Record<number, number>> } = {}): Task<Walk> {
  const { config = { rate: 1, data: { size: 8 } }, losses = {} } = options;
  return defineTask<Walk>({
    name: 'walk',
    config,
    mayChange: ['rate'],
    seed: 3,
    init: () => ({ x: -0, seen: [], grown: tensor([0]), flags: { even: true, limit: Infinity, note: null } }),
    step: async (state, at) => {
      const letters = at.stream('letters');
      const digits = at.stream('digits');
      const grown = tensor([...(await numbers(state.grown)), at.random('growth').uniform(1)[0]!]);
      const x = state.x + at.random('walk').normal(1)[0]! + at.random('walk', 1).normal(1)[0]!;
      return {
        state: { x, seen: [`${letters.epoch}/${letters.index}`], grown, flags: { ...state.flags, even: !state.flags.even } },
        losses: { distance: losses[at.step + 1] ?? Math.abs(x), other: 1 },
        measures: { size: grown.size, ratio: x / 0 },
        streams: {
          letters: letters.index === 2 ? { epoch: letters.epoch + 1, index: 0 } : { epoch: letters.epoch, index: letters.index + 1 },
          ...(at.step % 2 === 0 && { digits: { epoch: 0, index: digits.index + 1 } }),
        },
        items: { letters: [letters.index], digits: ['seven'] },
      };
    },
    evaluate: async function* ({ x }, at): AsyncGenerator<Evaluation> {
      yield { kind: 'numbers', values: { x, drawn: at.random('evaluation').uniform(1)[0]! } };
      yield { kind: 'text', name: 'notes/where', extension: 'txt', content: `at ${x} after ${at.step}` };
      await Promise.resolve();
    },
  });
}

async function all<State>(task: Task<State>, options: TrainOptions): Promise<TrainEvent<State>[]> {
  const events: TrainEvent<State>[] = [];
  for await (const event of train(task, options)) events.push(event);
  return events;
}

const newFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'langevin-train-'));

describe('a run', () => {
  it('is the same to the byte wherever it is interrupted, with host numbers, growing tensors and two streams', async () => {
    await checkTask(() => walk(), { steps: 5 });
  });

  it('may hold arrays of numbers that its steps change in place and let grow, and gives back what it held beside them', async () => {
    interface Grown {
      readonly values: Float32Array;
      readonly counts: Int32Array;
      readonly bytes: Uint8Array;
    }
    let open = 0;
    let closed = 0;
    const grow = (shared: boolean): Task<Grown> =>
      defineTask<Grown>({
        name: 'grow',
        config: {},
        seed: 0,
        init: () => ({ values: Float32Array.of(1), counts: Int32Array.of(-7), bytes: new Uint8Array(0) }),
        step: ({ values, counts, bytes }, at) => {
          open = 1;
          values[0]! += at.random('first').uniform(1)[0]!;
          counts[0]! -= 1;
          const length = 4 * (at.step + 2);
          const next = new Float32Array(shared ? new SharedArrayBuffer(length) : new ArrayBuffer(length));
          next.set(values);
          return Promise.resolve({
            state: { values: next, counts, bytes: Uint8Array.of(...bytes, at.step) },
            losses: { first: values[0]! },
          });
        },
        close: () => {
          closed += open;
          open = 0;
        },
      });
    await checkTask(() => grow(false), { steps: 5 });
    const [whole, store] = [memoryStore(), memoryStore()];
    const { state } = (await all(grow(false), { store: whole, steps: 5, checkpointEvery: 2 })).at(-1) as { readonly state: Grown };
    expect([state.values.length, ...state.counts, ...state.bytes]).toEqual([6, -12, 0, 1, 2, 3, 4]);
    // What threads share is kept like any other memory.
    const before = closed;
    await all(grow(true), { store, steps: 5, checkpointEvery: 2 });
    expect(closed).toBe(before + 1);
    expect(store.files.get('checkpoints/step-00000005.safetensors')).toEqual(whole.files.get('checkpoints/step-00000005.safetensors'));
    // What a resumed run changes in place is its own.
    const kept = store.files.get('checkpoints/step-00000005.safetensors')!.slice();
    await all(grow(true), { store, steps: 6, start: 'resume' });
    expect(store.files.get('checkpoints/step-00000005.safetensors')).toEqual(kept);
    for await (const event of train(grow(true), { store, steps: 9, start: 'resume' })) if (event.kind === 'step') break;
    expect(closed).toBe(before + 3);
  });

  it('keeps numbers that JSON does not have, flags and nulls', async () => {
    const store = memoryStore();
    await all(walk(), { store, steps: 2, checkpointEvery: 1 });
    const [start, step] = await all(walk(), { store, steps: 3, start: 'resume' });
    expect(start).toMatchObject({ kind: 'start', step: 2, resumed: true });
    expect((step as { readonly state: Walk }).state.flags).toEqual({ even: false, limit: Infinity, note: null });
  });

  it('logs losses and measures, and evaluations as curves and files', async () => {
    const store = memoryStore();
    await all(walk(), { store, steps: 4, logEvery: 2, evaluateEvery: 2 });
    const log = (await readText(store, 'log.jsonl'))!
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(log.map(({ step, size, ratio, other }) => ({ step, size, ratio, other }))).toEqual([
      { step: 2, size: 3, ratio: null, other: 1 },
      { step: 4, size: 5, ratio: null, other: 1 },
    ]);
    expect(await readText(store, 'evaluations/step-00000002/notes/where.txt')).toMatch(/^at .* after 2$/u);
    expect((await readText(store, 'evaluations.jsonl'))!.trim().split('\n')).toHaveLength(2);
  });

  it('stops at a loss that is not finite, with its name, the step, the items and the last checkpoint', async () => {
    await expect(all(walk({ losses: { 4: NaN } }), { store: memoryStore(), steps: 9, checkpointEvery: 3 })).rejects.toThrow(
      '[training/train] loss is not finite: distance=NaN, step=4, items: letters [0]; digits [seven]. Last good checkpoint: none yet. Set '
        + 'aside, as its weights led here: checkpoints/step-00000003.aside. Train anew',
    );
  });

  it('goes on from weights that a later step has shown to be good', async () => {
    const store = memoryStore();
    await expect(all(walk({ losses: { 6: Infinity } }), { store, steps: 9, checkpointEvery: 2 })).rejects.toThrow(
      'distance=Infinity, step=6, items: letters [2]; digits [seven]. Last good checkpoint: memory/checkpoints/step-00000004.safetensors. '
        + 'Resume, which goes on from it, with a lower learning rate or gradient clipping; at a resume these may change: rate.',
    );
  });

  it('judges its last weights by a step that it does not keep', async () => {
    const store = memoryStore();
    await expect(all(walk({ losses: { 1: 1, 4: 2000 } }), { store, steps: 3 })).rejects.toThrow('step after the last=4');
    expect([...store.files.keys()].filter((path) => path.startsWith('checkpoints'))).toEqual(['checkpoints/step-00000003.aside']);
  });

  it('ends when a loss stays a thousand times its first, unless its task says that one step says little of another', async () => {
    const losses = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [i + 1, i === 0 ? 1e-5 : 1]));
    await expect(all(walk({ losses }), { store: memoryStore(), steps: 20 })).rejects.toThrow('loss is 1000 times that of the first step');
    const steady = { ...walk({ losses }), growth: 'ignored' } as const;
    expect((await all(steady, { store: memoryStore(), steps: 20 })).at(-1)).toMatchObject({ kind: 'done', step: 20 });
  });

  it('evaluates a run that is aborted when asked', async () => {
    const evaluated = async (onAbort?: 'end' | 'evaluate'): Promise<number> => {
      const options = { store: memoryStore(), steps: 9, signal: AbortSignal.abort(), ...(onAbort && { onAbort }) };
      return (await all(walk(), options)).filter(({ kind }) => kind === 'numbers').length;
    };
    expect([await evaluated(), await evaluated('end'), await evaluated('evaluate')]).toEqual([0, 0, 1]);
    await expect(evaluated('fly' as 'end')).rejects.toThrow('unknown onAbort: onAbort=fly. Known: end, evaluate.');
  });

  it('is not resumed on data that changed', async () => {
    const store = memoryStore();
    const on = (classes: readonly string[]): Task<Walk> => ({
      ...walk(),
      data: {
        description: { classes },
        difference: (stored) => {
          const known = (stored as { readonly classes: readonly string[] }).classes;
          return String(known) === String(classes) ? undefined : `classes were ${known.join()}, now ${classes.join()}`;
        },
      },
    });
    await all(on(['cat', 'dog']), { store, steps: 1 });
    await expect(all(on(['ant', 'cat', 'dog']), { store, steps: 2, start: 'resume' })).rejects.toThrow(
      'classes were cat,dog, now ant,cat,dog, in memory/data.json',
    );
    await all(on(['cat', 'dog']), { store, steps: 2, start: 'resume' });
  });

  it('is not begun where there is one, and not resumed with another configuration, save what may change', async () => {
    const store = memoryStore('here');
    await all(walk(), { store, steps: 2 });
    await expect(all(walk(), { store, steps: 3 })).rejects.toThrow('there is a run already: here, newest step=2');
    const other = walk({ config: { rate: 1, data: { size: 16 } } });
    await expect(all(other, { store, steps: 3, start: 'resume' })).rejects.toThrow('data.size: stored 8, given 16');
    const [start] = await all(walk({ config: { rate: 0.5, data: { size: 8 } } }), { store, steps: 3, start: 'resume' });
    expect(start).toMatchObject({ changed: [{ path: 'rate', stored: 1, given: 0.5 }] });
    expect(await readText(store, 'config.json')).toContain('"rate": 0.5');
  });

  it('goes on from the checkpoint before a damaged one when asked, and says so before', async () => {
    const store = memoryStore();
    await all(walk(), { store, steps: 4, checkpointEvery: 2 });
    const bytes = store.files.get('checkpoints/step-00000004.safetensors')!;
    await store.write('checkpoints/step-00000004.safetensors', [bytes.subarray(0, bytes.length - 9)]);
    await expect(all(walk(), { store, steps: 5, start: 'resume' })).rejects.toThrow('To resume from step 2, ask for the checkpoint before');
    const events = await all(walk(), { store, steps: 5, start: 'previous' });
    expect(events[0]).toMatchObject({ kind: 'start', step: 2, resumed: true });
    expect([...store.files.keys()]).toContain('checkpoints/step-00000004.aside');
  });

  it('refuses the checkpoint of another task', async () => {
    const store = memoryStore();
    await all(walk(), { store, steps: 1 });
    const other = defineTask({
      ...walk(),
      init: () => ({ y: 1 }),
      step: (state: { readonly y: number }) => Promise.resolve({ state, losses: { y: 1 } }),
      evaluate: async function* () {},
    });
    await expect(all(other, { store, steps: 2, start: 'resume' })).rejects.toThrow('checkpoint is of another task');
  });

  it('writes a checkpoint when it is aborted', async () => {
    const store = memoryStore();
    const abort = new AbortController();
    for await (const event of train(walk(), { store, steps: 100, signal: abort.signal })) {
      if (event.kind === 'step' && event.step === 3) abort.abort();
      if (event.kind === 'done')
        expect(event).toMatchObject({ step: 3, reason: 'aborted', checkpoint: 'checkpoints/step-00000003.safetensors' });
    }
    expect([...store.files.keys()]).toContain('checkpoints/step-00000003.safetensors');
  });

  it.each([
    [{ steps: 0 }, 'steps=0'],
    [{ steps: 1.5 }, 'steps=1.5'],
    [{ steps: 3, checkpointEvery: -1 }, 'checkpointEvery=-1'],
    [{ steps: 3, milestone: 0 }, 'milestone=0'],
  ])('refuses %o', async (options, says) => {
    await expect(all(walk(), { store: memoryStore(), ...options })).rejects.toThrow(says);
  });

  it('refuses artifacts whose names lead out of their folder', async () => {
    const task = defineTask<Walk>({
      ...walk(),
      evaluate: async function* () {
        await Promise.resolve();
        yield { kind: 'text', name: '../../escaped', extension: 'txt', content: '' };
      },
    });
    await expect(all(task, { store: memoryStore(), steps: 1 })).rejects.toThrow("a name that is no file's");
  });
});

describe('a folder', () => {
  it('holds the same bytes as memory, keeps two checkpoints, and lets one run in at a time', async () => {
    const folder = await newFolder();
    const memory = memoryStore();
    await all(walk(), { store: memory, steps: 7, checkpointEvery: 2 });
    const store = folderStore(folder);
    for await (const event of train(walk(), { store, steps: 7, checkpointEvery: 2 })) {
      if (event.kind === 'step' && event.step === 1) {
        await expect(all(walk(), { store: folderStore(folder), steps: 9, start: 'resume' })).rejects.toThrow(folder);
      }
    }
    expect((await readdir(join(folder, 'checkpoints'))).sort()).toEqual(['step-00000006.safetensors', 'step-00000007.safetensors']);
    for (const path of ['config.json', 'log.jsonl', 'checkpoints/step-00000007.safetensors', 'evaluations/step-00000007/notes/where.txt']) {
      expect(new Uint8Array(await readFile(join(folder, path)))).toEqual(memory.files.get(path));
    }
    expect(await readdir(folder)).not.toContain('.lock-1');
  });

  it('is cleaned of what a killed process left half-written, wherever that is', async () => {
    const folder = await newFolder();
    const places = ['.', 'checkpoints', 'evaluations/step-00000002/held-out'].map((name) => join(folder, name));
    for (const place of places) {
      await mkdir(place, { recursive: true });
      await writeFile(join(place, '.langevin-00000000-0000-4000-8000-000000000000.tmp'), 'half');
      await writeFile(join(place, 'mine.tmp'), 'whole');
    }
    const lock = await folderStore(folder).lock();
    await lock.release();
    for (const place of places) expect((await readdir(place)).filter((name) => name.endsWith('.tmp'))).toEqual(['mine.tmp']);
  });

  it('that is a file, or has no name, is refused', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'file'), 'x');
    await expect(all(walk(), { store: folderStore(join(folder, 'file')), steps: 1 })).rejects.toThrow(join(folder, 'file'));
    expect(() => folderStore(' ')).toThrow('Give a path');
  });
});
