import type { DType, HostArrays } from '@langevin/tensor';
import { isHostArray, sizeOf, UserError } from '@langevin/tensor';

/** An array with its shape on the host, row-major. 16-bit floats are bit patterns, `bool` is one byte of 0 or 1. */
export type HostTensor = {
  [D in DType]: { readonly dtype: D; readonly shape: readonly number[]; readonly data: HostArrays[D] };
}[DType];

/** The raw bytes of a typed array, shared with it; of a Node Buffer, the same bytes as a plain Uint8Array. */
export function bytesOfArray(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}

/** @throws {UserError} when the array does not hold the dtype or has not as many elements as the shape */
export function checkHostTensor(tensor: HostTensor, where: string): void {
  const { dtype, shape, data } = tensor;
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new UserError(`${where} has shape=[${shape.join(', ')}]; every dimension must be an integer >= 0.`);
  }
  if (!isHostArray(dtype, data)) {
    throw new UserError(
      `${where} has dtype=${dtype}, but its data is a ${(data as object)?.constructor?.name}. Use the typed array of that dtype.`,
    );
  }
  if (data.length !== sizeOf(shape)) {
    throw new UserError(`${where} has shape=[${shape.join(', ')}] = ${sizeOf(shape)} elements, but its data has ${data.length}.`);
  }
}
