import { readOptions, gather, type Tensor } from '@langevin/tensor';
import { checkSizes } from '../check-sizes.ts';
import { normal, type Initializer } from '../init.ts';
import { defineModule, type Module } from '../module.ts';

export interface EmbeddingConfig {
  /** Number of rows. */
  readonly count: number;
  /** Size of each. */
  readonly size: number;
  /** @default normal(), PyTorch's */
  readonly weightInit?: Initializer;
}

export interface EmbeddingParams {
  /** [count, size] */
  readonly weight: Tensor;
}

/** A table of vectors: indices [...] (int32, in [0, count)) to [..., size]. `torch.nn.Embedding`. */
export function embedding(given: EmbeddingConfig): Module<EmbeddingParams, readonly [indices: Tensor], Tensor> {
  const config = readOptions('nn/embedding', given);
  const { count, size, weightInit = normal() } = config;
  checkSizes('embedding', { count, size });
  return defineModule({
    init: (generator) => ({ weight: weightInit(generator, [count, size]) }),
    apply: ({ weight }: EmbeddingParams, indices: Tensor) => gather(weight, indices),
  });
}
