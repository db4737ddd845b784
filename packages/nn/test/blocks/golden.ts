import { readFileSync } from 'node:fs';
import { tensor, type Shape, type Tensor } from '@langevin/tensor';
import { expect } from 'vitest';

/** A tensor of blocks.json: whole, or every `stride`-th element. */
export interface GoldenTensor {
  readonly shape: Shape;
  readonly values: readonly number[];
  readonly stride?: number;
}

export type Named = Readonly<Record<string, GoldenTensor>>;

export interface Block {
  readonly name: string;
  readonly fresh: Named;
  readonly weights: Named;
  readonly inputs: readonly GoldenTensor[];
  readonly output: GoldenTensor;
  readonly cotangent: GoldenTensor;
  readonly inputGradients: readonly (GoldenTensor | null)[];
  readonly gradients: Named;
}

export interface Golden {
  readonly seed: number;
  readonly tolerance: { readonly float32: number; readonly init: number };
  readonly layers: readonly { readonly name: string; readonly fresh: Named }[];
  readonly initializers: Named;
  readonly blocks: readonly Block[];
  readonly sinusoidal: readonly { readonly options: SinusoidalOptions; readonly times: readonly number[]; readonly output: GoldenTensor }[];
}

export interface SinusoidalOptions {
  readonly embedding_dim: number;
  readonly flip_sin_to_cos: boolean;
  readonly downscale_freq_shift: number;
  readonly scale?: number;
  readonly max_period?: number;
}

export const golden = JSON.parse(readFileSync(new URL('./golden/blocks.json', import.meta.url), 'utf8')) as Golden;

export const toTensor = ({ values, shape }: GoldenTensor): Tensor => tensor(Float32Array.from(values), { shape });

export const largest = (values: readonly number[]): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Within `tolerance` times the largest magnitude, or times `floor` where that is larger. */
export function expectClose(
  actual: ArrayLike<number>,
  { values, stride = 1, shape }: GoldenTensor,
  { tolerance, floor = 0, label }: { readonly tolerance: number; readonly floor?: number; readonly label: string },
): void {
  expect(actual.length, label).toBe(shape.reduce((a, b) => a * b, 1));
  const seen = Array.from(actual).filter((_, i) => i % stride === 0);
  const difference = largest(seen.map((value, i) => value - values[i]!));
  expect(difference, `${label}: largest difference`).toBeLessThanOrEqual(tolerance * Math.max(largest(values), floor));
}
