import { shownValue, UserError } from '@langevin/tensor';

/** One option by its name. */
type Named = Readonly<Record<string, unknown>>;

/**
 * Throws unless an option is one of the known choices; `also` says what else it may be.
 *
 * @throws UserError that names the option, its value and the choices
 * @example
 * checkChoice('mine', { form: 'plain' }, ['plain', 'fast']);
 */
export function checkChoice(
  sampler: string,
  option: Named,
  choices: readonly (string | number)[] | { readonly known: readonly (string | number)[]; readonly also: string },
): void {
  const { known, also } = 'also' in choices ? choices : { known: choices, also: undefined };
  for (const [name, value] of Object.entries(option)) {
    if (known.some((each) => each === value)) continue;
    const all = also === undefined ? known : [...known, also];
    throw new UserError(`[samplers/${sampler}] unknown ${name}: ${name}=${shownValue(value)}. Known: ${all.join(', ')}.`);
  }
}

/**
 * Throws unless an option is an object with these methods: a sampler, a process.
 *
 * @throws UserError that names the option and says what to pass
 * @example
 * checkMethods('mine', { base: ddim() }, { methods: ['step'], remedy: 'Pass a sampler, such as ddim().' });
 */
export function checkMethods(
  sampler: string,
  option: Named,
  { methods, remedy }: { readonly methods: readonly string[]; readonly remedy: string },
): void {
  for (const [name, value] of Object.entries(option))
    checkKind(sampler, { name, value, holds: isObject(value) && methods.every((method) => typeof value[method] === 'function'), remedy });
}

/** Throws unless an option is a sampler. */
export function checkBase(sampler: string, base: unknown): void {
  checkMethods(sampler, { base }, { methods: ['init', 'step'], remedy: 'Pass a sampler, such as ddim().' });
}

/** Throws unless an option is of the kind that was looked for. */
export function checkKind(
  sampler: string,
  option: { readonly name: string; readonly value: unknown; readonly holds: boolean; readonly remedy: string },
): void {
  if (option.holds) return;
  throw new UserError(`[samplers/${sampler}] wrong kind of option: ${option.name}=${shownValue(option.value)}. ${option.remedy}`);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
