import type { Generator, Tensor } from '@langevin/tensor';
import type { Mode } from '../mode.ts';
import { defineModule, scoped, type Layer, type ParamsOf } from '../module.ts';

type SequentialParams<Layers extends readonly Layer<unknown>[]> = { readonly [I in keyof Layers]: ParamsOf<Layers[I]> };

/**
 * Layers one after the other; parameters are a list, so names begin `0.`, `1.` and so on: `torch.nn.Sequential`.
 *
 * @example
 * const mlp = sequential(linear({ inputs: 8, outputs: 16 }), activation('silu'), linear({ inputs: 16, outputs: 8 }));
 * parameterCount(mlp); // => 280
 */
export function sequential<const Layers extends readonly Layer<unknown>[]>(...layers: Layers): Layer<SequentialParams<Layers>> {
  const inner = layers.map((layer, i) => scoped(String(i), layer));
  return defineModule({
    init: (generator: Generator) => inner.map((layer) => layer.init(generator)) as unknown as SequentialParams<Layers>,
    apply: (params: SequentialParams<Layers>, x: Tensor, mode?: Mode) =>
      inner.reduce((y, layer, i) => layer.apply((params as readonly unknown[])[i], y, mode), x),
  });
}
