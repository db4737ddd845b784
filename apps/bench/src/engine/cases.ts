import { referenceUnet } from '@langevin/backbones';
import { adam, mseLoss, type AdamState } from '@langevin/nn';
import {
  attention,
  compile,
  conv,
  dispose,
  groupNorm,
  item,
  matmul,
  realize,
  tensor,
  torchGenerator,
  valueAndGrad,
  vjp,
  type Engine,
  type Generator,
  type Tensor,
} from '@langevin/tensor';
import { ditS2 } from './dit-s2.ts';

/** One thing to measure: made once, run many times; the name is also the peer's. */
export interface Case {
  readonly name: string;
  readonly what: string;
  /** Floating-point operations of one run, where they are easy to say. */
  readonly flops?: number;
  prepare(engine: Engine): Promise<() => Promise<unknown>>;
}

const random = (generator: Generator, ...shape: number[]): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(generator.normal(size), { shape });
};

/** A case that compiles one function of tensors that stay on the engine. */
function operation(
  about: Pick<Case, 'name' | 'what' | 'flops'>,
  make: (generator: Generator) => { readonly inputs: readonly Tensor[]; readonly fn: (...inputs: Tensor[]) => Tensor },
): Case {
  return {
    ...about,
    async prepare(engine) {
      const { inputs, fn } = make(torchGenerator(0));
      await realize(inputs, { engine });
      const compiled = compile(fn as (...inputs: readonly Tensor[]) => Tensor, { engine, name: about.name });
      // PyTorch frees a result as soon as nobody refers to it; JavaScript must be told.
      return async () => dispose(await compiled(...inputs));
    },
  };
}

const CONV_FLOPS = 2 * 64 * 64 * 64 * 9 * 28 * 28;

export const operationCases: readonly Case[] = [
  operation({ name: 'matmul', what: 'matmul 1024^3', flops: 2 * 1024 ** 3 }, (g) => ({
    inputs: [random(g, 1024, 1024), random(g, 1024, 1024)],
    fn: (a, b) => matmul(a!, b!),
  })),
  operation({ name: 'conv-forward', what: 'conv 3x3, 64->64, 28x28, N=64', flops: CONV_FLOPS }, (g) => ({
    inputs: [random(g, 64, 64, 28, 28), random(g, 64, 64, 3, 3)],
    fn: (x, w) => conv(x!, w!, { padding: 1 }),
  })),
  operation({ name: 'conv-input-grad', what: 'its gradient by the input', flops: CONV_FLOPS }, (g) => ({
    inputs: [random(g, 64, 64, 28, 28), random(g, 64, 64, 3, 3), random(g, 64, 64, 28, 28)],
    fn: (x, w, u) => vjp((t: Tensor) => conv(t, w!, { padding: 1 }), x!).pullback(u!)[0],
  })),
  operation({ name: 'conv-weight-grad', what: 'its gradient by the weights', flops: CONV_FLOPS }, (g) => ({
    inputs: [random(g, 64, 64, 28, 28), random(g, 64, 64, 3, 3), random(g, 64, 64, 28, 28)],
    fn: (x, w, u) => vjp((t: Tensor) => conv(x!, t, { padding: 1 }), w!).pullback(u!)[0],
  })),
  operation({ name: 'attention', what: 'attention, 32x4 heads, 256 tokens, 32 wide', flops: 4 * 32 * 4 * 256 * 256 * 32 }, (g) => ({
    inputs: [random(g, 32, 4, 256, 32), random(g, 32, 4, 256, 32), random(g, 32, 4, 256, 32)],
    fn: (q, k, v) => attention({ q: q!, k: k!, v: v! }),
  })),
  operation({ name: 'group-norm', what: 'group norm, 8 groups, 32x64x32x32' }, (g) => ({
    inputs: [random(g, 32, 64, 32, 32), random(g, 64), random(g, 64)],
    fn: (x, scale, bias) => groupNorm(x!, { groups: 8, scale: scale!, bias: bias! }),
  })),
];

interface Network<Params> {
  readonly params: Params;
  readonly apply: (params: Params, ...inputs: Tensor[]) => Tensor;
  readonly inputs: readonly Tensor[];
  readonly target: Tensor;
}

/** Adam on a mean squared error, parameters and moments donated; the loss is read back, as in PyTorch's case. */
function training<Params>(name: string, what: string, make: () => Network<Params>): Case {
  return {
    name,
    what,
    async prepare(engine) {
      const { params, apply, inputs, target } = make();
      const optimizer = adam();
      await realize([...inputs, target], { engine });
      const step = compile(
        (state: { params: Params; moments: AdamState }, y: Tensor, ...x: Tensor[]) => {
          const { value, grad } = valueAndGrad((p: Params) => mseLoss(apply(p, ...x), y))(state.params);
          const next = optimizer.update(grad, state.moments, { params: state.params, learningRate: 1e-3 });
          return { state: { params: next.params, moments: next.state }, loss: value };
        },
        { engine, donate: [0], name },
      );
      let state = { params, moments: optimizer.init(params) };
      return async () => {
        const result = await step(state as never, target, ...inputs);
        state = result.state;
        return item(result.loss);
      };
    },
  };
}

function frozen<Params>(name: string, what: string, make: () => Network<Params>): Case {
  return {
    name,
    what,
    async prepare(engine) {
      const { params, apply, inputs } = make();
      await realize(inputs, { engine });
      const forward = compile((p: Params, ...x: Tensor[]) => apply(p, ...x), { engine, freeze: [0], name });
      return () => forward(params as never, ...inputs);
    },
  };
}

export function unetNetwork(): Network<ReturnType<ReturnType<typeof referenceUnet>['init']>> {
  const net = referenceUnet();
  const g = torchGenerator(0);
  return {
    params: net.init(g),
    apply: (params, x, t) => net.apply(params, x!, t!),
    inputs: [random(g, 32, 3, 32, 32), random(g, 32, 64)],
    target: random(g, 32, 3, 32, 32),
  };
}

export const networkCases: readonly Case[] = [
  training('unet-train', 'U-Net 3.0 M, 3x32x32, batch 32: training step', unetNetwork),
  frozen('unet-forward', 'U-Net 3.0 M: frozen forward', unetNetwork),
  training('dit-train', 'DiT-S/2, 4x32x32, batch 8: training step', ditS2),
  frozen('dit-forward', 'DiT-S/2: frozen forward', ditS2),
];
