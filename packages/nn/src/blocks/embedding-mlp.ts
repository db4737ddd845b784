import { readOptions } from '@langevin/tensor';
import type { Generator, Tensor } from '@langevin/tensor';
import { activations, type ActivationName } from '../layers/activation.ts';
import { linear, type LinearInit, type LinearParams } from '../layers/linear.ts';
import { defineModule, scoped, type Layer } from '../module.ts';

export interface EmbeddingMlpConfig {
  readonly inputs: number;
  readonly outputs: number;
  /** @default 'silu' */
  readonly activation?: ActivationName;
  /** How both layers start. @default PyTorch's */
  readonly init?: LinearInit;
}

/** Names of diffusers. */
export interface EmbeddingMlpParams {
  readonly linear_1: LinearParams;
  readonly linear_2: LinearParams;
}

/** Two linear layers around an activation, [N, inputs] to [N, outputs]: diffusers' `TimestepEmbedding`. */
export function embeddingMlp(given: EmbeddingMlpConfig): Layer<EmbeddingMlpParams> {
  const config = readOptions('nn/embeddingMlp', given);
  const { inputs, outputs, activation = 'silu', init } = config;
  const first = scoped('linear_1', linear({ inputs, outputs, ...init }));
  const second = scoped('linear_2', linear({ inputs: outputs, outputs, ...init }));
  return defineModule({
    init: (generator: Generator): EmbeddingMlpParams => ({ linear_1: first.init(generator), linear_2: second.init(generator) }),
    apply: (params: EmbeddingMlpParams, x: Tensor) =>
      second.apply(params.linear_2, activations[activation](first.apply(params.linear_1, x))),
  });
}
