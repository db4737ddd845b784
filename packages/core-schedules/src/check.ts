import { UserError } from '@langevin/tensor';

/** What a number must satisfy; `open` ends are excluded. */
interface Bounds {
  readonly min?: number;
  readonly max?: number;
  readonly openMin?: boolean;
  readonly openMax?: boolean;
  readonly integer?: boolean;
}

/** Throws unless `value` is a finite number within the bounds. `where` is "package/part". */
export function checkNumber(where: string, name: string, value: unknown, bounds: Bounds = {}): asserts value is number {
  const { min = -Infinity, max = Infinity, openMin = false, openMax = false, integer = false } = bounds;
  const finite = typeof value === 'number' && (integer ? Number.isSafeInteger(value) : Number.isFinite(value));
  if (finite && (openMin ? value > min : value >= min) && (openMax ? value < max : value <= max)) return;
  const range = `${openMin || min === -Infinity ? '(' : '['}${min}, ${max}${openMax || max === Infinity ? ')' : ']'}`;
  throw new UserError(`[${where}] ${name} must be ${integer ? 'an integer' : 'a number'} in ${range}: ${name}=${String(value)}. Pass a value in that range.`);
}
