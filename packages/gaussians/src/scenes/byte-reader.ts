import { UserError } from '@langevin/tensor';

/** Little-endian numbers from bytes that nobody vouches for; each read is checked against the end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #label: string;
  #at = 0;

  /** @param label names the file in messages */
  constructor(bytes: Uint8Array, label: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#label = label;
  }

  get remaining(): number {
    return this.#bytes.byteLength - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  /** @throws UserError beyond 2^53 - 1 */
  u64(what: string): number {
    const value = this.#view.getBigUint64(this.#take(8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.error(`${what}=${value} is impossibly large`);
    return Number(value);
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  f64s(count: number): number[] {
    return Array.from({ length: count }, () => this.f64());
  }

  /** A count of records of at least so many bytes each, all of which must still be in the file. */
  count(what: string, leastBytes: number): number {
    const count = this.u64(what);
    if (count > this.remaining / leastBytes)
      throw this.error(`${what}=${count} needs at least ${count * leastBytes} bytes, ${this.remaining} follow`);
    return count;
  }

  skip(bytes: number): void {
    this.#take(bytes);
  }

  /** Text up to a zero byte. */
  text(what: string, mostBytes: number): string {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0 || end - this.#at > mostBytes) throw this.error(`${what} does not end within ${mostBytes} bytes`);
    const text = new TextDecoder().decode(this.#bytes.subarray(this.#at, end));
    this.#at = end + 1;
    return text;
  }

  /** @throws UserError unless all was read */
  end(): void {
    if (this.remaining > 0) throw this.error(`${this.remaining} bytes are left after the last record`);
  }

  error(fault: string): UserError {
    return new UserError(`[gaussians/scenes] ${this.#label} is damaged at byte ${this.#at}: ${fault}. Export the model again.`);
  }

  #take(bytes: number): number {
    if (bytes > this.remaining) throw this.error(`it ends here, ${bytes} more bytes are needed`);
    const at = this.#at;
    this.#at += bytes;
    return at;
  }
}
