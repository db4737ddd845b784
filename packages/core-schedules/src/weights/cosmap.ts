import { readOptions, UserError } from '@langevin/tensor';
import { defineLossWeight, type LossWeight } from '../loss-weight.ts';

export interface CosmapOptions {
  /**
   * Whose error the density multiplies: that of the flow, as in the paper, or that of x0, as the training scripts of Stable
   * Diffusion 3 do with preconditioned outputs. @default 'flow'
   */
  readonly of?: 'flow' | 'x0';
}

/**
 * 2 / (pi (1 - 2t + 2t^2)) at the time t = sigma / (alpha + sigma) of the straight path: the density of times that gives a flow the log
 * SNR of the cosine schedule (Esser et al. 2024, arXiv:2403.03206, eq. 21). Uniform times with this weight are `cosmapTimes` without.
 *
 * @example
 * cosmapWeight().at({ alpha: 0.5, sigma: 0.5 }); // => 5.093
 */
export function cosmapWeight(options: CosmapOptions = {}): LossWeight {
  const { of = 'flow' } = readOptions('core-schedules/cosmap', options);
  if (of !== 'flow' && of !== 'x0')
    throw new UserError(`[core-schedules/cosmap-weight] unknown error: of="${String(of)}". Known: flow, x0.`);
  return defineLossWeight('cosmap', ({ alpha, sigma }) => {
    const t = sigma / (alpha + sigma);
    const density = 2 / (Math.PI * (1 - 2 * t + 2 * t ** 2));
    return of === 'x0' ? density : density / t ** 2;
  });
}
