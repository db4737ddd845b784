/** Codes of GIF have at most twelve bits. */
const MOST_CODES = 4096;
/** A prime number well above the codes, so that few meet in a slot. */
const SLOTS = 9973;
const EMPTY = -1;

/**
 * GIF's compression of a picture of palette indices (GIF89a, appendix F): Lempel-Ziv-Welch with codes that grow from one bit above
 * `bits` to twelve, lowest bits first, in blocks of at most 255 bytes with their length before them.
 *
 * @param bits of an index, 2..8
 */
export function lzwBlocks(indices: Uint8Array, bits: number): Uint8Array {
  const clear = 1 << bits;
  const keys = new Int32Array(SLOTS).fill(EMPTY);
  const codes = new Uint16Array(SLOTS);
  let next = clear + 2;
  let size = bits + 1;

  // Never more than twelve bits for each index, a clear code and the end; with a length for every 255 bytes.
  const room = Math.ceil((12 * (indices.length + Math.ceil(indices.length / 1024) + 4)) / 8);
  const out = new Uint8Array(room + Math.ceil(room / 255) + 5);
  out[0] = bits;
  let block = 1;
  let at = 2;
  let buffer = 0;
  let waiting = 0;
  const putByte = (byte: number): void => {
    out[at++] = byte;
    if (at - block - 1 < 255) return;
    out[block] = 255;
    block = at++;
  };
  const put = (code: number): void => {
    buffer |= code << waiting;
    for (waiting += size; waiting >= 8; waiting -= 8) {
      putByte(buffer & 255);
      buffer >>>= 8;
    }
  };

  put(clear);
  let prefix = indices[0]!;
  for (let i = 1; i < indices.length; i++) {
    const index = indices[i]!;
    const key = (prefix << 8) | index;
    let slot = (key * 7) % SLOTS;
    while (keys[slot] !== EMPTY && keys[slot] !== key) slot = slot + 1 === SLOTS ? 0 : slot + 1;
    if (keys[slot] === key) {
      prefix = codes[slot]!;
      continue;
    }
    put(prefix);
    prefix = index;
    if (next < MOST_CODES) {
      keys[slot] = key;
      codes[slot] = next;
      // The decoder learns a code one step later, so sizes grow when the code after the largest is given.
      if (next++ === 1 << size) size++;
    } else {
      put(clear);
      keys.fill(EMPTY);
      next = clear + 2;
      size = bits + 1;
    }
  }
  put(prefix);
  // The decoder makes a code of this one, too.
  if (next === 1 << size && next < MOST_CODES) size++;
  put(clear + 1);
  if (waiting > 0) putByte(buffer & 255);
  // A block of no bytes ends the picture.
  const length = at - block - 1;
  out[block] = length;
  return out.slice(0, length === 0 ? at : at + 1);
}
