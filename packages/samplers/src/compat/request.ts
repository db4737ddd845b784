import { UserError } from '@langevin/tensor';

/**
 * Throws unless exactly one of the named options is given.
 *
 * @throws UserError naming those that are
 */
export function exclusive(name: string, given: object, names: readonly string[]): void {
  const present = Object.entries(given).flatMap(([key, value]) => (value !== undefined && names.includes(key) ? [key] : []));
  if (present.length === 1) return;
  throw new UserError(
    `[samplers/compat] ${name}: setTimesteps takes one of ${names.join(', ')}: given `
      + `${present.length === 0 ? 'none' : present.join(' and ')}. Pass exactly one.`,
  );
}
