import type { UnreadWeight } from '@langevin/nn';
import { sizeOf, type DType, type Tensor } from '@langevin/tensor';

const BYTES: Readonly<Record<DType, number>> = { float32: 4, float16: 2, bfloat16: 2, int32: 4, int64: 8, uint8: 1, bool: 1 };

/** Bytes of tensors as files store them; those of types that no engine holds are not known. */
export function storedBytes(tensors: ReadonlyMap<string, Tensor | UnreadWeight>): number {
  let bytes = 0;
  for (const entry of tensors.values()) if (!('unread' in entry)) bytes += sizeOf(entry.shape) * BYTES[entry.dtype];
  return bytes;
}
