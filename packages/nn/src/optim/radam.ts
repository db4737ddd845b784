import { readOptions, add, checkNumber, div, less, mul, scalar, sqrt, sub, tanh, where, type Tensor } from '@langevin/tensor';
import type { AdamState } from './adam.ts';
import { biasCorrection, newCounter } from './bias-correction.ts';
import { updateEach, zeroState, type DecayFilter, type Optimizer } from './optimizer.ts';

export interface RAdamOptions {
  /** Decay of the running sum of gradients, in [0, 1). @default 0.9, the paper's */
  readonly beta1?: number;
  /** Decay of the running sum of squared gradients, in [0, 1). @default 0.999, the paper's */
  readonly beta2?: number;
  /** Added to the root of the second moment. @default 1e-8, PyTorch's */
  readonly epsilon?: number;
  /** Strength of weight decay. @default 0 */
  readonly weightDecay?: number;
  /** 'l2' adds to the gradient, 'decoupled' shrinks the parameter. @default 'l2', PyTorch's */
  readonly decayForm?: 'l2' | 'decoupled';
  /** @default every parameter */
  readonly decay?: DecayFilter;
}

/**
 * Rectified Adam, Liu et al. 2020 (arXiv:1908.03265), algorithm 2: the first steps go without the second moment, whose variance is
 * not yet bounded, and later ones are scaled by its rectification. Needs no warm-up of the learning rate.
 *
 * @throws UserError when an option is out of range
 */
export function rAdam(options: RAdamOptions = {}): Optimizer<AdamState> {
  const {
    beta1 = 0.9,
    beta2 = 0.999,
    epsilon = 1e-8,
    weightDecay = 0,
    decayForm = 'l2',
    decay = () => true,
  } = readOptions('nn/rAdam', options);
  checkNumber('nn/rAdam', { beta1, beta2 }, { atLeast: 0, below: 1 });
  checkNumber('nn/rAdam', { epsilon, weightDecay }, { atLeast: 0 });
  return Object.freeze({
    name: 'rAdam',
    init: (params) => ({ step: newCounter(), gradientSum: zeroState(params), squareSum: zeroState(params) }),
    update(grads, state, { params, learningRate }) {
      const step = add(state.step, 1);
      const { rectified, factor } = rectification(beta2, step);
      const size = mul(
        div(mul(learningRate, 1 - beta1), biasCorrection(beta1, step)),
        where({ if: rectified, then: mul(factor, sqrt(biasCorrection(beta2, step))), else: 1 }),
      );
      // Unrectified steps divide by one.
      const slope = where({ if: rectified, then: Math.sqrt(1 - beta2), else: 0 });
      const floor = where({ if: rectified, then: epsilon, else: 1 });
      const shrink = sub(1, mul(learningRate, weightDecay));
      const result = updateEach(
        { params, grads, tracks: [state.gradientSum, state.squareSum] },
        ({ name, parameter, grad, tracks: [m, s] }) => {
          const decayed = weightDecay > 0 && decay(name, parameter);
          const g = decayed && decayForm === 'l2' ? add(grad, mul(parameter, weightDecay)) : grad;
          const gradientSum = add(mul(m!, beta1), g);
          const squareSum = add(mul(s!, beta2), mul(g, g));
          const move = mul(div(gradientSum, add(mul(sqrt(squareSum), slope), floor)), size);
          const start = decayed && decayForm === 'decoupled' ? mul(parameter, shrink) : parameter;
          return [sub(start, move), gradientSum, squareSum];
        },
      );
      const [gradientSum, squareSum] = result.tracks;
      return { params: result.params, state: { step, gradientSum: gradientSum!, squareSum: squareSum! } };
    },
  } satisfies Optimizer<AdamState>);
}

/**
 * Whether the variance is tractable, rho_t > 5, and the factor r_t of algorithm 2.
 *
 * rho_t = rhoMax - 2 t beta2^t / (1 - beta2^t) cancels in float32. With x = -ln(beta2) and h = x t / 2 it equals
 * (rhoMax - 2/x) + t - (2/x) (h coth(h) - 1), whose last part is a series for small h.
 */
function rectification(beta2: number, step: Tensor): { readonly rectified: Tensor; readonly factor: Tensor } {
  const rhoMax = 2 / (1 - beta2) - 1;
  // rho_t stays below rhoMax, so that a short memory (beta2 up to 2/3, 0 without a logarithm among them) never reaches 5.
  if (rhoMax <= 5) return { rectified: less(step, 0), factor: scalar(1) };
  const x = -Math.log(beta2);
  const h = mul(step, x / 2);
  const h2 = mul(h, h);
  // h coth(h) - 1 = sum_k B_2k (2h)^2k / (2k)!
  const series = [2 / 93555, -1 / 4725, 2 / 945, -1 / 45, 1 / 3].reduce<Tensor | number>((sum, c) => add(mul(sum, h2), c), 0);
  const langevin = where({ if: less(h, 0.5), then: mul(h2, series), else: sub(div(h, tanh(h)), 1) });
  const rho = add(sub(step, mul(langevin, 2 / x)), rhoMax - 2 / x);
  const rectified = less(5, rho);
  // Below the threshold the formula may be negative under the root; the branch is not taken then.
  const safe = where({ if: rectified, then: rho, else: 6 });
  const ratio = div(mul(sub(safe, 4), sub(safe, 2)), safe);
  return { rectified, factor: sqrt(mul(ratio, rhoMax / ((rhoMax - 4) * (rhoMax - 2)))) };
}
