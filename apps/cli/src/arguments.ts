import { UserError } from '@langevin/tensor';
import { InvalidArgumentError } from 'commander';

/** An option's integer within bounds. */
export function integer(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^[+-]?\d+$/.test(text) && Number.isSafeInteger(value) && value >= least && value <= most) return value;
    // A bound that nobody meets is said to those who met it: seeds of other programs have up to 64 bits.
    const above = value > most || most < Number.MAX_SAFE_INTEGER;
    throw new InvalidArgumentError(above ? `Give an integer from ${least} to ${most}.` : `Give an integer >= ${least}.`);
  };
}

/** `a, b,c` */
export function list(text: string): readonly string[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0) throw new InvalidArgumentError('Give names with commas between them.');
  return names;
}

/** An option that may be given several times. */
export function collect(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}

/** `eta=0.5`, given several times: an object whose values are numbers, true, false, JSON where it begins with a bracket, or text. */
export function setting(text: string, before: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  const at = text.indexOf('=');
  const name = text.slice(0, at).trim();
  if (at < 1 || !/^[a-z][a-zA-Z0-9]*$/.test(name)) throw new InvalidArgumentError('Give name=value, such as eta=0.5.');
  return { ...before, [name]: parsed(text.slice(at + 1).trim()) };
}

function parsed(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  if (/^[{[]/u.test(text)) {
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      throw new InvalidArgumentError(`A value that begins with a bracket is JSON: ${(error as Error).message}.`);
    }
  }
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** Parses a number within a range. */
export function number(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isFinite(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Give a number from ${least} to ${most}.`);
  };
}

/** The sides of pictures as a command line says them, `640x448`. */
export function pictureSides(size: string | undefined, command: string): { readonly width?: number; readonly height?: number } {
  if (size === undefined) return {};
  const match = /^(\d{1,5})x(\d{1,5})$/u.exec(size);
  if (match === null)
    throw new UserError(`[cli/${command}] size is not one: --size=${size}. Give width and height in pixels, such as 512x768.`);
  return { width: Number(match[1]), height: Number(match[2]) };
}
