import { add, expandDims, mul, readOptions, silu, split, type Generator, type Tensor } from '@langevin/tensor';
import { layerNorm } from '../layers/norm.ts';
import { linear, type LinearInit, type LinearParams } from '../layers/linear.ts';
import { defineModule, scoped, type Module } from '../module.ts';

export interface ModulationConfig {
  /** Features of the tokens that are modulated. */
  readonly channels: number;
  /** How many vectors of `channels` features come out. */
  readonly parts: number;
  /** Features of the condition. @default channels */
  readonly inputs?: number;
  /** @default 'learned' */
  readonly bias?: 'learned' | 'none';
  /** How the layer starts. @default PyTorch's; zeros make a block whose gate comes from here the identity */
  readonly init?: LinearInit;
}

/** Names of diffusers. */
export interface ModulationParams {
  readonly linear: LinearParams;
}

/**
 * The shifts, scales and gates that a condition gives tokens: one linear layer over its SiLU, cut into `parts` vectors. Peebles and Xie
 * 2023 (arXiv:2212.09748), sec. 3.2; the part of diffusers' `AdaLayerNormZero` and its relatives that has parameters.
 *
 * `apply(params, condition [N, inputs])` gives `parts` tensors [N, channels].
 *
 * @example
 * const layer = modulation({ channels: 8, parts: 3 });
 * layer.apply(layer.init(torchGenerator(0)), ones([2, 8])).map(({ shape }) => shape); // => [[2, 8], [2, 8], [2, 8]]
 */
export function modulation(given: ModulationConfig): Module<ModulationParams, readonly [condition: Tensor], readonly Tensor[]> {
  const { channels, parts, inputs = channels, bias = 'learned', init } = readOptions('nn/modulation', given);
  const layer = scoped('linear', linear({ inputs, outputs: parts * channels, bias, ...init }));
  return defineModule({
    init: (generator: Generator): ModulationParams => ({ linear: layer.init(generator) }),
    apply: (params: ModulationParams, condition: Tensor) => split(layer.apply(params.linear, silu(condition)), parts, -1),
  });
}

/** x (1 + scale) + shift for each item: x [N, L, D], the others [N, D]. */
export function modulate(x: Tensor, by: { readonly scale: Tensor; readonly shift: Tensor }): Tensor {
  return add(mul(x, expandDims(add(by.scale, 1), 1)), expandDims(by.shift, 1));
}

/** x + gate branch for each item: x and branch [N, L, D], gate [N, D]. */
export function gated(x: Tensor, { gate, branch }: { readonly gate: Tensor; readonly branch: Tensor }): Tensor {
  return add(x, mul(expandDims(gate, 1), branch));
}

/**
 * A layer norm whose scale and shift come from a condition: diffusers' `AdaLayerNormContinuous`, scale before shift.
 *
 * `apply(params, x [N, L, channels], condition [N, inputs])` gives [N, L, channels].
 */
export function adaLayerNormContinuous(
  given: Omit<ModulationConfig, 'parts'> & {
    /** Added to the variance. @default 1e-6, what all published transformers have here */
    readonly epsilon?: number;
  },
): Module<ModulationParams, readonly [x: Tensor, condition: Tensor], Tensor> {
  const { epsilon = 1e-6, ...config } = readOptions('nn/adaLayerNormContinuous', given);
  const vectors = modulation({ ...config, parts: 2 });
  const norm = layerNorm({ channels: config.channels, epsilon, affine: 'none' });
  return defineModule({
    init: vectors.init,
    apply(params: ModulationParams, x: Tensor, condition: Tensor) {
      const [scale, shift] = vectors.apply(params, condition) as readonly [Tensor, Tensor];
      return modulate(norm.apply({}, x), { scale, shift });
    },
  });
}
