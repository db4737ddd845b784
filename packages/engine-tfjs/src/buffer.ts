import { UserError, showShape } from '@langevin/tensor';
import type { DType, EngineBuffer, IndexRange, Shape, ValueInfo } from '@langevin/tensor';
import type { Tensor } from '@tensorflow/tfjs-core';

/** Frees the TensorFlow.js tensors of buffers that nobody disposed of. */
const forgotten = new FinalizationRegistry<Tensor>((tensor) => tensor.dispose());

/** Where a buffer is, and what the host has seen of it. */
export interface TfjsPlace {
  readonly backend: string;
  readonly range?: IndexRange | undefined;
}

/** A TensorFlow.js tensor as an engine's buffer. */
export class TfjsBuffer implements EngineBuffer {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly backend: string;
  /** The least and greatest element of uploaded integers: should they serve as indices. */
  readonly range: IndexRange | undefined;
  #tensor: Tensor | undefined;

  /** Takes over `tensor`: nothing else disposes of it. */
  constructor(tensor: Tensor, { shape, dtype }: ValueInfo, { backend, range }: TfjsPlace) {
    this.shape = shape;
    this.dtype = dtype;
    this.backend = backend;
    this.range = range;
    this.#tensor = tensor;
    forgotten.register(this, tensor, this);
  }

  /** @throws UserError after `dispose`. */
  get tensor(): Tensor {
    if (this.#tensor === undefined) {
      throw new UserError(
        `[engine-tfjs/buffer] buffer was disposed of: shape=${showShape(this.shape)}, dtype=${this.dtype}. Keep it until its last use.`,
      );
    }
    return this.#tensor;
  }

  dispose(): void {
    forgotten.unregister(this);
    this.#tensor?.dispose();
    this.#tensor = undefined;
  }
}

/** @throws UserError for a buffer of another engine or backend. */
export function asTfjsBuffer(buffer: EngineBuffer, backend: string): TfjsBuffer {
  if (!(buffer instanceof TfjsBuffer) || buffer.backend !== backend) {
    throw new UserError(
      '[engine-tfjs/buffer] buffer belongs to another engine: '
        + `backend="${buffer instanceof TfjsBuffer ? buffer.backend : 'not tfjs'}", expected "${backend}". Download it there and `
        + 'upload it here.',
    );
  }
  return buffer;
}
