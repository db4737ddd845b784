import { shownValue } from './check-number.ts';
import { didYouMean } from './did-you-mean.ts';
import { UnsupportedError, UserError } from './errors.ts';

/** Element types. `bfloat16` is for storage: cast it before computing. `bool` holds 0 or 1 in a byte. */
export type DType = 'float32' | 'float16' | 'bfloat16' | 'int32' | 'int64' | 'uint8' | 'bool';

/** The typed array that holds each dtype on the host. 16-bit floats are bit patterns. */
export interface HostArrays {
  float32: Float32Array;
  float16: Uint16Array;
  bfloat16: Uint16Array;
  int32: Int32Array;
  int64: BigInt64Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}

export type HostArray = HostArrays[DType];

const HOST_CONSTRUCTORS = {
  float32: Float32Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const;

export const dtypes = Object.keys(HOST_CONSTRUCTORS) as readonly DType[];

/** Check a dtype that came from outside. */
export function checkDType(where: string, dtype: unknown): asserts dtype is DType {
  if (dtypes.some((known) => known === dtype)) return;
  const near = typeof dtype === 'string' ? didYouMean(dtype, dtypes) : '';
  throw new UserError(`[${where}] unknown dtype: dtype=${shownValue(dtype)}.${near} Known: ${dtypes.join(', ')}.`);
}

/** Bytes of one element. */
export function itemSize(dtype: DType): number {
  return HOST_CONSTRUCTORS[dtype].BYTES_PER_ELEMENT;
}

export function isFloating(dtype: DType): boolean {
  return dtype === 'float32' || dtype === 'float16' || dtype === 'bfloat16';
}

/** A zero-filled host array of `size` elements. @throws UnsupportedError when the process has no room for it */
export function allocateHost<D extends DType>(dtype: D, size: number): HostArrays[D] {
  try {
    return new HOST_CONSTRUCTORS[dtype](size) as HostArrays[D];
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new UnsupportedError(
      `[tensor/allocate] no room for a tensor: dtype=${dtype}, elements=${size}, ${((size * itemSize(dtype)) / 2 ** 30).toFixed(1)} GiB `
        + 'in one array. Use a smaller shape or batch, or a process with more memory.',
      { cause },
    );
  }
}

/** A view of `size` elements of raw bytes; copied when the offset is not aligned for the dtype. */
export function hostView<D extends DType>(dtype: D, bytes: Uint8Array): HostArrays[D] {
  const Constructor = HOST_CONSTRUCTORS[dtype];
  const aligned = bytes.byteOffset % Constructor.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new Constructor(
    aligned.buffer as ArrayBuffer,
    aligned.byteOffset,
    aligned.byteLength / Constructor.BYTES_PER_ELEMENT,
  ) as HostArrays[D];
}

/** Whether a typed array is the host representation of `dtype`. */
export function isHostArray(dtype: DType, value: unknown): value is HostArray {
  return value instanceof HOST_CONSTRUCTORS[dtype];
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** Round a float32 to the nearest bfloat16 (ties to even); NaN stays NaN. */
export function toBfloat16Bits(value: number): number {
  scratch[0] = value;
  const bits = scratchBits[0]!;
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

export function fromBfloat16Bits(bits: number): number {
  scratchBits[0] = bits << 16;
  return scratch[0]!;
}

/** Round a float32 to the nearest IEEE half (ties to even), overflow to infinity; NaN stays NaN. */
export function toFloat16Bits(value: number): number {
  scratch[0] = value;
  const bits = scratchBits[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Subnormal halves are multiples of 2^-24: let float addition round to the nearest even one.
    scratch[0] = Math.abs(scratch[0]!) + 0.5;
    return sign | (scratchBits[0]! - 0x3f000000);
  }
  const roundToEven = 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((magnitude - 0x38000000 + roundToEven) >>> 13);
}

export function fromFloat16Bits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Convert plain numbers to the host array of a dtype; integers must be integers in range. */
export function hostFromNumbers(dtype: DType, values: ArrayLike<number>): HostArray {
  // In one piece, which for the noise of a sampler's step is a tenth of the time.
  if (dtype === 'float32' && (values instanceof Float32Array || values instanceof Float64Array)) return new Float32Array(values);
  const out = allocateHost(dtype, values.length);
  const write = elementWriter(dtype, out);
  for (let i = 0; i < values.length; i++) write(i, values[i]!);
  return out;
}

/** Read a host array as plain numbers (int64 values beyond 2^53 lose digits). */
export function numbersFromHost(dtype: DType, data: HostArray): number[] {
  switch (dtype) {
    case 'float16':
      return Array.from(data as Uint16Array, fromFloat16Bits);
    case 'bfloat16':
      return Array.from(data as Uint16Array, fromBfloat16Bits);
    case 'int64':
      return Array.from(data as BigInt64Array, Number);
    case 'float32':
    case 'int32':
    case 'uint8':
    case 'bool':
      return Array.from(data as Float32Array | Int32Array | Uint8Array);
  }
}

const INTEGER_RANGES: Partial<Record<DType, readonly [number, number]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint8: [0, 255],
  bool: [0, 1],
};

export function elementWriter(dtype: DType, out: HostArray): (index: number, value: number) => void {
  const range = INTEGER_RANGES[dtype];
  const check = (value: number): number => {
    if (range && !(Number.isInteger(value) && value >= range[0] && value <= range[1])) {
      throw new UserError(
        `[tensor/dtype] value is not a valid ${dtype}: value=${value}. Give an integer in [${range[0]}, ${range[1]}] or choose `
          + 'another dtype.',
      );
    }
    return value;
  };
  switch (dtype) {
    case 'float16':
      return (i, v) => void ((out as Uint16Array)[i] = toFloat16Bits(v));
    case 'bfloat16':
      return (i, v) => void ((out as Uint16Array)[i] = toBfloat16Bits(v));
    case 'int64':
      return (i, v) => void ((out as BigInt64Array)[i] = BigInt(check(v)));
    case 'float32':
    case 'int32':
    case 'uint8':
    case 'bool':
      return (i, v) => void ((out as Float32Array | Int32Array | Uint8Array)[i] = check(v));
  }
}
