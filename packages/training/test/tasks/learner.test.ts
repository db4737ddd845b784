import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { adam, adamW, constantDecay, constantSchedule, dropout, sgd, type AdamState, type Mode } from '@langevin/nn';
import {
  add,
  counterGenerator,
  matmul,
  maximum,
  mean,
  mul,
  numbers,
  setDefaultEngine,
  square,
  sub,
  tensor,
  type Tensor,
} from '@langevin/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { learnerRule, type Learner, type NoBuffers } from '../../src/learner.ts';
import { learnerStep } from '../../src/learner-step.ts';
import { defineTask, type Task } from '../../src/task.ts';
import { checkTask } from '../../src/testing/check-task.ts';

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu' })));

interface Params {
  readonly w: Tensor;
  readonly b: Tensor;
}

const fresh = (): Params => ({ w: tensor([0.5, -1, 2, 0.25], { shape: [2, 2] }), b: tensor([0, 1]) });
const forward = (params: Params, x: Tensor, mode: Mode): Tensor => dropout(0.5).apply({}, add(matmul(x, params.w), params.b), mode);
const drawn = (step: number, rows: number): Tensor =>
  tensor(counterGenerator({ seed: 5, stream: [step] }).normal(rows * 2), { shape: [rows, 2] });

describe('a step of a learner', () => {
  const without = (params: Params, { batch }: { readonly batch: { readonly x: Tensor } }) => ({
    loss: mean(square(add(matmul(batch.x, params.w), params.b))),
  });

  it('over equal parts of a batch moves as over the whole', async () => {
    const rule = learnerRule({
      optimizer: adamW(),
      learningRate: constantSchedule(0.1),
      clipNorm: 0.5,
      averages: { ema: constantDecay(0.5) },
    });
    const step = learnerStep({ rule, loss: without, seed: 0 });
    const x = [0.3, -1, 2, 0.7, 1.5, -0.2, 0.9, 1.1, -0.4, 0.6, 1.3, -2];
    const whole = await step(rule.init(fresh()), [{ x: tensor(x, { shape: [6, 2] }) }], { step: 0 });
    const parts = [0, 4, 8].map((from) => ({ x: tensor(x.slice(from, from + 4), { shape: [2, 2] }) }));
    const accumulated = await step(rule.init(fresh()), parts, { step: 0 });
    expect(accumulated.losses['loss']).toBeCloseTo(whole.losses['loss']!, 6);
    expect(accumulated.gradientNorm).toBeCloseTo(whole.gradientNorm, 5);
    for (const pick of [
      (l: Learner<Params, unknown, unknown>) => l.params.w,
      (l: Learner<Params, unknown, unknown>) => l.averages['ema']!.b,
    ]) {
      const [a, b] = [await numbers(pick(accumulated.learner)), await numbers(pick(whole.learner))];
      a.forEach((value, i) => expect(value).toBeCloseTo(b[i]!, 5));
    }
  });

  it('projects after the update, and the averages see the projection', async () => {
    const zero = (parameter: Tensor, name: string): Tensor => (name === 'w' ? maximum(mul(parameter, 0), 0) : parameter);
    const rule = learnerRule({
      optimizer: sgd(),
      learningRate: constantSchedule(0.1),
      project: zero,
      averages: { ema: constantDecay(0.75) },
    });
    const { learner } = await learnerStep({ rule, loss: without, seed: 0 })(rule.init(fresh()), [{ x: drawn(0, 2) }], { step: 0 });
    expect(await numbers(learner.params.w)).toEqual([0, 0, 0, 0]);
    expect(await numbers(learner.averages['ema']!.w)).toEqual([0.375, -0.75, 1.5, 0.1875]);
  });

  it('has an update period, and the averages count updates', () => {
    const rule = learnerRule({ optimizer: sgd(), learningRate: constantSchedule(1), every: 3, averages: { ema: constantDecay(0.9) } });
    expect([0, 1, 2, 3, 4].map((step) => rule.updatesAt(step))).toEqual([true, false, false, true, false]);
    expect(() => learnerRule({ optimizer: sgd(), learningRate: constantSchedule(1), every: 0 })).toThrow('every=0');
  });

  it('keeps buffers that the loss returns, one part after another', async () => {
    const rule = learnerRule({ optimizer: sgd(), learningRate: constantSchedule(0) });
    const step = learnerStep({
      rule,
      seed: 0,
      loss: (
        params: Params,
        { batch, buffers }: { readonly batch: { readonly x: Tensor }; readonly buffers: { readonly running: Tensor } },
      ) => ({
        loss: mean(square(sub(params.b, batch.x))),
        parts: { mean: mean(batch.x) },
        buffers: { running: add(mul(buffers.running, 0.5), mul(mean(batch.x), 0.5)) },
      }),
    });
    const batches = [2, 4].map((value) => ({ x: tensor([value, value], { shape: [1, 2] }) }));
    const { learner, losses } = await step(rule.init(fresh(), { running: tensor([0]) }), batches, { step: 0 });
    expect(await numbers(learner.buffers.running)).toEqual([2.5]);
    expect(losses['mean']).toBe(3);
  });
});

/** Dropout, batches of two shapes by turns, parts to accumulate. */
function dropoutTask(parts: number): Task<{ readonly net: Learner<Params, AdamState, NoBuffers> }> {
  const rule = learnerRule({ optimizer: adam(), learningRate: constantSchedule(0.01), averages: { ema: constantDecay(0.9) } });
  const step = learnerStep({
    rule,
    seed: 7,
    loss: (params: Params, { batch, mode }: { readonly batch: { readonly x: Tensor }; readonly mode: Mode }) => ({
      loss: mean(square(forward(params, forward(params, batch.x, mode), mode))),
    }),
  });
  return defineTask({
    name: 'dropout',
    config: { parts },
    seed: 7,
    init: () => ({ net: rule.init(fresh()) }),
    step: async ({ net }, at) => {
      const rows = at.step % 2 === 0 ? 3 : 5;
      const batches = Array.from({ length: parts }, (_, part) => ({ x: drawn(10 * at.step + part, rows) }));
      const { learner, losses, gradientNorm } = await step(net, batches, at);
      return { state: { net: learner }, losses, measures: { gradientNorm } };
    },
  });
}

describe('a run with dropout over batches of two shapes', () => {
  it.each([1, 2])('resumes to the same bytes, with %d parts a step', async (parts) => {
    await checkTask(() => dropoutTask(parts), { steps: 6 });
  });
});
