import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { bytesSource, decodeSafetensors } from '@langevin/io';
import { constantSchedule, sgd } from '@langevin/nn';
import { mean, setDefaultEngine, square, sub, tensor, UserError, type Tensor } from '@langevin/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { learnerRule } from '../../src/learner.ts';
import { learnerStep } from '../../src/learner-step.ts';
import { decodeState, encodeState } from '../../src/state-file.ts';
import { memoryStore } from '../../src/store.ts';
import { defineTask, type StepResult, type Task } from '../../src/task.ts';
import { train, type TrainOptions } from '../../src/train.ts';

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu' })));

const point = { step: 3, streams: { letters: { epoch: 1, index: 2 } } };

async function bytesOf(state: unknown, at = point): Promise<Uint8Array> {
  const store = memoryStore();
  await store.write('state', await encodeState(state, at));
  return store.files.get('state')!;
}

describe('the file of a state', () => {
  const state = {
    w: tensor([1, 2, 3]),
    bytes: tensor([7], { dtype: 'uint8' }),
    means: Float32Array.of(4, 5),
    rate: 0.125,
    list: [{ n: -0 }],
    note: 'x',
  };

  it('is refused when any one of its bits is another one', async () => {
    const bytes = await bytesOf(state);
    expect((await decodeState(bytesSource(bytes, 'whole'))).point).toEqual(point);
    for (let i = 0; i < bytes.length; i++) {
      const damaged = bytes.slice();
      damaged[i]! ^= 1 << (i % 8);
      await expect(decodeState(bytesSource(damaged, 'damaged')), `byte ${i}`).rejects.toBeInstanceOf(UserError);
    }
  });

  it('is refused when its end is missing', async () => {
    const bytes = await bytesOf(state);
    for (const end of [0, 4, 8, 100, bytes.length - 1]) {
      await expect(decodeState(bytesSource(bytes.slice(0, end), 'cut'))).rejects.toBeInstanceOf(UserError);
    }
  });

  it('keeps keys that objects have by nature, and the file is a plain safetensors', async () => {
    const odd = { ...(JSON.parse('{"__proto__":{"constructor":1}}') as object), toString: tensor([1]) };
    const bytes = await bytesOf(odd);
    const { state: back } = await decodeState<typeof odd>(bytesSource(bytes, 'odd'), odd);
    expect(Object.keys(back)).toEqual(['__proto__', 'toString']);
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect([...decodeSafetensors(bytes).tensors.keys()]).toEqual(['toString']);
  });

  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;

  it.each([
    ['nested deeper than it is read', nested(65)],
    ['deeper than the stack', Array.from({ length: 50_000 }).reduce<unknown>((inner) => [inner], 1)],
    ['a circle', circle],
    ['a date', { at: new Date(0) }],
    ['a function', { at: () => 1 }],
    ['a bigint', { at: 1n }],
    ['nothing', { at: undefined }],
    ['an object without a prototype of its own', { at: Object.create({ constructor: undefined }) as unknown }],
    ['a tensor alone', tensor([1])],
    ['a tensor under the name of the metadata', { __metadata__: tensor([1]) }],
    ['a float16 that is not finite', { w: tensor(Uint16Array.of(0x7c00), { dtype: 'float16' }) }],
    ['an array of numbers that has one that is none', { w: Float32Array.of(1, NaN) }],
    ['an array of numbers alone', Float32Array.of(1)],
    ['an array of numbers that tensors do not have', { w: Float64Array.of(1) }],
    ['a bfloat16 that is not a number', { w: tensor(Uint16Array.of(0xffc0), { dtype: 'bfloat16' }) }],
  ])('is not written of %s, as it could not be gone on from', async (_, wrong) => {
    await expect(encodeState(wrong, point)).rejects.toBeInstanceOf(UserError);
  });

  it('is written of a state that is as deep as it is read', async () => {
    const { state: back } = await decodeState(bytesSource(await bytesOf(nested(64)), 'deep'));
    expect(back).toEqual(nested(64));
  });

  it('is not written of a place that is none', async () => {
    await expect(encodeState({}, { step: 1, streams: { a: { epoch: 0, index: Number.NaN } } })).rejects.toThrow('streams.a.index');
  });
});

describe('a run', () => {
  const task = (result: unknown): Task<unknown> =>
    defineTask<unknown>({
      name: 'odd',
      config: {},
      seed: 0,
      init: () => ({ x: 1 }),
      step: () => Promise.resolve(result as StepResult<unknown>),
    });
  const all = async (given: Task<unknown>, options: TrainOptions): Promise<number> => {
    let events = 0;
    for await (const _ of train(given, options)) events += 1;
    return events;
  };
  const good = { state: { x: 1 }, losses: { loss: 1 } };

  it.each([
    [undefined, 'result=undefined'],
    [[], 'result='],
    [{ losses: { loss: 1 } }, 'state=undefined'],
    [{ state: 1 }, 'losses=undefined'],
    [{ state: 1, losses: {} }, 'losses has no entry'],
    [{ state: 1, losses: { loss: '1' } }, 'loss="1" is no number'],
    [{ ...good, measures: { rate: null } }, 'rate=null is no number'],
    [{ ...good, norms: 3 }, 'norms=3'],
    [{ ...good, streams: { a: null } }, 'stream a=null'],
    [{ ...good, streams: { a: { epoch: 0, index: Number.NaN } } }, 'stream a='],
    [{ ...good, streams: { a: { epoch: -1, index: 0 } } }, 'stream a='],
  ])('whose step gives %j ends with what is wrong in it, and keeps nothing of it', async (result, what) => {
    const store = memoryStore();
    await expect(all(task(result), { store, steps: 2 })).rejects.toThrow(what);
    expect([...store.files.keys()].filter((path) => path.startsWith('checkpoints/'))).toEqual([]);
  });

  it('has its store in memory for itself until it ends, also by a break or an error', async () => {
    const store = memoryStore('shared');
    const first = train(task(good), { store, steps: 3 });
    await first.next();
    await expect(all(task(good), { store, steps: 3, start: 'resume' })).rejects.toThrow('another run is writing here: store=shared');
    await first.return();
    await expect(all(task(undefined), { store, steps: 3, start: 'resume' })).rejects.toThrow('no result');
    expect(await all(task(good), { store, steps: 3, start: 'resume' })).toBeGreaterThan(3);
  });
});

describe('a step of a learner', () => {
  const rule = learnerRule({ optimizer: sgd(), learningRate: constantSchedule(0.5) });
  type Given = { readonly batch: { readonly x: Tensor } };

  it('refuses parts of a batch that are not equal, as their mean is not that of the whole', async () => {
    const loss = ({ w }: { readonly w: Tensor }, { batch }: Given) => ({ loss: mean(square(sub(w, batch.x))) });
    const step = learnerStep({ rule, seed: 0, loss });
    const parts = [{ x: tensor([1, 2]) }, { x: tensor([3]) }];
    await expect(step(rule.init({ w: tensor([0]) }), parts, { step: 0 })).rejects.toThrow('part 0 has x [2], part 1 has x [1]');
  });

  it('refuses a part of the loss that would hide the loss', async () => {
    const loss = ({ w }: { readonly w: Tensor }, { batch }: Given) => ({ loss: mean(square(sub(w, batch.x))), parts: { loss: mean(w) } });
    const step = learnerStep({ rule, seed: 0, loss });
    await expect(step(rule.init({ w: tensor([0]) }), [{ x: tensor([1]) }], { step: 0 })).rejects.toThrow('part=loss');
  });
});
