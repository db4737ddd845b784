import { didYouMean, UserError } from '@langevin/tensor';

/** Makes a value from options that may come from a command line; it checks them itself. */
export type Factory<V> = (options?: never) => V;

/** Named factories of one kind, such as spacings or samplers: a value, to which plugins add by making another. */
export interface Registry<V> {
  /** What the names name, in the singular: "spacing". */
  readonly kind: string;
  readonly names: readonly string[];
  /**
   * Options of entries that plugins added are theirs to check.
   *
   * @throws UserError for an unknown name or option, with the nearest known one and all others
   */
  readonly create: (name: string, options?: object) => V;
  /** A registry with more entries. @throws UserError when a name is taken */
  readonly with: (entries: Readonly<Record<string, Factory<V>>>) => Registry<V>;
}

/**
 * A registry; `options` names what each factory may be given, and factories that it does not list are given anything.
 *
 * @example
 * const toys = createRegistry('toy', { ball: () => 'a ball' });
 * toys.create('ball'); // => 'a ball'
 */
export function createRegistry<V>(
  kind: string,
  entries: Readonly<Record<string, Factory<V>>>,
  options: Readonly<Record<string, readonly string[]>> = {},
): Registry<V> {
  const factories = new Map(Object.entries(entries));
  const names = Object.freeze([...factories.keys()].sort());
  return Object.freeze({
    kind,
    names,
    create: (name: string, given?: object) => {
      const factory = factories.get(name) as ((options?: object) => V) | undefined;
      if (factory === undefined) {
        throw new UserError(`[${kind}] unknown ${kind}: "${name}".${didYouMean(name, names)} Known: ${names.join(', ')}.`);
      }
      if (given === undefined) return factory();
      if (Object.hasOwn(options, name)) checkNames(`${kind}/${name}`, given, options[name]!);
      return factory(given);
    },
    with: (more: Readonly<Record<string, Factory<V>>>) => {
      const taken = Object.keys(more).find((name) => factories.has(name));
      if (taken !== undefined) throw new UserError(`[${kind}] the name of a ${kind} is taken: "${taken}". Choose another.`);
      return createRegistry(kind, { ...entries, ...more }, options);
    },
  });
}

/** Throws where options hold one that is not known: a typing error would go unnoticed. */
function checkNames(where: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new UserError(
    `[${where}] unknown option: "${unknown}".${didYouMean(unknown, known)} `
      + `${known.length === 0 ? 'It has no options.' : `Known: ${known.join(', ')}.`}`,
  );
}
