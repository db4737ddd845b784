import { UnsupportedError } from '@langevin/tensor';
import { FREE } from './layout.ts';
import type { WasmMemory } from './platform.ts';

/** Hands out so many bytes; returns where they are. */
export type Space = (bytes: number) => number;

/** Hands out pieces of the memory from `start` on, in whole cache lines, and lets it grow. */
export function reserve(memory: WasmMemory, start = FREE): Space {
  let next = start;
  return (bytes) => {
    const at = next;
    // The last vector of an array may reach beyond its end.
    next += Math.ceil((bytes + 12) / 64) * 64;
    const missing = Math.ceil((next - memory.buffer.byteLength) / 65_536);
    if (missing > 0) {
      try {
        memory.grow(Math.max(missing, Math.min(1024, memory.buffer.byteLength / 65_536)));
      } catch {
        try {
          memory.grow(missing);
        } catch (cause) {
          throw new UnsupportedError(
            `[gaussians/cpu] the picture does not fit into the memory of the kernels: bytes=${next}. Draw a smaller picture, or `
              + 'fewer Gaussians.',
            { cause },
          );
        }
      }
    }
    return at;
  };
}

/** Puts an array into the memory, or leaves it where it is when that is in the bytes before `start`; returns where. */
export function placeUnlessThere(
  { memory, space, start }: { readonly memory: WasmMemory; readonly space: Space; readonly start: number },
  given: Float32Array,
): number {
  const there = addressOf(memory, given);
  return there !== undefined && there < start ? there : place(memory, space, given);
}

/** Puts an array into the memory; returns where. */
export function place(memory: WasmMemory, space: Space, given: ArrayLike<number>): number {
  const at = space(4 * given.length);
  new Float32Array(memory.buffer, at, given.length).set(given);
  return at;
}

/** Whose buffers they are: a memory that grows has a new one each time, for the same bytes. */
const owners = new WeakMap<object, WasmMemory>();

/** The numbers that lie there, as they are: they change with the next job. */
export function floats(memory: WasmMemory, at: number, length: number): Float32Array {
  const { buffer } = memory;
  owners.set(buffer, memory);
  return new Float32Array(buffer, at, length);
}

/** Where an array of {@link floats} lies in this memory; undefined for others. */
export function addressOf(memory: WasmMemory, array: Float32Array): number | undefined {
  return owners.get(array.buffer) === memory ? array.byteOffset : undefined;
}
