import { shownValue, UserError } from '@langevin/tensor';
import type { HostTensor } from './host-tensor.ts';

const START = 0x9e3779b9;
/** Odd, so that multiplying by it loses nothing. */
const FACTOR = 0x85ebca6b;

/**
 * A number of 32 bits, as 8 hexadecimal digits, that says whether text and tensors are those that were written. Each word goes in by a
 * one-to-one step, so that a change within one word is always found, and any other but for one in 2^32. It keeps nobody from forging.
 *
 * @example
 * const tensors = new Map([['w', { dtype: 'float32', shape: [1], data: Float32Array.of(1) } as const]]);
 * checksumOf(['step 1'], tensors) === checksumOf(['step 2'], tensors); // => false
 */
export function checksumOf(text: readonly string[], tensors: ReadonlyMap<string, HostTensor>): string {
  if (!Array.isArray(text) || !text.every((part) => typeof part === 'string'))
    throw new UserError(`[io/checksum] text is a list of texts: text=${shownValue(text)}. Pass such as ['step 1'].`);
  if (!(tensors instanceof Map)) throw new UserError(`[io/checksum] tensors are a Map: tensors=${shownValue(tensors)}. Pass one by name.`);
  const encoder = new TextEncoder();
  let sum = START;
  const add = (bytes: Uint8Array): void => {
    sum = mixed(mixed(sum, bytes.byteLength), 0);
    const words = bytes.byteLength >>> 2;
    // A view of words begins at a multiple of 4.
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
    const view = new Uint32Array(aligned.buffer, aligned.byteOffset, words);
    for (let i = 0; i < words; i++) sum = mixed(sum, view[i]!);
    for (const byte of aligned.subarray(words * 4)) sum = mixed(sum, byte);
  };
  for (const part of text) add(encoder.encode(part));
  for (const name of [...tensors.keys()].sort()) {
    const { dtype, shape, data } = tensors.get(name)!;
    add(encoder.encode(JSON.stringify([name, dtype, shape])));
    add(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return (sum >>> 0).toString(16).padStart(8, '0');
}

/** MurmurHash3's way of mixing: xor, turn, multiply; each can be undone. */
function mixed(sum: number, word: number): number {
  const turned = sum ^ word;
  return Math.imul((turned << 13) | (turned >>> 19), FACTOR) + 1;
}
