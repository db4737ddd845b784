import { InvalidArgumentError } from 'commander';

/** An option's integer within bounds. */
export function integer(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^[+-]?\d+$/.test(text) && Number.isSafeInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(most === Number.MAX_SAFE_INTEGER ? `Give an integer >= ${least}.` : `Give an integer from ${least} to ${most}.`);
  };
}

/** `a, b,c` */
export function list(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim()).filter((name) => name !== '');
  if (names.length === 0) throw new InvalidArgumentError('Give names with commas between them.');
  return names;
}

/** An option that may be given several times. */
export function collect(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}
