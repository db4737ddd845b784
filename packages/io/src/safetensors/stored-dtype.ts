import type { DType } from '@langevin/tensor';

/** Bits per element of every element type the safetensors format names (safetensors 0.8, `Dtype`). */
const STORED_BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

/** An element type as it is spelled in a safetensors file. */
export type StoredDType = keyof typeof STORED_BITS;

const TO_STORED = {
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int32: 'I32',
  int64: 'I64',
  uint8: 'U8',
  bool: 'BOOL',
} as const satisfies Record<DType, StoredDType>;

const FROM_STORED = new Map<StoredDType, DType>(Object.entries(TO_STORED).map(([dtype, stored]) => [stored, dtype as DType]));

export function isStoredDType(name: string): name is StoredDType {
  return Object.hasOwn(STORED_BITS, name);
}

export function storedBits(stored: StoredDType): number {
  return STORED_BITS[stored];
}

export function toStoredDType(dtype: DType): StoredDType {
  return TO_STORED[dtype];
}

/** The dtype that holds these elements here, or null when Langevin has none. */
export function fromStoredDType(stored: StoredDType): DType | null {
  return FROM_STORED.get(stored) ?? null;
}
