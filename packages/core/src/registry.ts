import { didYouMean, readOptions, shownValue, UserError } from '@langevin/tensor';

/** Makes a value from options that may come from a command line; it checks their values itself. */
export interface Factory<V> {
  (options: never): V;
  /** The names of its options, as {@link declareOptions} puts them there. @default none */
  readonly options?: readonly string[];
}

/** Named factories of one kind, such as spacings or samplers: a value, to which plugins add by making another. */
export interface Registry<V> {
  /** What the names name, in the singular: "spacing". */
  readonly kind: string;
  readonly names: readonly string[];
  /** The names of the options of an entry. @throws UserError for an unknown name */
  readonly optionsOf: (name: string) => readonly string[];
  /** @throws UserError for an unknown name or option, with the nearest known one and all others */
  readonly create: (name: string, options?: object) => V;
  /** A registry with more entries. @throws UserError when a name is taken, or an entry is no function */
  readonly with: (entries: Readonly<Record<string, Factory<V>>>) => Registry<V>;
}

/**
 * A factory that says which options it has, for plugins: a registry refuses any other, as it does for factories of its own.
 *
 * @throws UserError for what is no factory, or no list of names
 * @example
 * const ball = declareOptions(({ colour = 'red' }: { colour?: string } = {}) => `a ${colour} ball`, ['colour']);
 * const toys = createRegistry('toy', { ball });
 * toys.create('ball', { colour: 'blue' }); // => 'a blue ball'
 */
export function declareOptions<Make extends (options?: never) => unknown>(
  factory: Make,
  options: readonly string[],
): Make & { readonly options: readonly string[] } {
  checkFactory('registry', 'factory', factory);
  if (!Array.isArray(options) || !Array.from(options as readonly unknown[]).every((name) => typeof name === 'string'))
    throw new UserError(`[core/registry] options are a list of names: options=${shownValue(options)}. Pass such as ['strength'].`);
  const declared = ((given?: never) => factory(given)) as Make;
  return Object.freeze(Object.assign(declared, { options: Object.freeze([...options]) }));
}

/**
 * A registry; `options` names what each factory may be given, where the factory does not say it itself.
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
  const factoryOf = (name: string): Factory<V> => {
    const factory = factories.get(name);
    if (factory !== undefined) return factory;
    const hint = typeof name === 'string' ? didYouMean(name, names) : '';
    throw new UserError(`[${kind}] unknown ${kind}: ${shownValue(name)}.${hint} Known: ${names.join(', ')}.`);
  };
  const declared = (name: string): readonly string[] | undefined =>
    factoryOf(name).options ?? (Object.hasOwn(options, name) ? options[name] : undefined);
  const optionsOf = (name: string): readonly string[] => declared(name) ?? [];
  return Object.freeze({
    kind,
    names,
    optionsOf,
    create: (name: string, given?: object) => {
      const factory = factoryOf(name) as (options?: object) => V;
      if (given === undefined) return factory();
      checkNames(`${kind}/${name}`, readOptions(`${kind}/${name}`, given), declared(name));
      return factory(given);
    },
    with: (more: Readonly<Record<string, Factory<V>>>) => {
      for (const [name, factory] of Object.entries(readOptions(kind, more))) {
        checkFactory(kind, name, factory);
        if (factories.has(name)) throw new UserError(`[${kind}] the name of a ${kind} is taken: ${shownValue(name)}. Choose another.`);
      }
      return createRegistry(kind, { ...entries, ...more }, options);
    },
  });
}

function checkFactory(kind: string, name: string, factory: unknown): void {
  if (typeof factory === 'function') return;
  throw new UserError(`[${kind}] an entry of a registry is a function that makes it: ${name}=${shownValue(factory)}. Pass a factory.`);
}

/** Throws where options hold one that is not known: a typing error would go unnoticed. */
function checkNames(where: string, given: object, declared: readonly string[] | undefined): void {
  const known = declared ?? [];
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new UserError(
    `[${where}] unknown option: ${shownValue(unknown)}.${didYouMean(unknown, known)} `
      + (declared === undefined
        ? 'It declares no options; a plugin names its own with declareOptions().'
        : known.length === 0
          ? 'It has no options.'
          : `Known: ${known.join(', ')}.`),
  );
}
