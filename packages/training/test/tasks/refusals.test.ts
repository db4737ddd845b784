import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesSource, checksumOf, encodeSafetensors } from '@langevin/io';
import { UserError } from '@langevin/tensor';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { folderStore } from '../../src/node/folder-store.ts';
import { describedData } from '../../src/run-config.ts';
import { decodeState, encodeState } from '../../src/state-file.ts';
import { memoryStore } from '../../src/store.ts';
import { defineTask, type Task } from '../../src/task.ts';
import { train, type TrainOptions } from '../../src/train.ts';

type State = { readonly x: number };

/** A task that is right, but for what is given: what comes from outside is of no type. */
function taskWith(given: Readonly<Record<string, unknown>> = {}): Task<State> {
  const task: Task<State> = {
    name: 'halve',
    config: {},
    seed: 0,
    mayChange: ['rate'],
    data: describedData({ a: 1 }),
    init: () => ({ x: 8 }),
    step: ({ x }) => Promise.resolve({ state: { x: x / 2 }, losses: { distance: x } }),
  };
  return defineTask({ ...task, ...given } as Task<State>);
}

async function run(task: Task<State>, options: Partial<TrainOptions> = {}): Promise<void> {
  for await (const _ of train(task, { store: memoryStore(), steps: 2, logEvery: 1, ...options })) continue;
}

const circle: Record<string, unknown> = {};
circle['circle'] = circle;

describe('a task from outside', () => {
  it.each([
    [{ config: undefined }, 'config=undefined'],
    [{ config: circle }, 'config=an object'],
    [{ config: { a: 1n } }, 'config=an object'],
    [{ mayChange: 'rate' }, 'mayChange="rate"'],
    [{ data: 5 }, 'data=5'],
    [{ data: { description: {} } }, 'data=an object'],
    [{ data: { description: circle, difference: () => undefined } }, 'data.description=an object'],
    [{ evaluate: 5 }, 'evaluate=5'],
    [{ init: () => undefined }, 'init=undefined'],
  ])('%# is refused before anything is kept', async (given, what) => {
    const store = memoryStore();
    const failed = run(taskWith(given), { store });
    await expect(failed).rejects.toBeInstanceOf(UserError);
    await expect(failed).rejects.toThrow(what);
    expect([...store.files.keys()]).toEqual([]);
  });

  it.each([
    [{ losses: { step: 1 } }, 'step is the name of the number of the step'],
    [{ losses: { a: 1 }, norms: { a: 2 } }, 'a is the name of two numbers'],
    [{ losses: { a: 1 }, items: { data: 5 } }, 'items of data=5'],
  ])('whose step gives %j is refused: a line of the log would say something else', async (result, what) => {
    const store = memoryStore();
    await expect(run(taskWith({ step: () => Promise.resolve({ state: { x: 1 }, ...result }) }), { store })).rejects.toThrow(what);
    expect(store.files.get('log.jsonl')?.length).toBe(0);
  });

  it.each([
    [undefined, 'result=undefined'],
    [[1], 'result=a list'],
    [{ kind: 'numbers' }, 'values=undefined'],
    [{ kind: 'numbers', values: { a: '1' } }, 'a="1" is no number'],
    [{ kind: 'numbers', values: { step: 9 } }, 'step is the name'],
    [{ kind: 'sound', name: 'a', extension: 'txt', content: '' }, 'kind="sound"'],
    [{ kind: 'text', name: 'a', extension: 'txt', content: 5 }, 'content=5'],
    [{ kind: 'text', extension: 'txt', content: '' }, 'name=undefined'],
    [{ kind: 'text', name: 'a'.repeat(300), extension: 'txt', content: '' }, "no file's"],
  ])('whose evaluation gives %j is refused, and its checkpoint stays', async (result, what) => {
    const store = memoryStore();
    const evaluate = async function* () {
      yield result;
    };
    await expect(run(taskWith({ evaluate }), { store })).rejects.toThrow(what);
    expect([...store.files.keys()].filter((path) => path.startsWith('evaluations/'))).toEqual([]);
    expect(store.files.has('checkpoints/step-00000002.safetensors')).toBe(true);
  });

  it('whose evaluation is none, or gives two files of one name, is refused', async () => {
    await expect(run(taskWith({ evaluate: () => 5 }))).rejects.toThrow('evaluation=5');
    const evaluate = async function* () {
      yield { kind: 'text', name: 'a', extension: 'txt', content: '1' };
      yield { kind: 'text', name: 'a', extension: 'txt', content: '2' };
    };
    await expect(run(taskWith({ evaluate }))).rejects.toThrow('two artifacts of an evaluation have one name');
  });

  it('is not begun with half a store, or with what is no signal', async () => {
    const { list: _, ...half } = memoryStore();
    await expect(run(taskWith(), { store: half as never })).rejects.toThrow('missing=list');
    await expect(run(taskWith(), { signal: 5 as never })).rejects.toThrow('signal=5');
  });
});

describe('a state', () => {
  it('with a gap in a list is not saved', async () => {
    await expect(encodeState({ list: [, 1] }, { step: 1, streams: {} })).rejects.toThrow('list.0=undefined');
  });

  it('that names a tensor twice is not read: a small file would become a large state', async () => {
    const entries = new Map([['w', { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) } as const]]);
    const [point, structure] = ['{"step":1,"streams":{}}', '{"l":[{"a":"w"},{"a":"w"}]}'];
    const metadata = { format: 'langevin-state-1', point, structure, checksum: checksumOf([point, structure], entries) };
    const bytes = encodeSafetensors(entries, { metadata });
    await expect(decodeState(bytesSource(bytes, 'twice'))).rejects.toThrow('tensor "w" is in it twice');
  });
});

describe('a damaged folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'langevin-refusals-'));
    await run(taskWith(), { store: folderStore(folder) });
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const resume = (task = taskWith()): Promise<void> => run(task, { store: folderStore(folder), steps: 4, start: 'resume' });

  it.each([
    ['config.json', '[]', 'config: stored [], given {}'],
    ['config.json', `{"a":${'['.repeat(1e5)}${']'.repeat(1e5)}}`, 'a: stored a list, given nothing'],
    ['data.json', `${'['.repeat(1e5)}${']'.repeat(1e5)}`, 'stored a list'],
  ])('%s is told in words, however deep it is', async (file, text, what) => {
    await writeFile(join(folder, file), text);
    const failed = resume();
    await expect(failed).rejects.toBeInstanceOf(UserError);
    await expect(failed).rejects.toThrow(what);
  });

  it('whose log cannot be read keeps the configuration that it had', async () => {
    const before = await readFile(join(folder, 'config.json'), 'utf8');
    await truncate(join(folder, 'log.jsonl'), 6e9);
    await expect(resume(taskWith({ config: { rate: 2 } }))).rejects.toThrow('log.jsonl, size=6000000000 bytes');
    expect(await readFile(join(folder, 'config.json'), 'utf8')).toBe(before);
  });

  it('loses the lines of its log that are none', async () => {
    await writeFile(join(folder, 'log.jsonl'), '{"step":1,"distance":"x"}\n{"step":2,"distance":4}\n{"step":1,"a":[[]]}\nnull\n');
    await resume();
    const lines = (await readFile(join(folder, 'log.jsonl'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { readonly step: number }).step)).toEqual([2, 3, 4]);
  });

  it('is free again after a start that failed while it was being looked through', async () => {
    await writeFile(join(folder, 'evaluations'), '');
    await expect(resume()).rejects.toThrow('ENOTDIR');
    await rm(join(folder, 'evaluations'));
    await resume();
  });
});
