import { cast, data, isFloating, mapTensors, namedTensors, realize, type DType, type HostArrays } from '@langevin/tensor';
import { fitWeights, type WeightEntry } from './weight-rules.ts';

/** A tensor's elements on the host, as files hold them. */
export type StateEntry = {
  readonly [D in DType]: { readonly dtype: D; readonly shape: readonly number[]; readonly data: HostArrays[D] };
}[DType];

/** The tensors of a tree by dotted name (`down_blocks.0.resnets.1.conv1.weight`), read back in one run. */
export async function toStateDict(tree: unknown): Promise<Map<string, StateEntry>> {
  const named = namedTensors(tree);
  await realize([...named.values()]);
  const entries = new Map<string, StateEntry>();
  for (const [name, { dtype, shape }] of named) entries.set(name, { dtype, shape, data: await data(named.get(name)!) } as StateEntry);
  return entries;
}

export interface FromStateDictOptions {
  /** What to do with entries that the tree has no place for. @default 'refuse' */
  readonly unknown?: 'refuse' | 'ignore';
  /**
   * What becomes of a float entry of another float dtype. `stored` keeps it, for {@link inFloat32} to cast inside of a graph: weights of
   * 16 bits stay in their file until an engine maps them. @default 'refuse'
   */
  readonly floats?: 'refuse' | 'stored';
  /** Where the entries come from, for messages. @default 'the checkpoint' */
  readonly from?: string;
}

/**
 * A tree of the same structure with the entries of a state dict.
 *
 * @param template says which names, shapes and dtypes are wanted; freshly initialised parameters, say
 * @throws UserError naming the first missing and the first unknown entries, or the entry whose shape or dtype differs
 */
export function fromStateDict<T>(template: T, entries: ReadonlyMap<string, WeightEntry>, options: FromStateDictOptions = {}): T {
  const { unknown = 'refuse', floats = 'refuse', from } = options;
  const rules = unknown === 'ignore' ? { ignored: [{ pattern: /.*/su, reason: 'asked for' }] } : {};
  return fitWeights(template, entries, { rules, floats, ...(from !== undefined && { from }) }).params;
}

/**
 * The same tree with all floats in float32, cast where they are not. Call it inside of a compiled function: the weights are then constants
 * or inputs in their own dtype, and the engine widens them, not the host.
 *
 * @example
 * const half = { w: tensor(new Uint16Array([0x3c00]), { dtype: 'float16' }) };
 * await numbers(inFloat32(half).w); // => [1]
 */
export function inFloat32<T>(tree: T): T {
  return mapTensors(tree, (weight) => (isFloating(weight.dtype) && weight.dtype !== 'float32' ? cast(weight, 'float32') : weight));
}
