import { UserError } from '@langevin/tensor';

/** Throws unless an option is a number for which a condition holds. */
export function checkOption(
  sampler: string,
  option: { readonly name: string; readonly value: unknown; readonly holds: boolean; readonly remedy: string },
): void {
  if (typeof option.value === 'number' && option.holds) return;
  throw new UserError(`[samplers/${sampler}] option out of range: ${option.name}=${shown(option.value)}. ${option.remedy}`);
}

/** Throws unless an option is a finite number >= 0. */
export function checkAtLeastZero(sampler: string, name: string, value: number, remedy = 'Pass a number >= 0.'): void {
  checkOption(sampler, { name, value, holds: value >= 0 && Number.isFinite(value), remedy });
}

/** Throws unless an option is a finite number > 0. */
export function checkPositive(sampler: string, name: string, value: number, remedy = 'Pass a number > 0.'): void {
  checkOption(sampler, { name, value, holds: value > 0 && Number.isFinite(value), remedy });
}

/** Throws unless an option is in 0..1. */
export function checkShare(sampler: string, name: string, value: number, remedy = 'Pass a number in 0..1.'): void {
  checkOption(sampler, { name, value, holds: value >= 0 && value <= 1, remedy });
}

/** Throws unless an option is a whole number >= least. */
export function checkCount(
  sampler: string,
  name: string,
  value: number,
  { least = 1, remedy = 'Pass a positive integer.' }: { readonly least?: number; readonly remedy?: string } = {},
): void {
  checkOption(sampler, { name, value, holds: Number.isSafeInteger(value) && value >= least, remedy });
}

/** Throws unless the value is one of the known ones; `also` says what else would be. */
export function checkChoice<const Value extends string | number>(
  sampler: string,
  name: string,
  value: unknown,
  known: readonly Value[],
  also?: string,
): asserts value is Value {
  if (known.some((each) => each === value)) return;
  throw new UserError(
    `[samplers/${sampler}] unknown ${name}: ${name}=${shown(value)}. Known: ${known.join(', ')}${also === undefined ? '' : `, ${also}`}.`,
  );
}

/** Throws unless an option is an object with these methods: a sampler, a process. */
export function checkMethods(
  sampler: string,
  name: string,
  value: object,
  { methods, remedy }: { readonly methods: readonly string[]; readonly remedy: string },
): void {
  checkKind(sampler, { name, value, holds: isObject(value) && methods.every((method) => typeof value[method] === 'function'), remedy });
}

/** Throws unless an option is a sampler. */
export function checkBase(sampler: string, value: object): void {
  checkMethods(sampler, 'base', value, { methods: ['init', 'step'], remedy: 'Pass a sampler, such as ddim().' });
}

/** Throws unless an option is of the kind that was looked for. */
export function checkKind(
  sampler: string,
  option: { readonly name: string; readonly value: unknown; readonly holds: boolean; readonly remedy: string },
): void {
  if (option.holds) return;
  throw new UserError(`[samplers/${sampler}] wrong kind of option: ${option.name}=${shown(option.value)}. ${option.remedy}`);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** A value in a message: strings in quotes, as "1" is no number; objects and functions by kind. */
function shown(value: unknown): string {
  if (typeof value === 'string') return `"${value}"`;
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'function') return 'a function';
  return isObject(value) ? 'an object' : String(value);
}
