import { checkNumber } from './check.ts';
import { snrOf, type NoiseLevel } from './level.ts';

/**
 * How much the squared error of the x0-prediction counts at a noise level. Weights of other predictions are stated in these
 * units, so that one weight serves every network: an epsilon loss is `snrWeight`, a v loss `snrPlusOneWeight`.
 */
export interface LossWeight {
  readonly name: string;
  readonly at: (level: NoiseLevel) => number;
}

const weight = (name: string, at: (level: NoiseLevel) => number): LossWeight => Object.freeze({ name, at });

/** SNR: the plain epsilon loss of DDPM, L_simple (Ho et al. 2020, arXiv:2006.11239, eq. 14). */
export function snrWeight(): LossWeight {
  return weight('snr', snrOf);
}

/** SNR + 1: the plain v loss (Salimans and Ho 2022, arXiv:2202.00512, section 4). */
export function snrPlusOneWeight(): LossWeight {
  return weight('snr-plus-one', (level) => snrOf(level) + 1);
}

/** max(SNR, 1) (Salimans and Ho 2022, arXiv:2202.00512, section 4). */
export function truncatedSnrWeight(): LossWeight {
  return weight('truncated-snr', (level) => Math.max(snrOf(level), 1));
}

/** 1: the plain x0 loss. */
export function uniformWeight(): LossWeight {
  return weight('uniform', () => 1);
}

/** SNR + 1 / sigmaData^2: with EDM's preconditioning the network's loss has weight 1 at every level (arXiv:2206.00364, table 1). */
export function edmWeight(options: { /** @default 0.5 */ readonly sigmaData?: number } = {}): LossWeight {
  const { sigmaData = 0.5 } = options;
  checkNumber('core-schedules/loss-weight', 'sigmaData', sigmaData, { min: 0, openMin: true });
  return weight('edm', (level) => snrOf(level) + sigmaData ** -2);
}

/** min(SNR, gamma): all levels learn at a like pace (Hang et al. 2023, arXiv:2303.09556, section 3.4, whose gamma is 5). */
export function minSnrWeight(options: { /** @default 5 */ readonly gamma?: number } = {}): LossWeight {
  const { gamma = 5 } = options;
  checkNumber('core-schedules/loss-weight', 'gamma', gamma, { min: 0, openMin: true });
  return weight('min-snr', (level) => Math.min(snrOf(level), gamma));
}
