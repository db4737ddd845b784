import { UserError } from './errors.ts';

/** Which numbers are allowed; a side without a bound is free. NaN never is, and Infinity only where it is named. */
export interface NumberRange {
  readonly atLeast?: number;
  readonly above?: number;
  readonly atMost?: number;
  readonly below?: number;
  /** @default 'real' */
  readonly kind?: 'real' | 'integer';
  /** @default 'refused', as most quantities have no meaning there */
  readonly infinity?: 'refused' | 'allowed';
  /** What to do instead, where more can be said than the range. @default the range in words */
  readonly advice?: string;
}

/** Values come from anywhere, so of a long one only the beginning is shown. */
const MOST_SHOWN = 60;

/**
 * Refuses numbers that are out of range: the one such check of all packages.
 *
 * @param where "package/part", as errors begin
 * @param values what was given, by name
 * @param range what is allowed for each of them
 * @throws UserError that names the first wrong value and the range
 * @example
 * checkNumber('samplers/heun', { sChurn: 40, sNoise: 1 }, { atLeast: 0 });
 * let said = '';
 * try {
 *   checkNumber('core-schedules/flow', { shift: -1 }, { above: 0 });
 * } catch (error) {
 *   said = (error as Error).message;
 * }
 * said; // => '[core-schedules/flow] shift is out of range: shift=-1. Pass a number > 0.'
 */
export function checkNumber(where: string, values: Readonly<Record<string, unknown>>, range: NumberRange = {}): void {
  for (const name of Object.keys(values)) {
    const value = values[name];
    if (isWithin(value, range)) continue;
    throw new UserError(
      `[${where}] ${name} is out of range: ${name}=${shownValue(value)}. ${range.advice ?? `Pass ${rangeInWords(range, value)}.`}`,
    );
  }
}

/**
 * Whether a value is a number that {@link checkNumber} lets pass.
 *
 * @example
 * isWithin(0.5, { above: 0, atMost: 1 }); // => true
 * isWithin(0.5, { kind: 'integer' }); // => false
 */
export function isWithin(value: unknown, range: NumberRange): value is number {
  const { atLeast = -Infinity, above, atMost = Infinity, below, kind = 'real', infinity = 'refused' } = range;
  if (typeof value !== 'number' || Number.isNaN(value)) return false;
  if (!Number.isFinite(value) && infinity === 'refused') return false;
  if (kind === 'integer' && Number.isFinite(value) && !Number.isSafeInteger(value)) return false;
  return value >= atLeast && (above === undefined || value > above) && value <= atMost && (below === undefined || value < below);
}

/**
 * A value from outside as an error shows it: text in quotes, since "1" is no number; lists, objects and functions by their kind; long
 * ones cut.
 *
 * @example
 * shownValue('1'); // => '"1"'
 * shownValue([1, 2]); // => 'a list'
 * shownValue(null); // => 'null'
 */
export function shownValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(cut(value));
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null ? 'an object' : cut(String(value));
}

function cut(text: string): string {
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}...`;
}

/** The range as people write it; that it ends before infinity is said where infinity was given. */
export function rangeInWords(range: NumberRange, given?: unknown): string {
  const { atLeast, above, atMost, below, kind = 'real', infinity = 'refused' } = range;
  const noun = kind === 'integer' ? 'an integer' : given === Infinity || given === -Infinity ? 'a finite number' : 'a number';
  if (atLeast !== undefined && atLeast === atMost) return String(atLeast);
  if (atLeast !== undefined && atMost !== undefined) return `${noun} in ${atLeast}..${atMost}`;
  const bounds = [
    ...(above === undefined ? [] : [`> ${above}`]),
    ...(atLeast === undefined ? [] : [`>= ${atLeast}`]),
    ...(below === undefined ? [] : [`< ${below}`]),
    ...(atMost === undefined ? [] : [`<= ${atMost}`]),
  ];
  if (bounds.length === 0) return kind === 'integer' ? noun : infinity === 'allowed' ? noun : 'a finite number';
  return `${noun} ${bounds.join(' and ')}`;
}
