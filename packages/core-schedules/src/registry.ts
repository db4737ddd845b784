import { UserError } from '@langevin/tensor';

/** Makes a value from options that may come from a command line; it checks them itself. */
export type Factory<V> = (options?: never) => V;

/** Named factories of one kind, such as spacings or samplers: a value, to which plugins add by making another. */
export interface Registry<V> {
  /** What the names name, in the singular: "spacing". */
  readonly kind: string;
  readonly names: readonly string[];
  /** @throws UserError for an unknown name, with the nearest known one and all others */
  readonly create: (name: string, options?: object) => V;
  /** A registry with more entries. @throws UserError when a name is taken */
  readonly with: (entries: Readonly<Record<string, Factory<V>>>) => Registry<V>;
}

/**
 * @example
 * const toys = createRegistry('toy', { ball: () => 'a ball' });
 * toys.create('ball'); // => 'a ball'
 */
export function createRegistry<V>(kind: string, entries: Readonly<Record<string, Factory<V>>>): Registry<V> {
  const factories = new Map(Object.entries(entries));
  const names = Object.freeze([...factories.keys()].sort());
  return Object.freeze({
    kind,
    names,
    create: (name: string, options?: object) => {
      const factory = factories.get(name) as ((options?: object) => V) | undefined;
      if (factory === undefined) {
        const near = nearest(name, names);
        throw new UserError(`[${kind}] unknown ${kind}: "${name}".${near === undefined ? '' : ` Did you mean "${near}"?`} Known: ${names.join(', ')}.`);
      }
      return options === undefined ? factory() : factory(options);
    },
    with: (more: Readonly<Record<string, Factory<V>>>) => {
      const taken = Object.keys(more).find((name) => factories.has(name));
      if (taken !== undefined) throw new UserError(`[${kind}] the name of a ${kind} is taken: "${taken}". Choose another.`);
      return createRegistry(kind, { ...entries, ...more });
    },
  });
}

/** The closest name, if close enough to be a slip. */
function nearest(name: string, names: readonly string[]): string | undefined {
  const ranked = names.map((known) => ({ known, distance: editDistance(name.slice(0, 64), known) })).sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(1, Math.floor(best.known.length / 2)) ? best.known : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
