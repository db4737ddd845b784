import { checkChoice, mean, readOptions, sum, type Tensor } from '@langevin/tensor';

export interface LossOptions {
  /** The mean or sum over all elements, or one value for each. @default 'mean' */
  readonly reduction?: 'mean' | 'sum' | 'none';
}

export function reduceLoss(values: Tensor, options: LossOptions): Tensor {
  const { reduction = 'mean' } = readOptions('nn/losses', options);
  checkChoice('nn/losses', { reduction }, ['mean', 'sum', 'none']);
  switch (reduction) {
    case 'mean':
      return mean(values);
    case 'sum':
      return sum(values);
    case 'none':
      return values;
  }
}
