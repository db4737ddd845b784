import { UnsupportedError, UserError } from '@langevin/tensor';
import type { DType, HostArray } from '@langevin/tensor';
import type { TypedArray } from '@tensorflow/tfjs-core';

/** The TensorFlow.js dtype that holds a Langevin dtype. */
export type StorageDType = 'float32' | 'int32';

/**
 * Everything that is not float32 lives in int32. TensorFlow.js has no 64-bit or unsigned integers, and its own `bool` holds one byte
 * per element, which several wasm kernels overrun (StridedSlice, Reverse) or fill with values other than 0 and 1 (Cast).
 */
const STORAGE: Readonly<Record<DType, StorageDType | undefined>> = {
  float32: 'float32',
  float16: undefined,
  bfloat16: undefined,
  int32: 'int32',
  int64: 'int32',
  uint8: 'int32',
  bool: 'int32',
};

/** @throws UnsupportedError for the 16-bit floats. */
export function storageOf(dtype: DType, where: string): StorageDType {
  const storage = STORAGE[dtype];
  if (storage === undefined) {
    throw new UnsupportedError(
      `[engine-tfjs/${where}] TensorFlow.js has no ${dtype}: dtype=${dtype}. Cast to float32 before this engine sees it, or use `
        + '@langevin/engine-onnxruntime.',
    );
  }
  return storage;
}

/** Host data as TensorFlow.js takes it; the array itself where the types agree. */
export function toStorage(dtype: DType, data: HostArray): Float32Array | Int32Array {
  if (storageOf(dtype, 'upload') === 'float32') return data as Float32Array;
  if (dtype === 'int32') return data as Int32Array;
  if (dtype === 'int64') return narrowInt64(data as BigInt64Array);
  return Int32Array.from(data as Uint8Array);
}

/** A fresh host array of `dtype` from what TensorFlow.js returned. */
export function fromStorage(dtype: DType, values: TypedArray): HostArray {
  if (dtype === 'int64') return BigInt64Array.from(values as Int32Array, BigInt);
  if (dtype === 'int32') return new Int32Array(values);
  if (dtype === 'uint8' || dtype === 'bool') return new Uint8Array(values);
  return new Float32Array(values);
}

function narrowInt64(data: BigInt64Array): Int32Array {
  const out = new Int32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (BigInt.asIntN(32, value) !== value) {
      throw new UnsupportedError(
        `[engine-tfjs/upload] int64 is held as int32 and this value does not fit: data[${i}]=${value}. Use `
          + '@langevin/engine-onnxruntime for wider integers.',
      );
    }
    out[i] = Number(value);
  }
  return out;
}

/** A fill or pad value as the storage dtype holds it. */
export function storedNumber(dtype: DType, value: number): number {
  if (dtype === 'bool') return value === 0 ? 0 : 1;
  if (storageOf(dtype, 'fill') === 'int32' && BigInt.asIntN(32, BigInt(Math.trunc(value))) !== BigInt(Math.trunc(value))) {
    throw new UserError(`[engine-tfjs/fill] value does not fit int32: value=${value}, dtype=${dtype}. Give one in [-2^31, 2^31).`);
  }
  return value;
}
