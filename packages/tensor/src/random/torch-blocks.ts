import { KERNELS } from '../host/kernels.generated.ts';
import { instantiate, type Kernels, type Place } from '../host/wasm.ts';
import { normalBlocks32, PIVOT_INVERSE, PIVOT_LOG } from './box-muller.ts';

/** See assembly/torch-normals.ts. */
interface BlockKernels extends Kernels {
  readonly BLOCKS: Place;
  readonly PIVOTS: Place;
  readonly torchBlocks: (blocks: number) => void;
}

export type NormalBlocks = (data: Float32Array, range: { readonly start: number; readonly blocks: number }) => void;

/** Blocks of 16 that one call of the kernel takes. */
const MOST = 1024;

/** {@link normalBlocks32} with the same bits, two pairs at a time, where there is WebAssembly with vectors; undefined elsewhere. */
export function wasmBlocks(): NormalBlocks | undefined {
  const kernels = instantiate<BlockKernels>(KERNELS);
  if (kernels === undefined) return undefined;
  const { buffer } = kernels.memory;
  new Float64Array(buffer, kernels.PIVOTS.value, 2 * PIVOT_LOG.length).set(interleaved(PIVOT_LOG, PIVOT_INVERSE));
  const place = new Float32Array(buffer, kernels.BLOCKS.value, 16 * MOST);
  return (data, { start, blocks }) => {
    for (let done = 0; done < blocks; done += MOST) {
      const some = Math.min(MOST, blocks - done);
      const part = data.subarray(start + 16 * done, start + 16 * (done + some));
      place.set(part);
      kernels.torchBlocks(some);
      part.set(some === MOST ? place : place.subarray(0, 16 * some));
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
