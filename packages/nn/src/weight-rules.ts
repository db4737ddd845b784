import {
  didYouMean,
  isFloating,
  mapTensors,
  namedTensors,
  sameShape,
  showShape,
  tensor,
  UnsupportedError,
  UserError,
  type Tensor,
} from '@langevin/tensor';
import type { StateEntry } from './state-dict.ts';

/** One way in which files spell a weight that a class has under another name, or in another layout. */
export interface WeightRename {
  /** What of a name it is about: the whole name is matched. */
  readonly pattern: RegExp;
  /** The name of the class, with `$1` and so on from the pattern. */
  readonly becomes: string;
  /** What has to be done to the values, as a lazy tensor; it may look at the shape, and give the tensor back as it is. @default nothing */
  readonly values?: (stored: Tensor) => Tensor;
  /** What becomes of it where a file has the weight under the class's own name too: a table that is stored twice. @default refused */
  readonly ifBoth?: 'ignored';
  /** Who writes it so: "before diffusers 0.17". */
  readonly reason: string;
}

/** A tensor whose elements have a type that no engine holds: it can be ignored by a rule, and nothing else. */
export interface UnreadWeight {
  /** The type as the file spells it: `F64`. */
  readonly unread: string;
}

/** A tensor of a file of weights: read, to be read, or of a type that is not read. */
export type WeightEntry = StateEntry | Tensor | UnreadWeight;

/** What a class knows of files of its weights beside the names that its own parameters have. */
export interface WeightRules {
  /** Other spellings; the first whose pattern matches is taken, for names that the class does not have itself. */
  readonly renames?: readonly WeightRename[];
  /** Parameters that are another's where a file lacks them. */
  readonly tied?: Readonly<Record<string, string>>;
  /** Names of files that are not read. */
  readonly ignored?: readonly { readonly pattern: RegExp; readonly reason: string }[];
}

/** What became of every tensor of a file and of every parameter of a model. */
export interface WeightAccount {
  /** Tensors of the file that became parameters. */
  readonly used: number;
  /** Those of them that the file spells otherwise. */
  readonly renamed: readonly { readonly from: string; readonly to: string; readonly reason: string }[];
  /** Parameters that are the same tensor as another. */
  readonly tied: readonly { readonly name: string; readonly to: string }[];
  /** Tensors of the file that were not read. */
  readonly ignored: readonly { readonly name: string; readonly reason: string }[];
}

export interface FitWeightsOptions {
  /** @default none: names are those of the model */
  readonly rules?: WeightRules;
  /**
   * What becomes of a float entry of another float dtype. `stored` keeps it, for {@link inFloat32} to cast inside of a graph: weights of
   * 16 bits stay in their file until an engine maps them. @default 'stored'
   */
  readonly floats?: 'refuse' | 'stored';
  /** Where the entries come from, for messages. @default 'the checkpoint' */
  readonly from?: string;
}

/**
 * The parameters of a model from the tensors of a file. Every tensor of the file is used, tied or ignored for a stated reason, and every
 * parameter is filled; what is not is an error.
 *
 * @param template says which names, shapes and dtypes are wanted: `init(shapesOnly)`
 * @throws UnsupportedError for a weight whose dtype no engine holds; UserError naming the first parameters that nothing fills and the first
 *   tensors that nothing takes, a tensor of another shape or dtype, or two tensors for one parameter
 * @example
 * const stored = new Map([['proj.kernel', ones([2, 3])], ['step', ones([1])]]);
 * const { params, account } = fitWeights({ proj: { weight: zeros([3, 2]) } }, stored, {
 *   rules: {
 *     renames: [{ pattern: /(.*)\.kernel/u, becomes: '$1.weight', values: (w) => transpose(w, [1, 0]), reason: 'as flax has it' }],
 *     ignored: [{ pattern: /step/u, reason: 'a counter of the training' }],
 *   },
 * });
 * params.proj.weight.shape; // => [3, 2]
 * account.ignored; // => [{ name: 'step', reason: 'a counter of the training' }]
 */
export function fitWeights<T>(
  template: T,
  entries: ReadonlyMap<string, WeightEntry>,
  { rules = {}, floats = 'stored', from = 'the checkpoint' }: FitWeightsOptions = {},
): { readonly params: T; readonly account: WeightAccount } {
  const wanted = namedTensors(template);
  const found = new Map<string, { readonly name: string; readonly entry: WeightEntry; readonly rename?: WeightRename }>();
  const ignored: WeightAccount['ignored'][number][] = [];
  const foreign: string[] = [];
  for (const [name, entry] of entries) {
    const place = placeOf(name, { wanted, rules });
    if (place === undefined) {
      const rule = rules.ignored?.find(({ pattern }) => whole(pattern).test(name));
      if (rule === undefined) foreign.push(name);
      else ignored.push({ name, reason: rule.reason });
      continue;
    }
    const other = found.get(place.name);
    const again = { name, rename: place.rename };
    const repeated = [again, other].find((each) => each?.rename?.ifBoth === 'ignored');
    if (other !== undefined && repeated !== undefined) {
      ignored.push({ name: repeated.name, reason: `the same as "${place.name}"` });
      if (repeated === again) continue;
    } else if (other !== undefined)
      throw new UserError(
        `[nn/weights] two tensors are one weight: ${from} has "${other.name}" and "${name}", both for "${place.name}". Remove one of them.`,
      );
    found.set(place.name, { name, entry, ...(place.rename && { rename: place.rename }) });
  }
  const tied = Object.entries(rules.tied ?? {})
    .filter(([name, to]) => wanted.has(name) && !found.has(name) && found.has(to))
    .map(([name, to]) => ({ name, to }));
  const sources = new Map(tied.map(({ name, to }) => [name, to]));
  const missing = [...wanted.keys()].filter((name) => !found.has(name) && !sources.has(name));
  if (missing.length > 0 || foreign.length > 0) throw unfitting({ missing, foreign, from, known: [...wanted.keys()] });
  const params = mapTensors(template, (place, _, name) => {
    const { name: stored, entry, rename } = found.get(sources.get(name) ?? name)!;
    if ('unread' in entry)
      throw new UnsupportedError(
        `[nn/weights] weight has a dtype that no engine holds: name=${stored}, ${from} has ${entry.unread}. Save it as F32, F16 or BF16.`,
      );
    const given = 'data' in entry ? tensor(entry.data, { shape: entry.shape, dtype: entry.dtype }) : entry;
    const value = rename?.values === undefined ? given : rename.values(given);
    const fits = value.dtype === place.dtype || (floats === 'stored' && isFloating(value.dtype) && isFloating(place.dtype));
    if (sameShape(value.shape, place.shape) && fits) return value;
    throw new UserError(
      `[nn/weights] weight has another shape or dtype: name=${stored}, ${from} has ${given.dtype}${showShape(given.shape)}, the model `
        + `wants ${place.dtype}${showShape(place.shape)}. Check that the configuration belongs to these weights.`,
    );
  });
  const renamed = [...found].flatMap(([to, { name, rename }]) => (rename === undefined ? [] : [{ from: name, to, reason: rename.reason }]));
  return { params, account: { used: found.size, renamed, tied, ignored } };
}

/** The parameter that a tensor of a file is; undefined for none. */
function placeOf(
  name: string,
  { wanted, rules }: { readonly wanted: ReadonlyMap<string, Tensor>; readonly rules: WeightRules },
): { readonly name: string; readonly rename?: WeightRename } | undefined {
  if (wanted.has(name)) return { name };
  for (const rename of rules.renames ?? []) {
    const pattern = whole(rename.pattern);
    if (!pattern.test(name)) continue;
    const becomes = name.replace(pattern, rename.becomes);
    if (wanted.has(becomes)) return { name: becomes, rename };
  }
  return undefined;
}

/** The pattern of whole names. */
function whole(pattern: RegExp): RegExp {
  return new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gy]/gu, ''));
}

function unfitting({
  missing,
  foreign,
  from,
  known,
}: {
  readonly missing: readonly string[];
  readonly foreign: readonly string[];
  readonly from: string;
  readonly known: readonly string[];
}): UserError {
  const near = foreign.length === 0 ? '' : didYouMean(foreign[0]!, missing.length > 0 ? missing : known);
  return new UserError(
    `[nn/weights] weights do not fit: ${from} lacks ${summary(missing)} and has ${summary(foreign)} that the model does not know.${near} `
      + 'Check that the configuration belongs to these weights.',
  );
}

/** The first names of a list, in words. */
function summary(names: readonly string[]): string {
  if (names.length === 0) return 'nothing';
  const shown = names.slice(0, 3).map((name) => `"${name}"`);
  return names.length > 3 ? `${shown.join(', ')} and ${names.length - 3} more` : shown.join(', ');
}
