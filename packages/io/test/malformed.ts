/** Builds safetensors files by hand, so that tests can write what the encoder refuses to. */
export function rawFile(header: string | object, options: { readonly data?: number; readonly declared?: bigint } = {}): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const { data = 0, declared = BigInt(text.byteLength) } = options;
  const bytes = new Uint8Array(8 + text.byteLength + data);
  new DataView(bytes.buffer).setBigUint64(0, declared, true);
  bytes.set(text, 8);
  return bytes;
}

/** Numbers in [0, 1) from a linear congruential generator, enough to choose mutations. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
