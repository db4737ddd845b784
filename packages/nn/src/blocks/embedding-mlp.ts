import type { Generator, Tensor } from '@langevin/tensor';
import { normal } from '../init.ts';
import { activations, type ActivationName } from '../layers/activation.ts';
import { linear, type LinearParams } from '../layers/linear.ts';
import { defineModule, scoped, type Layer } from '../module.ts';

export interface EmbeddingMlpConfig {
  readonly inputs: number;
  readonly outputs: number;
  /** @default 'silu' */
  readonly activation?: ActivationName;
  /** Deviation of normal weights, with biases as usual, instead of PyTorch's. @default PyTorch's */
  readonly weightDeviation?: number;
}

/** Names of diffusers. */
export interface EmbeddingMlpParams {
  readonly linear_1: LinearParams;
  readonly linear_2: LinearParams;
}

/** Two linear layers around an activation, [N, inputs] to [N, outputs]: diffusers' `TimestepEmbedding`. */
export function embeddingMlp(config: EmbeddingMlpConfig): Layer<EmbeddingMlpParams> {
  const { inputs, outputs, activation = 'silu', weightDeviation } = config;
  const weights = weightDeviation === undefined ? {} : { weightInit: normal({ deviation: weightDeviation }) };
  const first = scoped('linear_1', linear({ inputs, outputs, ...weights }));
  const second = scoped('linear_2', linear({ inputs: outputs, outputs, ...weights }));
  return defineModule({
    init: (generator: Generator): EmbeddingMlpParams => ({ linear_1: first.init(generator), linear_2: second.init(generator) }),
    apply: (params: EmbeddingMlpParams, x: Tensor) => second.apply(params.linear_2, activations[activation](first.apply(params.linear_1, x))),
  });
}
