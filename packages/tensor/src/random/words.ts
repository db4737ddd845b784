/** Two words as a float64 in [0, 1): the low 53 bits of `high * 2^32 + low`, over 2^53. */
export function toUniform64(high: number, low: number): number {
  return ((high & 0x1fffff) * 2 ** 32 + (low >>> 0)) * 2 ** -53;
}

/** `(high * 2^32 + low) mod range`, exactly; high and low unsigned 32-bit, range in 1..2^32. */
export function modulo64(high: number, low: number, range: number): number {
  // 16 bits at a time keeps every intermediate below 2^48.
  let rest = (high >>> 0) % range;
  rest = (rest * 65536 + (low >>> 16)) % range;
  return (rest * 65536 + (low & 0xffff)) % range;
}
