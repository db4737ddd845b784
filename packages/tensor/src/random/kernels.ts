import { wasmKernels } from '../host/wasm.ts';
import { normalBlocks32, PIVOT_INVERSE, PIVOT_LOG } from './box-muller.ts';
import { normalPairs, type CounterRange } from './normal-pairs.ts';

export type FillNormals = (out: Float32Array, range: CounterRange) => void;

/** Counters that one call of the kernel takes. */
const CAPACITY = 4096;

/** {@link normalPairs}, in a small part of the time, where there is WebAssembly with vectors; undefined elsewhere. */
export function wasmNormals(): FillNormals | undefined {
  const kernels = wasmKernels();
  if (kernels === undefined) return undefined;
  const normals = new Float32Array(kernels.memory.buffer, kernels.NORMALS.value, 4 * CAPACITY);
  return (out, { first, count, domain, identity }) => {
    const [key0, key1, upper0, upper1] = identity;
    for (let done = 0; done < count; ) {
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

export type NormalBlocks = (data: Float32Array, range: { readonly start: number; readonly blocks: number }) => void;

/** Blocks of 16 that one call of the kernel takes. */
const BLOCKS = CAPACITY / 4;

/** {@link normalBlocks32} with the same bits, two pairs at a time, where there is WebAssembly with vectors; undefined elsewhere. */
export function wasmBlocks(): NormalBlocks | undefined {
  const kernels = wasmKernels();
  if (kernels === undefined) return undefined;
  const { buffer } = kernels.memory;
  new Float64Array(buffer, kernels.PIVOTS.value, 2 * PIVOT_LOG.length).set(interleaved(PIVOT_LOG, PIVOT_INVERSE));
  const place = new Float32Array(buffer, kernels.NORMALS.value, 16 * BLOCKS);
  return (data, { start, blocks }) => {
    for (let done = 0; done < blocks; done += BLOCKS) {
      const some = Math.min(BLOCKS, blocks - done);
      const part = data.subarray(start + 16 * done, start + 16 * (done + some));
      place.set(part);
      kernels.torchBlocks(some);
      part.set(some === BLOCKS ? place : place.subarray(0, 16 * some));
    }
  };
}

function interleaved(a: Float64Array, b: Float64Array): Float64Array {
  return Float64Array.from({ length: 2 * a.length }, (_, i) => (i % 2 === 0 ? a : b)[i >> 1]!);
}

let blocksOf: NormalBlocks | undefined;

/** Uniforms made normals in blocks of 16, as {@link normalBlocks32} does, by the fastest way there is. */
export function normalBlocks(data: Float32Array, range: { readonly start: number; readonly blocks: number }): void {
  blocksOf ??= wasmBlocks() ?? normalBlocks32;
  blocksOf(data, range);
}
