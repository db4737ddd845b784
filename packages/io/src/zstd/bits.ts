/** What is wrong with compressed data; the caller knows whose data it is and makes a UserError of it. */
export class Damage extends Error {}

/** Bits from the last byte back, where the highest set bit marks the beginning (RFC 8878, 4.1). Below the first byte there are zeros. */
export class BackwardBits {
  readonly #bytes: Uint8Array;
  /** Bits that are left; negative when more were taken than there are. */
  left: number;

  constructor(bytes: Uint8Array) {
    const last = bytes.at(-1) ?? 0;
    if (last === 0) throw new Damage('has a bit stream without its end mark');
    this.#bytes = bytes;
    this.left = 8 * bytes.length - 1 - Math.clz32(last << 24);
  }

  /** @param count 0 to 32 */
  read(count: number): number {
    if (count > 24) return this.read(count - 16) * 65536 + this.read(16);
    this.left -= count;
    return this.#extract(this.left, count);
  }

  /** The next `count` bits, 0 to 24, without taking them. */
  peek(count: number): number {
    return this.#extract(this.left - count, count);
  }

  #extract(at: number, count: number): number {
    if (at < 0) return count + at <= 0 ? 0 : this.#extract(0, count + at) << -at;
    const bytes = this.#bytes;
    const i = at >> 3;
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    return (word >>> (at & 7)) & ((1 << count) - 1);
  }
}

/** Bits from the first byte on, lowest first. Taking more than there are is damage. */
export class ForwardBits {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bits that may reach past the end, which reads as zeros. */
  peek(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) value |= (((this.#bytes[(this.#at + i) >> 3] ?? 0) >> ((this.#at + i) & 7)) & 1) << i;
    return value;
  }

  skip(count: number): void {
    this.#at += count;
    if (this.#at > 8 * this.#bytes.length) throw new Damage('ends inside a table');
  }

  read(count: number): number {
    const value = this.peek(count);
    this.skip(count);
    return value;
  }

  /** Whole bytes that were touched. */
  get bytesRead(): number {
    return (this.#at + 7) >> 3;
  }
}
