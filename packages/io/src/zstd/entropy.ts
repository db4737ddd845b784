import { BackwardBits, Damage, ForwardBits } from './bits.ts';

/** A decoding table of finite-state entropy (RFC 8878, 4.1): by state, the symbol, and how the next state comes about. */
export interface FseTable {
  readonly log: number;
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
  readonly base: Uint16Array;
}

/** A table that always gives one symbol. */
export function singleSymbol(symbol: number): FseTable {
  return { log: 0, symbols: Uint8Array.of(symbol), bits: Uint8Array.of(0), base: Uint16Array.of(0) };
}

/** Spread normalised probabilities over the states; -1 stands for "less than one". */
export function buildFse(probabilities: readonly number[], log: number): FseTable {
  const size = 1 << log;
  const symbols = new Uint8Array(size);
  const next = probabilities.map((p) => (p === -1 ? 1 : p));
  let high = size;
  probabilities.forEach((p, symbol) => {
    if (p === -1) symbols[--high] = symbol;
  });
  const step = (size >> 1) + (size >> 3) + 3;
  let position = 0;
  probabilities.forEach((p, symbol) => {
    for (let i = 0; i < p; i++) {
      symbols[position] = symbol;
      do position = (position + step) & (size - 1);
      while (position >= high);
    }
  });
  const bits = new Uint8Array(size);
  const base = new Uint16Array(size);
  for (let state = 0; state < size; state++) {
    const n = next[symbols[state]!]!++;
    bits[state] = log - (31 - Math.clz32(n));
    base[state] = (n << bits[state]!) - size;
  }
  return { log, symbols, bits, base };
}

/** Read the description of a table (RFC 8878, 4.1.1). */
export function readFse(
  bytes: Uint8Array,
  limits: { readonly maxLog: number; readonly symbols: number },
): { readonly table: FseTable; readonly byteLength: number } {
  const bits = new ForwardBits(bytes);
  const log = bits.read(4) + 5;
  if (log > limits.maxLog) throw new Damage('has a table that is too large');
  const probabilities: number[] = [];
  let remaining = 1 << log;
  while (remaining > 0 && probabilities.length < limits.symbols) {
    const width = 32 - Math.clz32(remaining + 1);
    const lowMask = (1 << (width - 1)) - 1;
    const threshold = (1 << width) - 2 - remaining;
    let value = bits.peek(width);
    // Small values take a bit less.
    const short = (value & lowMask) < threshold;
    bits.skip(short ? width - 1 : width);
    if (short) value &= lowMask;
    else if (value > lowMask) value -= threshold;
    const probability = value - 1;
    remaining -= Math.abs(probability);
    probabilities.push(probability);
    if (probability !== 0) continue;
    for (let repeat = 3; repeat === 3;) {
      repeat = bits.read(2);
      for (let i = 0; i < repeat; i++) probabilities.push(0);
    }
  }
  if (remaining !== 0 || probabilities.length > limits.symbols) throw new Damage('has a table whose probabilities do not add up');
  return { table: buildFse(probabilities, log), byteLength: bits.bytesRead };
}

/** A Huffman table (RFC 8878, 4.2): by the next `log` bits, the symbol and how many bits were its own. */
export interface HuffmanTable {
  readonly log: number;
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
}

const MAX_HUFFMAN_LOG = 11;

export function readHuffman(bytes: Uint8Array): { readonly table: HuffmanTable; readonly byteLength: number } {
  const head = bytes[0];
  if (head === undefined) throw new Damage('ends before its Huffman table');
  const direct = head >= 128;
  const byteLength = 1 + (direct ? (head - 127 + 1) >> 1 : head);
  if (byteLength > bytes.length) throw new Damage('ends inside its Huffman table');
  const body = bytes.subarray(1, byteLength);
  const weights = direct
    ? Array.from({ length: head - 127 }, (_, i) => (i % 2 === 0 ? body[i >> 1]! >> 4 : body[i >> 1]! & 15))
    : readWeights(body);
  return { table: buildHuffman(weights), byteLength };
}

/** Weights coded by two states in turn, until the bits are used up. */
function readWeights(body: Uint8Array): number[] {
  const { table, byteLength } = readFse(body, { maxLog: 6, symbols: 16 });
  const bits = new BackwardBits(body.subarray(byteLength));
  const weights: number[] = [];
  let state = bits.read(table.log);
  let other = bits.read(table.log);
  if (bits.left < 0) throw new Damage('has a bit stream that is too short');
  while (weights.length < 255) {
    weights.push(table.symbols[state]!);
    const next = table.base[state]! + bits.read(table.bits[state]!);
    if (bits.left < 0) {
      weights.push(table.symbols[other]!);
      return weights;
    }
    state = other;
    other = next;
  }
  throw new Damage('has too many Huffman weights');
}

function buildHuffman(given: readonly number[]): HuffmanTable {
  const sum = given.reduce((total, weight) => total + (weight > 0 ? 1 << (weight - 1) : 0), 0);
  if (sum === 0) throw new Damage('has an empty Huffman table');
  const log = 32 - Math.clz32(sum);
  // The last weight is what fills the table, and must be a power of two.
  const rest = (1 << log) - sum;
  if (log > MAX_HUFFMAN_LOG || given.length > 255 || (rest & (rest - 1)) !== 0) throw new Damage('has an impossible Huffman table');
  const weights = [...given, 32 - Math.clz32(rest)];
  const symbols = new Uint8Array(1 << log);
  const bits = new Uint8Array(1 << log);
  let at = 0;
  for (let weight = 1; weight <= log; weight++) {
    weights.forEach((of, symbol) => {
      if (of !== weight) return;
      const width = 1 << (weight - 1);
      symbols.fill(symbol, at, at + width);
      bits.fill(log + 1 - weight, at, at + width);
      at += width;
    });
  }
  return { log, symbols, bits };
}

/** Decode a stream that fills `out` exactly. */
export function decodeHuffman(bytes: Uint8Array, table: HuffmanTable, out: Uint8Array): void {
  const stream = new BackwardBits(bytes);
  const { log, symbols, bits } = table;
  for (let i = 0; i < out.length; i++) {
    const index = stream.peek(log);
    out[i] = symbols[index]!;
    stream.left -= bits[index]!;
  }
  if (stream.left !== 0) throw new Damage('has literals that do not end where their bits do');
}
