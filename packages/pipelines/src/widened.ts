import type { HostTensor } from '@langevin/io';
import { fromBfloat16Bits, fromFloat16Bits } from '@langevin/tensor';

/** float16 and bfloat16 as float32, which every engine computes with; other entries as they are. */
export function widened(entry: HostTensor): HostTensor {
  if (entry.dtype !== 'float16' && entry.dtype !== 'bfloat16') return entry;
  const toNumber = entry.dtype === 'float16' ? fromFloat16Bits : fromBfloat16Bits;
  return { dtype: 'float32', shape: entry.shape, data: Float32Array.from(entry.data, toNumber) };
}
