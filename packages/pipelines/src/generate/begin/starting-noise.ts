import { torchGenerator, tensor, type Generator, type Tensor } from '@langevin/tensor';

/**
 * A generator for each picture, of PyTorch's CPU kind: picture i of a call has the seed plus i, so that it is the same in whatever batch it
 * is made, and that of diffusers for `generator=[torch.Generator().manual_seed(seed + i), ...]`.
 */
export function generatorsOf(seeds: readonly (number | bigint)[]): readonly Generator[] {
  return seeds.map((seed) => torchGenerator(seed));
}

/** Unit noise [N, ...], each item drawn by its own generator, which advances. */
export function startingNoise(generators: readonly Generator[], shape: readonly number[]): Tensor {
  const size = shape.reduce((product, n) => product * n, 1);
  const values = new Float32Array(generators.length * size);
  for (const [i, generator] of generators.entries()) values.set(generator.normal(size), i * size);
  return tensor(values, { shape: [generators.length, ...shape] });
}
