// A LoRA: a frozen network is an argument of the task, and all that is trained, saved and resumed is a low-rank change of its weights.
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { adam, constantSchedule, mseLoss, type AdamState } from '@langevin/nn';
import { add, float32Data, matmul, mul, setDefaultEngine, tensor, torchGenerator, zeros, type Tensor } from '@langevin/tensor';
import { defineTask, learnerRule, learnerStep, memoryStore, train, type Learner, type NoBuffers } from '@langevin/training';
import { checkTask } from '@langevin/training/testing';

setDefaultEngine(await onnxruntimeEngine());

const SIZE = 16;
const RANK = 2;
const normal = (seed: number, ...shape: number[]): Tensor =>
  tensor(torchGenerator(seed).normal(shape.reduce((product, n) => product * n, 1)), { shape });

/** The frozen weights, and those that the adapted network should have: a change of rank 2 away. */
const base = await float32Data(normal(0, SIZE, SIZE));
const frozen = (): Tensor => tensor(base, { shape: [SIZE, SIZE] });
const wanted = await float32Data(add(frozen(), matmul(mul(normal(1, SIZE, RANK), 0.5), normal(2, RANK, SIZE))));

interface Adapter {
  readonly down: Tensor;
  readonly up: Tensor;
}

function lora() {
  const rule = learnerRule({ optimizer: adam(), learningRate: constantSchedule(0.02) });
  const step = learnerStep({
    rule,
    seed: 5,
    loss: (adapter: Adapter, { batch }: { readonly batch: { readonly x: Tensor; readonly y: Tensor; readonly weight: Tensor } }) => ({
      loss: mseLoss(matmul(batch.x, add(batch.weight, matmul(adapter.up, adapter.down))), batch.y),
    }),
  });
  return defineTask<{ readonly adapter: Learner<Adapter, AdamState, NoBuffers> }>({
    name: 'lora',
    config: { rank: RANK },
    seed: 5,
    // One factor starts at zero, so that the adapted network begins as the frozen one.
    init: () => ({ adapter: rule.init({ down: mul(normal(6, RANK, SIZE), 0.3), up: zeros([SIZE, RANK]) }) }),
    step: async ({ adapter }, at) => {
      const x = tensor(at.random('x').normal(64 * SIZE), { shape: [64, SIZE] });
      const y = matmul(x, tensor(wanted, { shape: [SIZE, SIZE] }));
      const { learner, losses, gradientNorm } = await step(adapter, [{ x, y, weight: frozen() }], at);
      return { state: { adapter: learner }, losses, norms: { gradNorm: gradientNorm } };
    },
  });
}

const store = memoryStore();
let first = 0;
let last = 0;
for await (const event of train(lora(), { store, steps: 600 })) {
  if (event.kind !== 'step') continue;
  last = event.losses['loss']!;
  if (event.step === 1) first = last;
}
const bytes = store.files.get('checkpoints/step-00000600.safetensors')!.length;
console.log(`loss ${first.toFixed(1)} -> ${last < 1e-3 ? 'below 0.001' : last.toFixed(3)}`);
console.log(`a checkpoint has ${bytes} bytes, the frozen weights ${4 * SIZE * SIZE} that are in none of them`);
await checkTask(lora, { steps: 4 });
console.log('a run that is interrupted anywhere and resumed ends with the same bytes');
