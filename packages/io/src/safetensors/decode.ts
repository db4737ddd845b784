import { hostView } from '@langevin/tensor';
import { checkBytes } from '../given.ts';
import type { HostTensor } from '../host-tensor.ts';
import { parseSafetensorsHeader } from './header.ts';
import { supportedDType } from './reader.ts';

/**
 * Decode the bytes of a whole safetensors file. Tensors share memory with `bytes` where alignment allows it.
 *
 * @throws {UserError} when the file is not well-formed
 * @throws {UnsupportedError} when a tensor has a dtype that Langevin does not hold
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  label = 'the given bytes',
): { readonly tensors: ReadonlyMap<string, HostTensor>; readonly metadata: Readonly<Record<string, string>> } {
  checkBytes(bytes, '[io/safetensors]');
  const header = parseSafetensorsHeader(bytes, { fileBytes: bytes.byteLength, label });
  const tensors = new Map<string, HostTensor>();
  for (const entry of header.entries.values()) {
    const dtype = supportedDType(entry, label);
    const data = hostView(dtype, bytes.subarray(entry.offset, entry.offset + entry.byteLength));
    tensors.set(entry.name, { dtype, shape: entry.shape, data } as HostTensor);
  }
  return { tensors, metadata: header.metadata };
}
