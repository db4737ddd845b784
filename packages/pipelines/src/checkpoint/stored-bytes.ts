import { sizeOf, type DType } from '@langevin/tensor';
import type { WeightFile } from './files.ts';

const BYTES: Readonly<Record<DType, number>> = { float32: 4, float16: 2, bfloat16: 2, int32: 4, int64: 8, uint8: 1, bool: 1 };

/** Bytes of tensors as files store them; those of types that no engine holds are not known. */
export function storedBytes({ tensors, stored }: Pick<WeightFile, 'tensors' | 'stored'>): number {
  let bytes = 0;
  for (const [name, entry] of tensors)
    if (!('unread' in entry)) bytes += stored.get(name)?.byteLength ?? sizeOf(entry.shape) * BYTES[entry.dtype];
  return bytes;
}
