import { UserError } from '@langevin/tensor';

/** Throws unless a condition on an option holds. */
export function checkOption(sampler: string, option: { readonly name: string; readonly value: unknown; readonly holds: boolean; readonly remedy: string }): void {
  if (option.holds) return;
  throw new UserError(`[samplers/${sampler}] option out of range: ${option.name}=${String(option.value)}. ${option.remedy}`);
}

/** Throws unless an option is a finite number >= 0. */
export function checkAtLeastZero(sampler: string, name: string, value: number): void {
  checkOption(sampler, { name, value, holds: typeof value === 'number' && value >= 0 && Number.isFinite(value), remedy: 'Pass a number >= 0.' });
}
