// Gradient accumulation: the parts of a batch, one after another, make the update that the whole batch would have made.
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { adam, constantSchedule, dropout, linear, mseLoss, type Mode, type ParamsOf } from '@langevin/nn';
import { float32Data, setDefaultEngine, tensor, torchGenerator, type Tensor } from '@langevin/tensor';
import { defineTask, learnerRule, learnerStep } from '@langevin/training';
import { checkTask } from '@langevin/training/testing';

setDefaultEngine(await onnxruntimeEngine());

const layer = linear({ inputs: 8, outputs: 4 });
type Params = ParamsOf<typeof layer>;
interface Batch {
  readonly x: Tensor;
  readonly y: Tensor;
}
const batchOf = (seed: number, from: number, count: number): Batch => {
  const numbers = torchGenerator(seed).normal(12 * 64);
  return {
    x: tensor(numbers.slice(8 * from, 8 * (from + count)), { shape: [count, 8] }),
    y: tensor(numbers.slice(512 + 4 * from, 512 + 4 * (from + count)), { shape: [count, 4] }),
  };
};

const rule = learnerRule({ optimizer: adam(), learningRate: constantSchedule(0.01), clipNorm: 1 });
const step = learnerStep({
  rule,
  seed: 0,
  loss: (params: Params, { batch }: { readonly batch: Batch }) => ({ loss: mseLoss(layer.apply(params, batch.x), batch.y) }),
});
const fresh = () => rule.init(layer.init(torchGenerator(3)));
const whole = await step(fresh(), [batchOf(1, 0, 32)], { step: 0 });
const parts = await step(
  fresh(),
  [0, 8, 16, 24].map((from) => batchOf(1, from, 8)),
  { step: 0 },
);
const [a, b] = [await float32Data(whole.learner.params.weight), await float32Data(parts.learner.params.weight)];
const apart = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
console.log(`losses ${whole.losses['loss']!.toFixed(5)} and ${parts.losses['loss']!.toFixed(5)}`);
console.log(`after the update weights are ${apart < 1e-6 ? 'less than 1e-6' : apart} apart`);

/** Layers that are random draw anew in each part, the same in a resumed run. */
function task() {
  const random = learnerStep({
    rule,
    seed: 0,
    loss: (params: Params, { batch, mode }: { readonly batch: Batch; readonly mode: Mode }) => ({
      loss: mseLoss(dropout(0.3).apply({}, layer.apply(params, batch.x), mode), batch.y),
    }),
  });
  return defineTask({
    name: 'accumulate',
    config: { parts: 4 },
    seed: 0,
    init: () => ({ net: fresh() }),
    step: async ({ net }: { readonly net: ReturnType<typeof fresh> }, at) => {
      const batches = [0, 8, 16, 24].map((from) => batchOf(at.step, from, 8));
      const { learner, losses } = await random(net, batches, at);
      return { state: { net: learner }, losses };
    },
  });
}
await checkTask(task, { steps: 4 });
console.log('a run that is interrupted anywhere and resumed ends with the same bytes');
