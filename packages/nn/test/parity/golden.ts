import { readFileSync } from 'node:fs';
import { tensor, vjp, type DType, type HostArray, type Tensor } from '@langevin/tensor';

/** Readers of the files that tooling/parity/nn_golden.py writes. */
export interface GoldenTensor {
  readonly dtype: 'float32' | 'int32';
  readonly shape: readonly number[];
  /** Base64 of the little-endian elements. */
  readonly data: string;
}

export type GoldenTensors = Readonly<Record<string, GoldenTensor>>;

export interface GoldenCase {
  readonly name: string;
  /** Largest number of elements of a tensor of the case. */
  readonly elements: number;
  readonly params: GoldenTensors;
  readonly inputs: GoldenTensors;
  readonly cotangent: GoldenTensor;
  readonly output: GoldenTensor;
  readonly gradients: GoldenTensors;
}

export function readGolden<T>(part: string): T {
  return JSON.parse(readFileSync(new URL(`./golden/${part}.json`, import.meta.url), 'utf8')) as T;
}

export function elementsOf({ dtype, data }: GoldenTensor): Float32Array | Int32Array {
  const bytes = Buffer.from(data, 'base64');
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  return dtype === 'float32' ? new Float32Array(buffer) : new Int32Array(buffer);
}

export function tensorFrom(golden: GoldenTensor): Tensor {
  return tensor(elementsOf(golden) as HostArray, { shape: golden.shape, dtype: golden.dtype as DType });
}

export const tensorsFrom = (golden: GoldenTensors): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(golden).map(([name, value]) => [name, tensorFrom(value)]));

/** What a case computes from its tensors by name. */
export type CaseFunction = (tensors: { readonly params: Record<string, Tensor>; readonly inputs: Record<string, Tensor> }) => Tensor;

/** The output of a case and the gradients of sum(cotangent * output) by every float tensor, as the golden file has them. */
export function evaluate(golden: GoldenCase, fn: CaseFunction): { readonly output: Tensor; readonly gradients: Record<string, Tensor> } {
  const { value, pullback } = vjp((tensors: { params: Record<string, Tensor>; inputs: Record<string, Tensor> }) => fn(tensors), {
    params: tensorsFrom(golden.params),
    inputs: tensorsFrom(golden.inputs),
  });
  const [{ params, inputs }] = pullback(tensorFrom(golden.cotangent));
  return { output: value, gradients: { ...params, ...inputs } };
}

const EPS = 2 ** -23;
const largestOf = (values: ArrayLike<number>): number => Array.from(values).reduce((top, x) => Math.max(top, Math.abs(x)), 0);

/** 4 eps sqrt(elements) max|value|; a gradient that is nothing but rounding noise is measured against the largest of its case. */
export function toleranceOf(golden: GoldenCase, name: string | undefined): number {
  const unit = 4 * EPS * Math.sqrt(golden.elements);
  if (name === undefined) return unit * largestOf(elementsOf(golden.output));
  const own = largestOf(elementsOf(golden.gradients[name]!));
  const largest = Math.max(...Object.values(golden.gradients).map((g) => largestOf(elementsOf(g))));
  return unit * (own > 1e-5 * largest ? own : largest);
}

export function worstDifference(actual: ArrayLike<number>, golden: GoldenTensor): number {
  const expected = elementsOf(golden);
  if (actual.length !== expected.length) return Infinity;
  return Array.from(actual).reduce((worst, x, i) => {
    const difference = Math.abs(x - expected[i]!);
    // NaN must not pass for small.
    return difference <= worst ? worst : Number.isNaN(difference) ? Infinity : difference;
  }, 0);
}
