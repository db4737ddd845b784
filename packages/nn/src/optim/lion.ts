import { readOptions, add, checkNumber, mul, sign, sub } from '@langevin/tensor';
import { updateEach, zeroState, type DecayFilter, type NamedTensors, type Optimizer } from './optimizer.ts';

export interface LionOptions {
  /** Share of the momentum in the direction of a step, in [0, 1). @default 0.9, the paper's */
  readonly beta1?: number;
  /** Decay of the momentum, in [0, 1). @default 0.99, the paper's */
  readonly beta2?: number;
  /** Decoupled weight decay. @default 0 */
  readonly weightDecay?: number;
  /** @default every parameter */
  readonly decay?: DecayFilter;
}

export interface LionState {
  /** sum_k beta2^k g_{t-k}: the paper's momentum / (1 - beta2). */
  readonly gradientSum: NamedTensors;
}

/**
 * Lion, Chen et al. 2023 (arXiv:2302.06675), program 1: each element moves by the learning rate, in the direction
 * sign(beta1 m + (1 - beta1) g). Use a learning rate 3 to 10 times smaller than Adam's.
 *
 * @throws UserError when an option is out of range
 */
export function lion(options: LionOptions = {}): Optimizer<LionState> {
  const { beta1 = 0.9, beta2 = 0.99, weightDecay = 0, decay = () => true } = readOptions('nn/lion', options);
  checkNumber('nn/lion', { beta1, beta2 }, { atLeast: 0, below: 1 });
  checkNumber('nn/lion', { weightDecay }, { atLeast: 0 });
  // A sign does not change with scale, so the momentum stays unnormalised.
  const share = (beta1 * (1 - beta2)) / (1 - beta1);
  return Object.freeze({
    name: 'lion',
    init: (params) => ({ gradientSum: zeroState(params) }),
    update(grads, state, { params, learningRate }) {
      const shrink = sub(1, mul(learningRate, weightDecay));
      const result = updateEach({ params, grads, tracks: [state.gradientSum] }, ({ name, parameter, grad, tracks: [m] }) => {
        const direction = sign(add(mul(m!, share), grad));
        const start = weightDecay > 0 && decay(name, parameter) ? mul(parameter, shrink) : parameter;
        return [sub(start, mul(direction, learningRate)), add(mul(m!, beta2), grad)];
      });
      return { params: result.params, state: { gradientSum: result.tracks[0]! } };
    },
  } satisfies Optimizer<LionState>);
}
