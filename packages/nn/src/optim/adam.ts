import { readOptions, add, checkNumber, div, mul, sqrt, sub, type Tensor } from '@langevin/tensor';
import { biasCorrection, newCounter } from './bias-correction.ts';
import { updateEach, zeroState, type DecayFilter, type NamedTensors, type Optimizer } from './optimizer.ts';

export interface AdamOptions {
  /** Decay of the running sum of gradients, in [0, 1). @default 0.9, the paper's */
  readonly beta1?: number;
  /** Decay of the running sum of squared gradients, in [0, 1). @default 0.999, the paper's */
  readonly beta2?: number;
  /** Added to the root of the corrected second moment, > 0 keeps zero gradients finite. @default 1e-8, the paper's */
  readonly epsilon?: number;
  /** Strength of weight decay. @default 0 for adam, 0.01 for adamW, PyTorch's */
  readonly weightDecay?: number;
  /** @default every parameter */
  readonly decay?: DecayFilter;
}

export interface AdamState {
  /** Steps taken, a float32 scalar. */
  readonly step: Tensor;
  /** sum_k beta1^k g_{t-k}: PyTorch's exp_avg / (1 - beta1), which saves a pass over every parameter. */
  readonly gradientSum: NamedTensors;
  /** sum_k beta2^k g_{t-k}^2: PyTorch's exp_avg_sq / (1 - beta2). */
  readonly squareSum: NamedTensors;
}

type DecayForm = 'l2' | 'decoupled';

/**
 * Adam, Kingma and Ba 2015 (arXiv:1412.6980), algorithm 1, with PyTorch's place of epsilon; weight decay is an L2 penalty, added to the
 * gradient.
 *
 * @throws UserError when an option is out of range
 */
export const adam = (options: AdamOptions = {}): Optimizer<AdamState> =>
  make('adam', 'l2', { weightDecay: 0, ...readOptions('nn/adam', options) });

/**
 * Adam with decoupled weight decay, Loshchilov and Hutter 2019 (arXiv:1711.05101): parameters shrink by
 * (1 - learningRate weightDecay) before the step.
 *
 * @throws UserError when an option is out of range
 */
export const adamW = (options: AdamOptions = {}): Optimizer<AdamState> =>
  make('adamW', 'decoupled', { weightDecay: 0.01, ...readOptions('nn/adamW', options) });

function make(name: string, form: DecayForm, options: AdamOptions & { readonly weightDecay: number }): Optimizer<AdamState> {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay, decay = () => true } = options;
  checkNumber(`nn/${name}`, { beta1, beta2 }, { atLeast: 0, below: 1 });
  checkNumber(`nn/${name}`, { epsilon, weightDecay }, { atLeast: 0 });
  return Object.freeze({
    name,
    init: (params) => ({ step: newCounter(), gradientSum: zeroState(params), squareSum: zeroState(params) }),
    update(grads, state, { params, learningRate }) {
      const step = add(state.step, 1);
      // Everything that does not depend on the parameter is folded into two scalars: with m = (1 - beta1) M / c1 and
      // v = (1 - beta2) S / c2, the step lr m / (sqrt(v) + eps) is size M / (sqrt(S) + floor).
      const spread = sqrt(div(biasCorrection(beta2, step), 1 - beta2));
      const size = mul(div(mul(learningRate, 1 - beta1), biasCorrection(beta1, step)), spread);
      const floor = mul(spread, epsilon);
      const shrink = sub(1, mul(learningRate, weightDecay));
      const result = updateEach(
        { params, grads, tracks: [state.gradientSum, state.squareSum] },
        ({ name: at, parameter, grad, tracks: [m, s] }) => {
          const decayed = weightDecay > 0 && decay(at, parameter);
          const g = decayed && form === 'l2' ? add(grad, mul(parameter, weightDecay)) : grad;
          const gradientSum = add(mul(m!, beta1), g);
          const squareSum = add(mul(s!, beta2), mul(g, g));
          const move = mul(div(gradientSum, add(sqrt(squareSum), floor)), size);
          const start = decayed && form === 'decoupled' ? mul(parameter, shrink) : parameter;
          return [sub(start, move), gradientSum, squareSum];
        },
      );
      const [gradientSum, squareSum] = result.tracks;
      return { params: result.params, state: { step, gradientSum: gradientSum!, squareSum: squareSum! } };
    },
  } satisfies Optimizer<AdamState>);
}
