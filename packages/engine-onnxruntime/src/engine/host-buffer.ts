import type { DType, EngineBuffer, HostArray, Shape, ValueInfo } from '@langevin/tensor';
import { allocateHost, fromBfloat16Bits, InternalError, isHostArray, showShape, sizeOf, toBfloat16Bits, UserError } from '@langevin/tensor';
import { foreignBuffer } from './fits.ts';
import type { HostPool } from './host-pool.ts';
import type { Ort, OrtData, OrtTensor, OrtTensorType } from '../runtime/ort.ts';

/** bfloat16 values travel as the float32 numbers they stand for: the bindings have no such tensor. */
export const tensorTypes: Readonly<Record<DType, OrtTensorType>> = {
  float32: 'float32',
  float16: 'float16',
  bfloat16: 'float32',
  int32: 'int32',
  int64: 'int64',
  uint8: 'uint8',
  bool: 'bool',
};

/**
 * Storage in host memory, shared with the typed array that was uploaded; garbage collection frees it. A result's goes to the pool
 * when it is disposed of: nobody else has its array.
 */
export class HostBuffer implements EngineBuffer {
  readonly shape: Shape;
  readonly dtype: DType;
  #tensor: OrtTensor | undefined;
  readonly #pool: HostPool | undefined;

  constructor(info: ValueInfo, tensor: OrtTensor, pool?: HostPool) {
    this.shape = info.shape;
    this.dtype = info.dtype;
    this.#tensor = tensor;
    this.#pool = pool;
  }

  get tensor(): OrtTensor {
    if (!this.#tensor)
      throw new UserError(`[engine-onnxruntime] buffer was disposed: ${this.dtype}${showShape(this.shape)}. Keep it until its last use.`);
    return this.#tensor;
  }

  dispose(): void {
    if (this.#tensor) this.#pool?.give(this.#tensor, this);
    this.#tensor = undefined;
  }
}

/** A buffer as one of ours. @throws InternalError for another engine's */
export function hostBuffer(buffer: EngineBuffer): HostBuffer {
  if (buffer instanceof HostBuffer) return buffer;
  throw foreignBuffer(buffer);
}

/** Wrap a host array as a tensor, without a copy (except bfloat16, which is widened). */
export function tensorFromHost(ort: Ort, data: HostArray, { dtype, shape }: ValueInfo): OrtTensor {
  if (!isHostArray(dtype, data) || data.length !== sizeOf(shape)) {
    throw new InternalError(
      `[engine-onnxruntime] data does not fit: dtype=${dtype}, shape=${showShape(shape)}, data=${data.constructor.name}[${data.length}].`,
    );
  }
  const stored: OrtData = dtype === 'bfloat16' ? Float32Array.from(data as Uint16Array, fromBfloat16Bits) : data;
  return new ort.Tensor(tensorTypes[dtype], dtype === 'float16' ? asHalves(stored as Uint16Array) : stored, shape);
}

/** Where the language has Float16Array, ONNX Runtime takes a Uint16Array for plain numbers: show it the bits as what they are. */
function asHalves(bits: Uint16Array): OrtData {
  const { Float16Array } = globalThis as {
    readonly Float16Array?: new (buffer: ArrayBufferLike, offset: number, length: number) => OrtData;
  };
  return Float16Array ? new Float16Array(bits.buffer, bits.byteOffset, bits.length) : bits;
}

/** A zero-filled tensor for a run to write into. */
export function emptyTensor(ort: Ort, { dtype, shape }: ValueInfo): OrtTensor {
  const data = allocateHost(dtype === 'bfloat16' ? 'float32' : dtype, sizeOf(shape));
  return new ort.Tensor(tensorTypes[dtype], dtype === 'float16' ? asHalves(data as Uint16Array) : data, shape);
}

/** A copy of a host tensor's elements in the host form of its dtype. */
export function hostFromTensor(data: OrtData, dtype: DType): HostArray {
  if (dtype === 'bfloat16') return Uint16Array.from(data as Float32Array, toBfloat16Bits);
  if (dtype === 'float16') return new Uint16Array(data.buffer, data.byteOffset, data.length).slice();
  return data.slice() as HostArray;
}
