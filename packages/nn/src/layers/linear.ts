import { readOptions, add, matmul, type Generator, type Tensor } from '@langevin/tensor';
import { checkSizes } from '../check-sizes.ts';
import { fanInUniform, kaimingUniform, type Initializer } from '../init.ts';
import { defineModule, type Layer } from '../module.ts';

/** How a linear layer starts. */
export interface LinearInit {
  /** @default kaimingUniform(), PyTorch's */
  readonly weightInit?: Initializer;
  /** @default uniform within 1 / sqrt(inputs), PyTorch's */
  readonly biasInit?: Initializer;
}

export interface LinearConfig extends LinearInit {
  readonly inputs: number;
  readonly outputs: number;
  /** @default 'learned' */
  readonly bias?: 'learned' | 'none';
}

export interface LinearParams {
  /** [outputs, inputs] */
  readonly weight: Tensor;
  /** [outputs] */
  readonly bias?: Tensor;
}

/**
 * y = x W^T + b over the last axis: [..., inputs] to [..., outputs]. `torch.nn.Linear`.
 *
 * @example
 * const layer = linear({ inputs: 3, outputs: 4 });
 * layer.apply(layer.init(torchGenerator(0)), ones([2, 3])).shape; // => [2, 4]
 */
export function linear(given: LinearConfig): Layer<LinearParams> {
  const config = readOptions('nn/linear', given);
  const { inputs, outputs, bias = 'learned', weightInit = kaimingUniform(), biasInit = fanInUniform(inputs) } = config;
  checkSizes('linear', { inputs, outputs });
  return defineModule({
    init(generator: Generator): LinearParams {
      const weight = weightInit(generator, [outputs, inputs]);
      return bias === 'none' ? { weight } : { weight, bias: biasInit(generator, [outputs]) };
    },
    apply(params: LinearParams, x: Tensor) {
      const y = matmul(x, params.weight, { transposeB: true });
      return params.bias ? add(y, params.bias) : y;
    },
  });
}
