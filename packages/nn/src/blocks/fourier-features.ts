import { checkNumber, readOptions, concat, cos, expandDims, mul, sin, stopGradient, type Generator, type Tensor } from '@langevin/tensor';
import { checkSizes } from '../check-sizes.ts';
import { normal } from '../init.ts';
import { defineModule, type Module } from '../module.ts';
import { shapesOnly } from '../shapes-only.ts';

export interface FourierFeaturesConfig {
  /** Number of frequencies; the result has twice as many features. */
  readonly count: number;
  /** Deviation of the frequencies. @default 16 */
  readonly deviation?: number;
  /** Which half comes first. @default 'sin-cos' */
  readonly order?: 'sin-cos' | 'cos-sin';
  /** How often the frequencies are drawn; the last ones are kept. @default 2, as in the unconditional U-Net of diffusers */
  readonly draws?: 1 | 2;
}

export interface FourierFeaturesParams {
  /** [count], fixed: no gradient flows to it. */
  readonly weight: Tensor;
}

/**
 * sin(2 pi w t), cos(2 pi w t) with random fixed w: [N] to [N, 2 count]. Tancik et al. 2020; diffusers' `GaussianFourierProjection`
 * without its logarithm.
 */
export function fourierFeatures(given: FourierFeaturesConfig): Module<FourierFeaturesParams, readonly [t: Tensor], Tensor> {
  const { count, deviation = 16, order = 'sin-cos', draws = 2 } = readOptions('nn/fourierFeatures', given);
  checkSizes('fourierFeatures', { count });
  checkNumber('nn/fourierFeatures', { deviation }, { above: 0 });
  return defineModule({
    init(generator: Generator): FourierFeaturesParams {
      if (draws === 2 && generator !== shapesOnly) generator.normal(count);
      return { weight: normal({ deviation })(generator, [count]) };
    },
    apply({ weight }: FourierFeaturesParams, t: Tensor) {
      const angles = mul(mul(expandDims(t, 1), stopGradient(weight)), 2 * Math.PI);
      return concat(order === 'sin-cos' ? [sin(angles), cos(angles)] : [cos(angles), sin(angles)], 1);
    },
  });
}
