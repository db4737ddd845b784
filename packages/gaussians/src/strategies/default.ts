import { densify, type DensifyOptions } from './densify.ts';
import type { Strategy } from './strategy.ts';

/**
 * Adaptive density control of Kerbl et al. 2023: what the pictures pull about too much is doubled or split, what cannot be seen is removed.
 *
 * @example
 * const strategy = defaultStrategy({ stop: 5000 });
 */
export function defaultStrategy(options: DensifyOptions = {}): Strategy {
  return densify(options, { name: 'default', paper: 'arXiv:2308.04079, section 5', gradient: 'means2d', growGradient: 2e-4 });
}
