import { checkNumber, readOptions } from '@langevin/tensor';
import { defineNoiseProcess, straightFlow, type NoiseProcess } from '../noise-process.ts';

export interface FlowOptions {
  /**
   * Factor by which sigma / alpha is raised at every time: sigma = shift t / (1 + (shift - 1) t), > 0. resolutionFlowShift() gives it for a
   * resolution, shiftOfMu(sequenceMu()) for a number of tokens. @default 1; Stable Diffusion 3 uses 3
   */
  readonly shift?: number;
}

/**
 * The straight path alpha = 1 - sigma, sigma = t of rectified flow and flow matching (Liu et al. 2022, arXiv:2209.03003;
 * Lipman et al. 2022, arXiv:2210.02747, whose time runs the other way). t = 1 is pure noise.
 *
 * With a shift, time runs more of its course at high noise (Esser et al. 2024, arXiv:2403.03206, eq. 23); networks are conditioned on
 * 1000 sigma.
 *
 * @example
 * flow({ shift: 3 }).level(0.5); // => { alpha: 0.25, sigma: 0.75 }
 */
export function flow(options: FlowOptions = {}): NoiseProcess {
  const { shift = 1 } = readOptions('core-schedules/flow', options);
  checkNumber('core-schedules/flow', { shift }, { above: 0 });
  const scale = (t: number): number => 1 + (shift - 1) * t;
  const sigma = (t: number): number => (shift * t) / scale(t);
  return defineNoiseProcess({
    name: 'flow',
    geometry: straightFlow,
    level: (t) => ({ alpha: (1 - t) / scale(t), sigma: sigma(t) }),
    rates: (t) => ({ alpha: -shift / scale(t) ** 2, sigma: shift / scale(t) ** 2 }),
    lambda: (t) => Math.log1p(-t) - Math.log(t) - Math.log(shift),
    time: (lambda) => straightFlow(lambda + Math.log(shift)).sigma,
    conditioning: (t) => 1000 * sigma(t),
    usual: { prediction: 'flow' },
    scheduler: { network: 'flow', config: { _class_name: 'FlowMatchEulerDiscreteScheduler', num_train_timesteps: 1000, shift } },
  });
}
