import {
  readOptions,
  groupNorm as normalizeGroups,
  layerNorm as normalizeLayer,
  rmsNorm as normalizeRms,
  ones,
  zeros,
  type Tensor,
} from '@langevin/tensor';
import { checkDivides, checkSizes } from '../check-sizes.ts';
import { constant } from '../init.ts';
import { defineModule, type Layer } from '../module.ts';

/** Scale and shift of a normalisation; absent where it has none. */
export interface NormParams {
  /** [channels] */
  readonly weight?: Tensor;
  /** [channels] */
  readonly bias?: Tensor;
}

export interface NormConfig {
  readonly channels: number;
  /** Added to the variance. @default 1e-5, PyTorch's (RMS norm: 1e-6) */
  readonly epsilon?: number;
  /** Whether scale and shift are learned. @default 'learned' */
  readonly affine?: 'learned' | 'none';
}

const one = constant(1);
const zero = constant(0);

export interface GroupNormConfig extends NormConfig {
  /** Divides `channels`. */
  readonly groups: number;
}

/** Normalise each group of channels of [N, C, ...] over channels and space: `torch.nn.GroupNorm`. Wu and He 2018. */
export function groupNorm(given: GroupNormConfig): Layer<NormParams> {
  const config = readOptions('nn/groupNorm', given);
  const { channels, groups, epsilon = 1e-5, affine = 'learned' } = config;
  checkSizes('groupNorm', { channels, groups });
  checkDivides('groupNorm', { groups }, { channels });
  return defineModule({
    init: (generator): NormParams => (affine === 'none' ? {} : { weight: one(generator, [channels]), bias: zero(generator, [channels]) }),
    apply: ({ weight = ones([channels]), bias = zeros([channels]) }: NormParams, x: Tensor) =>
      normalizeGroups(x, { groups, epsilon, scale: weight, bias }),
  });
}

/** Normalise over the last axis: `torch.nn.LayerNorm`. Ba et al. 2016. */
export function layerNorm(given: NormConfig): Layer<NormParams> {
  const config = readOptions('nn/layerNorm', given);
  const { channels, epsilon = 1e-5, affine = 'learned' } = config;
  checkSizes('layerNorm', { channels });
  return defineModule({
    init: (generator): NormParams => (affine === 'none' ? {} : { weight: one(generator, [channels]), bias: zero(generator, [channels]) }),
    apply: ({ weight, bias }: NormParams, x: Tensor) => normalizeLayer(x, { epsilon, scale: weight, bias }),
  });
}

/** Divide by the root mean square over the last axis: `torch.nn.RMSNorm`. Zhang and Sennrich 2019. */
export function rmsNorm(given: NormConfig): Layer<NormParams> {
  const config = readOptions('nn/rmsNorm', given);
  const { channels, epsilon = 1e-6, affine = 'learned' } = config;
  checkSizes('rmsNorm', { channels });
  return defineModule({
    init: (generator): NormParams => (affine === 'none' ? {} : { weight: one(generator, [channels]) }),
    apply: ({ weight }: NormParams, x: Tensor) => normalizeRms(x, weight ? { epsilon, scale: weight } : { epsilon }),
  });
}
