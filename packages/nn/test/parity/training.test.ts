import { adam, adamW, fromStateDict, rAdam, sgd, type Optimizer } from '@langevin/nn';
import { compile, item, namedTensors, numbers, torchGenerator, valueAndGrad, type Tensor } from '@langevin/tensor';
import { describe, expect, it } from 'vitest';
import { onCpu } from '../engine.ts';
import { elementsOf, readGolden, tensorFrom, tensorsFrom, worstDifference, type GoldenTensor, type GoldenTensors } from './golden.ts';
import { smallUnet, smallUnetLoss, type SmallUnetParams } from './small-unet.ts';

onCpu();

interface Run {
  readonly learningRate: number;
  readonly losses: readonly number[];
  readonly params: GoldenTensors;
}

const golden = readGolden<{
  readonly batch: Record<'x' | 't' | 'y', GoldenTensor>;
  readonly start: GoldenTensors;
  readonly runs: Readonly<Record<string, Run>>;
}>('training');

/** A compiled training step, with parameters and state donated, as a training loop has it. */
async function train<State>(
  optimizer: Optimizer<State>,
  { learningRate, losses }: Run,
): Promise<{ losses: number[]; params: SmallUnetParams }> {
  const step = compile(
    (params: SmallUnetParams, state: State, lr: Tensor, x: Tensor, t: Tensor, y: Tensor) => {
      const { value, grad } = valueAndGrad(smallUnetLoss)(params, x, t, y);
      return { loss: value, ...optimizer.update(grad, state, { params, learningRate: lr }) };
    },
    { donate: [0, 1] },
  ) as unknown as (
    params: SmallUnetParams,
    state: State,
    lr: number,
    ...batch: readonly Tensor[]
  ) => Promise<{ loss: Tensor; params: SmallUnetParams; state: State }>;
  const { x, t, y } = golden.batch;
  const batch = [x, t, y].map(tensorFrom);
  let params = fromStateDict(smallUnet.init(torchGenerator(0)), new Map(Object.entries(tensorsFrom(golden.start))));
  let state = optimizer.init(params);
  const seen: number[] = [];
  for (const _ of losses) {
    const result = await step(params, state, learningRate, ...batch);
    ({ params, state } = result);
    seen.push(await item(result.loss));
  }
  return { losses: seen, params };
}

// tooling/parity/nn_golden.py trains the same network; PyTorch's own float32 and float64 runs differ by 1e-6 to 1e-5.
const optimizers = {
  adam: adam(),
  adamW: adamW({ beta2: 0.99, weightDecay: 0.1 }),
  rAdam: rAdam(),
  sgd: sgd({ momentum: 0.9 }),
  sgdNesterov: sgd({ momentum: 0.9, variant: 'nesterov', weightDecay: 0.01 }),
} as unknown as Readonly<Record<string, Optimizer<unknown>>>;

// About 1.5 s each on an idle core; the limit is for busy machines.
describe('20 steps of a small U-Net agree with PyTorch', { timeout: 60_000 }, () => {
  it('for every optimiser of the golden file', () => {
    expect(Object.keys(optimizers)).toEqual(Object.keys(golden.runs));
    expect(Object.values(golden.runs).map(({ losses }) => losses.length)).toEqual([20, 20, 20, 20, 20]);
  });

  it.each(Object.entries(golden.runs))('%s', async (name, run) => {
    const { losses, params } = await train(optimizers[name]!, run);
    losses.forEach((loss, i) => expect(Math.abs(loss / run.losses[i]! - 1), `loss of step ${i}`).toBeLessThanOrEqual(1e-5));
    const entries = namedTensors(params);
    expect([...entries.keys()].sort()).toEqual(Object.keys(run.params).sort());
    for (const [key, expected] of Object.entries(run.params)) {
      const largest = Math.max(...elementsOf(expected).map(Math.abs));
      expect(worstDifference(await numbers(entries.get(key)!), expected) / largest, key).toBeLessThanOrEqual(1e-4);
    }
  });
});
