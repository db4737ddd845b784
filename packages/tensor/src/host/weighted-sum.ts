import { KERNELS } from './kernels.generated.ts';
import { instantiate, type Kernels, type Place } from './wasm.ts';

/** A step of a running sum: sum = keep * sum + factor * value. The first step has nothing to keep. */
export interface SumStep {
  readonly keep: number;
  readonly factor: number;
  /** As long as the result. */
  readonly value: Float32Array;
}

/** See assembly/sums.ts. */
interface SumKernels extends Kernels {
  readonly SUM: Place;
  readonly VALUE: Place;
  readonly scale: (count: number, factor: number) => void;
  readonly blend: (count: number, keep: number, factor: number) => void;
}

export type WeightedSum = (out: Float32Array, steps: readonly SumStep[]) => void;

/** Numbers that one call of a kernel takes. */
const CAPACITY = 4096;

/** {@link plainWeightedSum}, four numbers at a time, where there is WebAssembly with vectors; undefined elsewhere. */
export function wasmWeightedSum(): WeightedSum | undefined {
  const kernels = instantiate<SumKernels>(KERNELS);
  if (kernels === undefined) return undefined;
  const sum = new Float32Array(kernels.memory.buffer, kernels.SUM.value, CAPACITY);
  const next = new Float32Array(kernels.memory.buffer, kernels.VALUE.value, CAPACITY);
  return (out, steps) => {
    for (let done = 0; done < out.length; done += CAPACITY) {
      const some = Math.min(CAPACITY, out.length - done);
      const part = (value: Float32Array): Float32Array => (value.length <= CAPACITY ? value : value.subarray(done, done + some));
      const [first, ...rest] = steps;
      sum.set(part(first!.value));
      // The first product is made as the second value comes, where the sum of both is not to be multiplied in between.
      let open = first!.factor;
      for (const { keep, factor, value } of rest) {
        if (open !== 1 && keep !== 1) kernels.scale(some, open);
        next.set(part(value));
        kernels.blend(some, open !== 1 && keep === 1 ? open : keep, factor);
        open = 1;
      }
      if (open !== 1) kernels.scale(some, open);
      out.set(some === CAPACITY ? sum : sum.subarray(0, some), done);
    }
  };
}

/** The same bits in plain code. */
export function plainWeightedSum(out: Float32Array, steps: readonly SumStep[]): void {
  steps.forEach(({ keep, factor, value }, k) => {
    const [kept, share] = [Math.fround(keep), Math.fround(factor)];
    // Products and sums of two floats that are rounded from float64 are those of float32.
    if (k === 0) for (let i = 0; i < out.length; i++) out[i] = share * value[i]!;
    else for (let i = 0; i < out.length; i++) out[i] = Math.fround(kept * out[i]!) + Math.fround(share * value[i]!);
  });
}

let fastest: WeightedSum | undefined;

/**
 * A running sum in float32, every product and every sum rounded: the bits of an engine that multiplies and adds whole tensors one after
 * another, in a fraction of its passes over memory. For engines whose tensors are arrays on the host.
 *
 * @param out replaced; none of the values
 * @param steps at least one; factors are rounded to float32
 * @example
 * import { weightedSum } from '@langevin/tensor';
 *
 * const out = new Float32Array(2);
 * weightedSum(out, [{ keep: 0, factor: 2, value: Float32Array.of(1, 2) }, { keep: 1, factor: -1, value: Float32Array.of(1, 1) }]);
 * out; // => [1, 3]
 */
export function weightedSum(out: Float32Array, steps: readonly SumStep[]): void {
  fastest ??= wasmWeightedSum() ?? plainWeightedSum;
  fastest(out, steps);
}
