import { gelu, reshape, split, transpose, type Generator, type Tensor } from '@langevin/tensor';
import { defineModule, linear, scoped, type Layer, type LinearInit, type LinearParams } from '@langevin/nn';

/** Names of timm. */
export interface MlpParams {
  readonly fc1: LinearParams;
  readonly fc2: LinearParams;
}

/** Two linear layers around a GELU, over the last axis: the perceptron of ViT (Dosovitskiy et al. 2021, arXiv:2010.11929). */
export function mlp({
  width,
  hidden,
  init,
}: {
  readonly width: number;
  readonly hidden: number;
  readonly init: LinearInit;
}): Layer<MlpParams> {
  const widen = scoped('fc1', linear({ inputs: width, outputs: hidden, ...init }));
  const narrow = scoped('fc2', linear({ inputs: hidden, outputs: width, ...init }));
  return defineModule({
    init: (generator: Generator): MlpParams => ({ fc1: widen.init(generator), fc2: narrow.init(generator) }),
    apply: (params: MlpParams, x: Tensor) => narrow.apply(params.fc2, gelu(widen.apply(params.fc1, x))),
  });
}

/** Queries, keys and values [N, heads, L, width / heads] of [N, L, 3 width], in that order. */
export function headsOf(all: Tensor, heads: number): readonly [q: Tensor, k: Tensor, v: Tensor] {
  const [n, l, features] = all.shape as readonly [number, number, number];
  return split(all, 3, -1).map((t) => transpose(reshape(t, [n, l, heads, features / 3 / heads]), [0, 2, 1, 3])) as unknown as readonly [
    Tensor,
    Tensor,
    Tensor,
  ];
}

/** [N, heads, L, size] to [N, L, heads size]. */
export function fromHeads(t: Tensor): Tensor {
  const [n, heads, l, size] = t.shape as readonly [number, number, number, number];
  return reshape(transpose(t, [0, 2, 1, 3]), [n, l, heads * size]);
}
