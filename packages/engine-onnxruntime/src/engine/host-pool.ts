import type { ValueInfo } from '@langevin/tensor';
import type { OrtTensor } from '../runtime/ort.ts';

/** What lies idle at most: a few large images, nothing next to what a training step needs. */
const CAPACITY_BYTES = 64 * 2 ** 20;

/** Smaller arrays come from memory that is at hand. */
const SMALLEST_BYTES = 256 * 1024;

/**
 * Storage of results that were disposed of, for the next results of their dtype and shape. Fresh memory of some megabytes is slower to
 * come by than to compute: the system zeroes it page by page, and garbage collection runs to make room.
 */
export class HostPool {
  /** Oldest first. */
  readonly #idle = new Map<OrtTensor, string>();
  #bytes = 0;

  take(info: ValueInfo): OrtTensor | undefined {
    const wanted = keyOf(info);
    for (const [tensor, key] of this.#idle) {
      if (key !== wanted) continue;
      this.#remove(tensor);
      return tensor;
    }
    return undefined;
  }

  give(tensor: OrtTensor, info: ValueInfo): void {
    if (tensor.data.byteLength < SMALLEST_BYTES) return;
    this.#idle.set(tensor, keyOf(info));
    this.#bytes += tensor.data.byteLength;
    for (const [oldest] of this.#idle) {
      if (this.#bytes <= CAPACITY_BYTES) break;
      this.#remove(oldest);
    }
  }

  clear(): void {
    this.#idle.clear();
    this.#bytes = 0;
  }

  #remove(tensor: OrtTensor): void {
    this.#idle.delete(tensor);
    this.#bytes -= tensor.data.byteLength;
  }
}

const keyOf = ({ dtype, shape }: ValueInfo): string => `${dtype} ${shape.join()}`;
