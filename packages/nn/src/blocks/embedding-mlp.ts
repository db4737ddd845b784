import { add, readOptions, type Generator, type Tensor } from '@langevin/tensor';
import { activations, type ActivationName } from '../layers/activation.ts';
import { linear, type LinearInit, type LinearParams } from '../layers/linear.ts';
import { defineModule, scoped, type Module } from '../module.ts';

export interface EmbeddingMlpConfig {
  readonly inputs: number;
  readonly outputs: number;
  /** @default 'silu' */
  readonly activation?: ActivationName;
  /** Of the result. @default 'none' */
  readonly postActivation?: ActivationName | 'none';
  /** Features of a second vector that is projected and added to the first before both layers; null for none. @default null */
  readonly condition?: number | null;
  /** @default 'learned' */
  readonly bias?: 'learned' | 'none';
  /** How both layers start. @default PyTorch's */
  readonly init?: LinearInit;
}

/** Names of diffusers. */
export interface EmbeddingMlpParams {
  readonly linear_1: LinearParams;
  readonly cond_proj?: LinearParams;
  readonly linear_2: LinearParams;
}

/**
 * Two linear layers around an activation: diffusers' `TimestepEmbedding`.
 *
 * `apply(params, x [N, inputs], condition? [N, condition])` gives [N, outputs].
 */
export function embeddingMlp(
  given: EmbeddingMlpConfig,
): Module<EmbeddingMlpParams, readonly [x: Tensor, condition?: Tensor | undefined], Tensor> {
  const config = readOptions('nn/embeddingMlp', given);
  const { inputs, outputs, activation = 'silu', postActivation = 'none', condition = null, bias = 'learned', init } = config;
  const first = scoped('linear_1', linear({ inputs, outputs, bias, ...init }));
  const project = condition === null ? undefined : scoped('cond_proj', linear({ inputs: condition, outputs: inputs, bias: 'none' }));
  const second = scoped('linear_2', linear({ inputs: outputs, outputs, bias, ...init }));
  return defineModule({
    init: (generator: Generator): EmbeddingMlpParams => ({
      linear_1: first.init(generator),
      ...(project && { cond_proj: project.init(generator) }),
      linear_2: second.init(generator),
    }),
    apply(params: EmbeddingMlpParams, x: Tensor, vector?: Tensor) {
      const sum = project && vector ? add(x, project.apply(params.cond_proj!, vector)) : x;
      const y = second.apply(params.linear_2, activations[activation](first.apply(params.linear_1, sum)));
      return postActivation === 'none' ? y : activations[postActivation](y);
    },
  });
}
