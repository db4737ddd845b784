import type { Box } from '../files/asset.ts';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export function count(value: number): string {
  return whole.format(value);
}

/** Bytes as people read them. */
export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  const units = ['kB', 'MB', 'GB'];
  let scaled = value / 1000;
  let unit = 0;
  while (scaled >= 1000 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return `${scaled.toFixed(scaled < 10 ? 2 : scaled < 100 ? 1 : 0)} ${units[unit]}`;
}

/** Sides of a box and its middle. */
export function bounds({ low, high }: Box): string {
  // As fine as three figures of the longest side.
  const longest = Math.max(...high.map((value, axis) => value - low[axis]!));
  const digits = longest > 0 ? Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(longest)))) : 2;
  const fixed = (value: number): string =>
    value
      .toFixed(digits)
      .replace(/^-(?=[\d.]*[1-9])/u, '−')
      .replace(/^-/u, '');
  const sides = high.map((value, axis) => fixed(value - low[axis]!));
  const middle = high.map((value, axis) => fixed((value + low[axis]!) / 2));
  return `${sides.join(' × ')}, around (${middle.join(', ')})`;
}

/** Three figures. */
export function figure(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(1);
  return value.toFixed(Math.max(0, 2 - Math.floor(Math.log10(size)))).replace('-', '−');
}

/** The part of a message that is for people: without the place in the code that our packages put before it. */
export function plain(message: string): string {
  const text = message.replace(/^\[[\w./-]+\]\s*/u, '');
  // A word is begun as a sentence is; the name of a file stays as it is.
  if (!/^[a-z]+(?: |$)/u.test(text)) return text;
  return text.charAt(0).toUpperCase() + text.slice(1);
}
