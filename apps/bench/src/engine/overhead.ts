import {
  add,
  cacheCounters,
  compile,
  mul,
  realize,
  scalar,
  tensor,
  torchGenerator,
  valueAndGrad,
  type Engine,
  type Tensor,
} from '@langevin/tensor';
import { unetNetwork } from './cases.ts';
import { adam, mseLoss, type AdamState } from '@langevin/nn';

/** Milliseconds of one cached sampler step whose denoiser costs nothing: what the host adds to every step. */
export async function samplerStepOverhead(
  engine: Engine,
  steps = 500,
): Promise<{ readonly compiledMs: number; readonly eagerMs: number; readonly compilations: number }> {
  const x0 = tensor(torchGenerator(0).normal(16 * 3 * 32 * 32), { shape: [16, 3, 32, 32] });
  const euler = (x: Tensor, ratio: Tensor): Tensor => {
    const denoised = mul(x, 0.5);
    return add(mul(x, ratio), mul(denoised, add(1, mul(ratio, -1))));
  };
  const step = compile(euler, { engine });
  const before = cacheCounters(engine).compilations;
  const time = async (advance: (x: Tensor, i: number) => Promise<Tensor>): Promise<number> => {
    let x = x0;
    for (let i = 0; i < 20; i++) x = await advance(x, i);
    const start = performance.now();
    for (let i = 0; i < steps; i++) x = await advance(x, i);
    return (performance.now() - start) / steps;
  };
  const compiledMs = await time((x, i) => step(x, 1 - 1 / (i + 2)));
  const eagerMs = await time(async (x, i) => {
    const next = euler(x, scalar(1 - 1 / (i + 2)));
    await realize([next], { engine });
    return next;
  });
  return { compiledMs, eagerMs, compilations: cacheCounters(engine).compilations - before };
}

/** Milliseconds to trace and compile the U-Net's training step, and how many nodes it has. */
export async function compileTime(engine: Engine): Promise<{ readonly ms: number }> {
  const { params, apply, inputs, target } = unetNetwork();
  const optimizer = adam();
  const step = compile(
    (state: { params: typeof params; moments: AdamState }, y: Tensor, ...x: Tensor[]) => {
      const { value, grad } = valueAndGrad((p: typeof params) => mseLoss(apply(p, ...x), y))(state.params);
      const next = optimizer.update(grad, state.moments, { params: state.params, learningRate: 1e-3 });
      return { next, loss: value };
    },
    { engine, donate: [0] },
  );
  const state = { params, moments: optimizer.init(params) };
  const start = performance.now();
  await step.warm(state as never, target, ...inputs);
  const ms = performance.now() - start;
  await step.dispose();
  return { ms };
}
