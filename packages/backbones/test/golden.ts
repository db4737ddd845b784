import { readFileSync } from 'node:fs';
import { decodeSafetensors } from '@langevin/io';
import {
  cast,
  mul,
  namedTensors,
  numbers,
  realize,
  sum,
  tensor,
  valueAndGrad,
  type Engine,
  type Shape,
  type Tensor,
} from '@langevin/tensor';
import { expect } from 'vitest';

/** A tensor of a golden file: whole, or every `stride`-th element with sums. */
export interface GoldenTensor {
  readonly shape: Shape;
  readonly values: readonly number[];
  readonly stride?: number;
  readonly sum?: number;
  readonly absSum?: number;
}

const folder = new URL('./golden/', import.meta.url);

export function readGolden<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as T;
}

/** The float16 weights of a golden file as float32 tensors, those of one case without its name. */
export function readWeights(file: string, name: string): Map<string, Tensor> {
  const { tensors } = decodeSafetensors(readFileSync(new URL(file, folder)), file);
  const own = [...tensors].filter(([key]) => key.startsWith(`${name}/`));
  return new Map(own.map(([key, { data, dtype, shape }]) => [key.slice(name.length + 1), cast(tensor(data, { shape, dtype }), 'float32')]));
}

export const toTensor = ({ values, shape }: GoldenTensor): Tensor => tensor(Float32Array.from(values), { shape });

export interface Closeness {
  /** Times the scale: the largest magnitude of the golden values. */
  readonly tolerance: number;
  /** The scale is at least this. Gradients that are 0 by symmetry (a bias before a softmax) are rounding noise of the others. @default 0 */
  readonly floor?: number;
  readonly label: string;
}

/** Every golden element within the tolerance, and the sum within the tolerance times the number of elements. */
export function expectClose(actual: readonly number[], golden: GoldenTensor, { tolerance, floor = 0, label }: Closeness): void {
  const { values, stride = 1, sum, shape } = golden;
  const seen = actual.filter((_, i) => i % stride === 0);
  expect(actual.length, label).toBe(shape.reduce((a, b) => a * b, 1));
  const bound = tolerance * Math.max(largestOf(golden), floor);
  const worst = seen.reduce((most, value, i) => Math.max(most, Math.abs(value - values[i]!)), 0);
  expect(worst, `${label}: largest difference`).toBeLessThanOrEqual(bound);
  if (sum === undefined) return;
  const total = actual.reduce((a, b) => a + b, 0);
  expect(Math.abs(total - sum), `${label}: difference of sums`).toBeLessThanOrEqual(bound * actual.length);
}

export const largestOf = ({ values }: GoldenTensor): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** A network of diffusers: what it made of an input, and the gradients of the sum of its output times a cotangent. */
export interface GoldenNetwork {
  readonly name: string;
  readonly config: object;
  readonly x: GoldenTensor;
  readonly time: readonly number[];
  readonly output: GoldenTensor;
  readonly cotangent: GoldenTensor;
  readonly inputGradient: GoldenTensor;
  readonly gradients: Readonly<Record<string, GoldenTensor>>;
}

/** The same network of ours. */
export interface OwnNetwork<P> {
  readonly params: P;
  readonly apply: (params: P, x: Tensor) => Tensor;
  readonly engine: Engine;
  readonly tolerance: number;
}

/** Output and gradients are diffusers'; what it gives no gradient (fixed frequencies) gets zeros here. */
export async function expectNetwork<P>(golden: GoldenNetwork, { params, apply, engine, tolerance }: OwnNetwork<P>): Promise<void> {
  const loss = (at: { params: P; x: Tensor }): { loss: Tensor; y: Tensor } => {
    const y = apply(at.params, at.x);
    return { loss: sum(mul(y, toTensor(golden.cotangent))), y };
  };
  const { value, grad } = valueAndGrad(loss)({ params, x: toTensor(golden.x) });
  const gradients = namedTensors(grad.params);
  await realize([value.y, grad.x, ...gradients.values()], { engine });
  expect(value.y.shape).toEqual(golden.output.shape);
  expectClose(await numbers(value.y), golden.output, { tolerance, label: 'output' });
  expectClose(await numbers(grad.x), golden.inputGradient, { tolerance, label: 'input gradient' });
  const floor = 0.01 * Math.max(...Object.values(golden.gradients).map(largestOf));
  for (const [key, expected] of Object.entries(golden.gradients))
    expectClose(await numbers(gradients.get(key)!), expected, { tolerance, floor, label: key });
  for (const [key, gradient] of gradients)
    if (!(key in golden.gradients))
      expect(
        (await numbers(gradient)).every((g) => g === 0),
        key,
      ).toBe(true);
}
