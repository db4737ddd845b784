// Neither Buffer (Node) nor btoa (browsers; takes strings of bytes) serves all hosts without ambient types.
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES: ReadonlyMap<string, number> = new Map(Array.from(ALPHABET, (letter, value) => [letter, value]));

/** Base64 (RFC 4648, section 4) of bytes whose number is divisible by three, so that no padding arises. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    for (let shift = 18; shift >= 0; shift -= 6) text += ALPHABET.charAt((group >>> shift) & 63);
  }
  return text;
}

/** The inverse of {@link encodeBase64}; null when the text is not base64 of exactly `length` bytes. */
export function decodeBase64(text: string, length: number): Uint8Array | null {
  if (text.length * 3 !== length * 4) return null;
  const bytes = new Uint8Array(length);
  for (let i = 0, at = 0; i < text.length; i += 4, at += 3) {
    let group = 0;
    for (let j = i; j < i + 4; j++) {
      const value = VALUES.get(text.charAt(j));
      if (value === undefined) return null;
      group = (group << 6) | value;
    }
    bytes[at] = group >>> 16;
    bytes[at + 1] = group >>> 8;
    bytes[at + 2] = group;
  }
  return bytes;
}
