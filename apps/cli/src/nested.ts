import { resolveSampler } from '@langevin/samplers/compat';
import { UserError } from '@langevin/tensor';
import type { Registries } from './families.ts';

/** Options of samplers that are samplers or processes themselves. */
const NESTED = { base: 'sampler', process: 'process' } as const;

/**
 * Options with the values that name a sampler or a process made into one: `base=euler`, or with options of its own
 * `base={"name":"heun","sChurn":20}`.
 *
 * @throws UserError when such a value is no name and no object with one
 */
export function withNested(options: Readonly<Record<string, unknown>>, registries: Registries): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [
      key,
      Object.hasOwn(NESTED, key) ? made(key as keyof typeof NESTED, value, registries) : value,
    ]),
  );
}

function made(key: keyof typeof NESTED, value: unknown, registries: Registries): unknown {
  const { name, ...own } =
    typeof value === 'string'
      ? { name: value }
      : typeof value === 'object' && value !== null
        ? (value as Readonly<Record<string, unknown>>)
        : {};
  if (typeof name !== 'string')
    throw new UserError(
      `[cli/sample] option is a ${NESTED[key]}: --set ${key}=${JSON.stringify(value)}. Give a name, or an object with one: --set `
        + `'${key}={"name":"${key === 'base' ? 'heun' : 'vp-linear'}"}'.`,
    );
  if (NESTED[key] === 'process') return registries.processes.create(name, Object.keys(own).length === 0 ? undefined : own);
  return resolveSampler(name, {
    program: 'langevin',
    ...registries,
    ...(Object.keys(own).length > 0 && { options: withNested(own, registries) }),
  }).sampler;
}
