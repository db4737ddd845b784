import type { HostArray } from '../dtype.ts';

/** 106 bits of a string or of bytes, by two multiplicative hashes: for cache keys, not against adversaries. */
function hash(length: number, at: (index: number) => number): string {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  let c = 0xc2b2ae35;
  let d = 0x27d4eb2f;
  for (let i = 0; i < length; i++) {
    const x = at(i);
    a = Math.imul(a ^ x, 0x01000193);
    b = Math.imul(b ^ x, 0x5bd1e995) ^ (b >>> 15);
    c = Math.imul(c ^ (x + i), 0x1b873593) ^ (c >>> 13);
    d = Math.imul(d + x, 0xcc9e2d51) ^ (d >>> 16);
  }
  return [a ^ length, b, c, d].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}

export function textHash(text: string): string {
  return hash(text.length, (i) => text.charCodeAt(i));
}

export function contentHash(data: HostArray): string {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return hash(bytes.length, (i) => bytes[i]!);
}
