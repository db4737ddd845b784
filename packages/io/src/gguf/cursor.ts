import { UserError } from '@langevin/tensor';
import type { GgufValue } from './header.ts';

/** Names have some hundred bytes, templates of chats some kilobytes. */
const LONGEST_TEXT = 16 * 1024 * 1024;
/** Vocabularies have up to 300,000 words; longer lists are damage. */
const LONGEST_LIST = 4_000_000;
/** Lists up to here are kept, longer ones are passed over. */
const KEPT = 4096;
/** Bytes of numbers, by the type that files have: uint8, int8, uint16, int16, uint32, int32, float32, bool. */
const SMALL = [1, 1, 2, 2, 4, 4, 4, 1] as const;
const [STRING, LIST, UINT64, INT64, FLOAT64] = [8, 9, 10, 11, 12];

/** Reads the parts of a GGUF header one after the other, each within bounds. */
export class GgufCursor {
  /** What is thrown where the header goes on beyond the bytes that are there. */
  static readonly beyond = Symbol('beyond the bytes that were read');

  at = 0;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #where: string;
  readonly #fileBytes: number;

  constructor(bytes: Uint8Array, { where, fileBytes }: { readonly where: string; readonly fileBytes: number }) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#where = where;
    this.#fileBytes = fileBytes;
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** A size or offset of 64 bits. */
  size(what: string): number {
    const value = this.#view.getBigUint64(this.#take(8), true);
    if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
    throw new UserError(`${what} that is impossible: ${value}. The file is damaged.`);
  }

  /** How many of something follow, each of at least so many bytes: more than the file can hold is damage. */
  count(what: string, { most, each }: { readonly most: number; readonly each: number }): number {
    const count = this.size(`${this.#where} has a number of ${what}`);
    if (count <= most && count * each <= this.#fileBytes - this.at) return count;
    throw new UserError(`${this.#where} has more ${what} than fit into it: ${what}=${count}, fileSize=${this.#fileBytes}. It is damaged.`);
  }

  text(length: number): string {
    const at = this.#take(length);
    return new TextDecoder().decode(this.#bytes.subarray(at, at + length));
  }

  string(): string {
    return this.text(this.count('bytes of a text', { most: LONGEST_TEXT, each: 1 }));
  }

  /** One of the notes. */
  value(): GgufValue {
    const type = this.uint32();
    if (type !== LIST) return this.#scalar(type);
    const element = this.uint32();
    if (element === LIST) throw new UserError(`${this.#where} has a list of lists in its notes. It is damaged.`);
    const count = this.count('entries of a list', { most: LONGEST_LIST, each: 1 });
    const kept: (number | bigint | boolean | string)[] = [];
    for (let i = 0; i < count; i++) {
      const value = this.#scalar(element);
      if (i < KEPT) kept.push(value);
    }
    return kept;
  }

  #scalar(type: number): number | bigint | boolean | string {
    if (type === STRING) return this.string();
    const size = SMALL[type] ?? (type >= UINT64! && type <= FLOAT64! ? 8 : undefined);
    if (size === undefined) throw new UserError(`${this.#where} has a note of an unknown type: type=${type}. It is damaged.`);
    const [view, at] = [this.#view, this.#take(size)];
    const readers: Readonly<Record<number, () => number | bigint | boolean>> = {
      0: () => view.getUint8(at),
      1: () => view.getInt8(at),
      2: () => view.getUint16(at, true),
      3: () => view.getInt16(at, true),
      4: () => view.getUint32(at, true),
      5: () => view.getInt32(at, true),
      6: () => view.getFloat32(at, true),
      7: () => view.getUint8(at) !== 0,
      [UINT64!]: () => view.getBigUint64(at, true),
      [INT64!]: () => view.getBigInt64(at, true),
      [FLOAT64!]: () => view.getFloat64(at, true),
    };
    return readers[type]!();
  }

  /** Moves on by some bytes and says where they begin. */
  #take(length: number): number {
    const at = this.at;
    if (at + length > this.#fileBytes)
      throw new UserError(`${this.#where} ends inside its header: size=${this.#fileBytes} bytes. Download it again.`);
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- no failure: whoever parses reads more and begins anew
    if (at + length > this.#bytes.byteLength) throw GgufCursor.beyond;
    this.at += length;
    return at;
  }
}
