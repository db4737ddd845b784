import { readOptions, add, checkNumber, mul, sub } from '@langevin/tensor';
import { updateEach, zeroState, type DecayFilter, type NamedTensors, type Optimizer } from './optimizer.ts';

export interface SgdOptions {
  /** Share of the last direction that is kept, in [0, 1). @default 0 */
  readonly momentum?: number;
  /** 'nesterov' looks one step ahead; it needs momentum. @default 'classical' */
  readonly variant?: 'classical' | 'nesterov';
  /** L2 penalty: weightDecay * parameter is added to the gradient. @default 0 */
  readonly weightDecay?: number;
  /** @default every parameter */
  readonly decay?: DecayFilter;
}

export interface SgdState {
  /** Running sum of gradients; empty without momentum. */
  readonly velocity: NamedTensors;
}

/**
 * Stochastic gradient descent as `torch.optim.SGD` does it, without dampening: velocity <- momentum velocity + g;
 * parameter <- parameter - learningRate velocity.
 *
 * @throws UserError when an option is out of range
 */
export function sgd(options: SgdOptions = {}): Optimizer<SgdState> {
  const { momentum = 0, variant = 'classical', weightDecay = 0, decay = () => true } = readOptions('nn/sgd', options);
  checkNumber('nn/sgd', { momentum }, { atLeast: 0, below: 1 });
  checkNumber('nn/sgd', { weightDecay }, { atLeast: 0 });
  if (variant === 'nesterov') checkNumber('nn/sgd nesterov', { momentum }, { above: 0, below: 1 });
  return Object.freeze({
    name: 'sgd',
    init: (params) => ({ velocity: momentum > 0 ? zeroState(params) : {} }),
    update(grads, state, { params, learningRate }) {
      const result = updateEach(
        { params, grads, tracks: momentum > 0 ? [state.velocity] : [] },
        ({ name, parameter, grad, tracks: [before] }) => {
          const g = weightDecay > 0 && decay(name, parameter) ? add(grad, mul(parameter, weightDecay)) : grad;
          if (before === undefined) return [sub(parameter, mul(g, learningRate))];
          const velocity = add(mul(before, momentum), g);
          const direction = variant === 'nesterov' ? add(g, mul(velocity, momentum)) : velocity;
          return [sub(parameter, mul(direction, learningRate)), velocity];
        },
      );
      return { params: result.params, state: { velocity: result.tracks[0] ?? {} } };
    },
  } satisfies Optimizer<SgdState>);
}
