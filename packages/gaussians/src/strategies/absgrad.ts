import { densify, type DensifyOptions } from './densify.ts';
import type { Strategy } from './strategy.ts';

/** The default strategy with absolute gradients, which do not cancel out over large Gaussians that cover detail (Ye et al. 2024). */
export function absgradStrategy(options: DensifyOptions = {}): Strategy {
  return densify(options, { name: 'absgrad', paper: 'arXiv:2404.10484, eq. 7', gradient: 'absoluteMeans2d', growGradient: 8e-4 });
}
