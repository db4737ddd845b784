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
  throw new UserError(
    `[${where}] ${name} must be ${integer ? 'an integer' : 'a number'} in ${range}: ${name}=${String(value)}. Pass a value in that range.`,
  );
}

/** Throws unless a batch of `length` divides into so many equal parts. */
export function checkParts(length: number, parts: number): void {
  if (Number.isInteger(parts) && parts >= 1 && length % parts === 0) return;
  throw new UserError(
    `[core-schedules/algebra] the batch does not divide into equal parts: length=${length}, parts=${parts}. Pass the number of `
      + 'states that were put together.',
  );
}

/** Throws unless q is a share. */
export function checkQuantile(q: number): void {
  checkNumber('core-schedules/algebra', 'q', q, { min: 0, max: 1 });
}
