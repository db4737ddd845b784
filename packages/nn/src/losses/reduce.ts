import { mean, sum, type Tensor } from '@langevin/tensor';

export interface LossOptions {
  /** The mean or sum over all elements, or one value for each. @default 'mean' */
  readonly reduction?: 'mean' | 'sum' | 'none';
}

export function reduceLoss(values: Tensor, { reduction = 'mean' }: LossOptions): Tensor {
  switch (reduction) {
    case 'mean':
      return mean(values);
    case 'sum':
      return sum(values);
    case 'none':
      return values;
  }
}
