import type { EngineBuffer, ValueInfo } from '@langevin/tensor';
import { InternalError, sameShape, showShape } from '@langevin/tensor';

/** A place of a graph where a buffer goes in or comes out. */
export interface Port {
  readonly role: 'input' | 'output';
  readonly index: number;
}

/** Check that a buffer is what a graph expects at one of its inputs or outputs. */
export function checkFits(buffer: EngineBuffer | undefined, info: ValueInfo, { role, index }: Port): EngineBuffer {
  if (!buffer || buffer.dtype !== info.dtype || !sameShape(buffer.shape, info.shape)) {
    const got = buffer ? `${buffer.dtype}${showShape(buffer.shape)}` : 'nothing';
    throw new InternalError(
      `[engine-onnxruntime] ${role} ${index} does not fit: expected ${info.dtype}${showShape(info.shape)}, got ${got}.`,
    );
  }
  return buffer;
}

export function foreignBuffer(buffer: EngineBuffer): InternalError {
  return new InternalError(`[engine-onnxruntime] buffer belongs to another engine: ${buffer.dtype}${showShape(buffer.shape)}.`);
}
