import { UserError } from '../errors.ts';
import { MAX_COUNT, type IntegerRange } from './generator.ts';

const TWO_63 = 1n << 63n;
const TWO_64 = 1n << 64n;

/** Short printable form of an untrusted value for an error message. */
export function show(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number' || value === null || value === undefined || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  return Array.isArray(value) ? `an array of ${value.length}` : `a value of type ${typeof value}`;
}

/** Throws unless `value` is an integer in `min .. max`. */
export function checkInteger(
  name: string,
  value: unknown,
  bounds: { readonly min: number; readonly max: number },
): asserts value is number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < bounds.min || value > bounds.max) {
    throw new UserError(
      `[tensor/random] ${name} must be an integer in ${bounds.min}..${bounds.max}: ${name}=${show(value)}. Pass a whole number in `
        + 'that range.',
    );
  }
}

export function checkCount(name: string, value: number): void {
  checkInteger(name, value, { min: 0, max: MAX_COUNT });
}

export function checkRange({ low, high }: IntegerRange): void {
  checkInteger('low', low, { min: -(2 ** 31), max: 2 ** 31 - 1 });
  checkInteger('high', high, { min: -(2 ** 31), max: 2 ** 31 });
  if (low >= high) {
    throw new UserError(
      `[tensor/random] low must be below high: low=${low}, high=${high}. high itself is never drawn, so pass high >= ${low + 1}.`,
    );
  }
}

/**
 * A seed as PyTorch reads it: an unsigned 64-bit number, where a negative seed stands for its two's complement.
 *
 * @throws UserError for anything but an integer in -2^63 .. 2^64-1 (numbers: a safe integer, so that no bit was lost before the call)
 */
export function seedToUint64(seed: number | bigint): bigint {
  if (typeof seed === 'number' ? !Number.isSafeInteger(seed) : typeof seed !== 'bigint') {
    throw new UserError(
      `[tensor/random] seed must be an integer: seed=${show(seed)}. Pass a whole number of magnitude below 2^53, or a bigint for more.`,
    );
  }
  const wide = BigInt(seed);
  if (wide < -TWO_63 || wide >= TWO_64) {
    throw new UserError(`[tensor/random] seed must fit in 64 bits: seed=${show(seed)}. Pass a value in -2^63 .. 2^64-1.`);
  }
  return BigInt.asUintN(64, wide);
}

/** Reads a seed written by `state()`: the decimal digits of an unsigned 64-bit number. */
export function parseStateSeed(value: unknown): bigint {
  if (typeof value !== 'string' || !/^(0|[1-9][0-9]{0,19})$/.test(value) || BigInt(value) >= TWO_64) {
    throw new UserError(
      `[tensor/random] state.seed must be the decimal digits of an unsigned 64-bit number: state.seed=${show(value)}. Pass the `
        + 'value of state() unchanged.',
    );
  }
  return BigInt(value);
}
