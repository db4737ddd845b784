import { snrOf } from '@langevin/core';
import { checkNumber, readOptions } from '@langevin/tensor';
import { defineLossWeight, type LossWeight } from '../loss-weight.ts';

/**
 * SNR + 1 / sigmaData^2: with EDM's preconditioning the network's loss has weight 1 at every level (arXiv:2206.00364, table 1).
 *
 * @example
 * edmWeight().at(sigmaLevel(0.5)); // => 8
 */
export function edmWeight(options: { /** @default 0.5 */ readonly sigmaData?: number } = {}): LossWeight {
  const { sigmaData = 0.5 } = readOptions('core-schedules/edm', options);
  checkNumber('core-schedules/edm-weight', { sigmaData }, { above: 0 });
  return defineLossWeight('edm', (level) => snrOf(level) + sigmaData ** -2);
}
