import { instantiate, type Kernels, type Place } from '../host/wasm.ts';
import { KERNELS } from './kernels.generated.ts';
import { normalPairs, type CounterRange } from './normal-pairs.ts';

/** See assembly/index.ts. */
interface NormalKernels extends Kernels {
  readonly NORMALS: Place;
  readonly normals: (
    ...call: readonly [count: number, low: number, high: number, upper0: number, upper1: number, key0: number, key1: number]
  ) => void;
}

export type FillNormals = (out: Float32Array, range: CounterRange) => void;

/** Counters that one call of the kernel takes. */
const CAPACITY = 4096;

/** {@link normalPairs}, in a small part of the time, where there is WebAssembly with vectors; undefined elsewhere. */
export function wasmNormals(): FillNormals | undefined {
  const kernels = instantiate<NormalKernels>(KERNELS);
  if (kernels === undefined) return undefined;
  const normals = new Float32Array(kernels.memory.buffer, kernels.NORMALS.value, 4 * CAPACITY);
  return (out, { first, count, domain, identity }) => {
    const [key0, key1, upper0, upper1] = identity;
    for (let done = 0; done < count;) {
      const low = (first + done) % 2 ** 32;
      const some = Math.min(CAPACITY, count - done, 2 ** 32 - low);
      kernels.normals(some, low, Math.floor((first + done) / 2 ** 32) + domain * 2 ** 24, upper0!, upper1!, key0!, key1!);
      out.set(some === CAPACITY ? normals : normals.subarray(0, 4 * some), 4 * done);
      done += some;
    }
  };
}

let fill: FillNormals | undefined;

/** Four float32 normals for each counter: those of {@link normalPairs}, by the fastest way there is. */
export function fillNormals(out: Float32Array, range: CounterRange): void {
  fill ??= wasmNormals() ?? normalPairs;
  fill(out, range);
}
