// A small GAN: two learners in one state, the discriminator updated at each step, the generator at every second one.
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { adam, constantDecay, constantSchedule, linear, type AdamState, type ParamsOf } from '@langevin/nn';
import { add, float32Data, mean, mul, neg, setDefaultEngine, silu, softplus, tensor, torchGenerator, type Tensor } from '@langevin/tensor';
import { defineTask, learnerRule, learnerStep, memoryStore, train, type Learner, type NoBuffers } from '@langevin/training';
import { checkTask } from '@langevin/training/testing';

setDefaultEngine(await onnxruntimeEngine());

const BATCH = 128;
const hidden = linear({ inputs: 1, outputs: 32 });
const out = linear({ inputs: 32, outputs: 1 });
interface Params {
  readonly hidden: ParamsOf<typeof hidden>;
  readonly out: ParamsOf<typeof out>;
}
const init = (seed: number): Params => {
  const random = torchGenerator(seed);
  return { hidden: hidden.init(random), out: out.init(random) };
};
const apply = (params: Params, x: Tensor): Tensor => out.apply(params.out, silu(hidden.apply(params.hidden, x)));
const generate = (params: Params, z: Tensor): Tensor => add(apply(params, z), z);

interface State {
  readonly generator: Learner<Params, AdamState, NoBuffers>;
  readonly discriminator: Learner<Params, AdamState, NoBuffers>;
}

/** Real numbers are N(3, 0.5^2). Everything a step draws is a function of its place in the run. */
function gan() {
  const optimizer = adam({ beta1: 0.5 });
  const generatorRule = learnerRule({
    optimizer,
    learningRate: constantSchedule(2e-3),
    averages: { ema: constantDecay(0.99) },
    every: 2,
  });
  const discriminatorRule = learnerRule({ optimizer, learningRate: constantSchedule(4e-3) });
  // The other network is part of the batch: it is looked at and not changed. Losses: Goodfellow et al. 2014, the non-saturating form.
  const updateGenerator = learnerStep({
    rule: generatorRule,
    seed: 1,
    loss: (params: Params, { batch }: { readonly batch: { readonly z: Tensor; readonly other: Params } }) => ({
      loss: mean(softplus(neg(apply(batch.other, generate(params, batch.z))))),
    }),
  });
  const updateDiscriminator = learnerStep({
    rule: discriminatorRule,
    seed: 1,
    loss: (params: Params, { batch }: { readonly batch: { readonly z: Tensor; readonly real: Tensor; readonly other: Params } }) => ({
      loss: add(mean(softplus(neg(apply(params, batch.real)))), mean(softplus(apply(params, generate(batch.other, batch.z))))),
    }),
  });
  return defineTask<State>({
    name: 'gan',
    config: { batch: BATCH },
    seed: 1,
    init: () => ({ generator: generatorRule.init(init(1)), discriminator: discriminatorRule.init(init(2)) }),
    step: async ({ generator, discriminator }, at) => {
      const draw = (purpose: string): Tensor => tensor(at.random(purpose).normal(BATCH), { shape: [BATCH, 1] });
      const real = add(mul(draw('real'), 0.5), 3);
      const d = await updateDiscriminator(discriminator, [{ z: draw('z of the discriminator'), real, other: generator.params }], at);
      const losses = { discriminator: d.losses['loss']! };
      if (!generatorRule.updatesAt(at.step)) return { state: { generator, discriminator: d.learner }, losses };
      const g = await updateGenerator(generator, [{ z: draw('z of the generator'), other: d.learner.params }], at);
      return { state: { generator: g.learner, discriminator: d.learner }, losses: { ...losses, generator: g.losses['loss']! } };
    },
  });
}

for await (const event of train(gan(), { store: memoryStore(), steps: 1500 })) {
  if (event.kind !== 'done') continue;
  const z = tensor(torchGenerator(9).normal(4000), { shape: [4000, 1] });
  const samples = await float32Data(generate(event.state.generator.averages['ema']!, z));
  const centre = samples.reduce((sum, x) => sum + x, 0) / samples.length;
  const spread = Math.sqrt(samples.reduce((sum, x) => sum + (x - centre) ** 2, 0) / samples.length);
  console.log(`the generator makes numbers around ${centre.toFixed(1)} of deviation ${spread.toFixed(1)}; real ones: 3.0 and 0.5`);
}
await checkTask(gan, { steps: 4 });
console.log('a run that is interrupted anywhere and resumed ends with the same bytes');
