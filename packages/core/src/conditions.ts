import { reshape, shownValue, Tensor, UserError, where } from '@langevin/tensor';

/** What a network is told beside the noisy sample and its noise level, by name: `text`, `label`, `image`, `fps`, `guidance`, `camera`. */
export type Conditions = Readonly<Record<string, Tensor>>;

/**
 * What one condition is. N is the batch:
 * - `label`: int32 [N], 0..count - 1; `none` is the number that stands for no label, null where the network has none
 * - `vector`: float32 [N, size]; null where only what it is put together with says how long it is
 * - `tokens`: float32 [N, L, size]; a bool mask [N, L] may come beside it under the name `<name>.mask`, true where there is a token
 * - `picture`: float32 [N, channels, H, W]
 * - `features`: float32 [N, channels, ...], added to features within the network: what a ControlNet or a T2I-Adapter gives. `shrink` says
 *   by what the sides of the sample are divided there, rounded up
 * - `scalar`: float32 [N], such as frames per second or a guidance scale
 * - `camera`: float32 [N, 16], rows of the 4x4 matrix from camera to world
 * - `positions`: int32 [N, T], the place of each frame in its clip
 *
 * One that is `optional` may be left out: the network is then as if it had no such input.
 */
export type ConditionSpec = (
  | { readonly kind: 'label'; readonly count: number; readonly none: number | null }
  | { readonly kind: 'vector'; readonly size: number | null }
  | { readonly kind: 'tokens'; readonly size: number }
  | { readonly kind: 'picture'; readonly channels: number }
  | { readonly kind: 'features'; readonly channels: number; readonly shrink: number }
  | { readonly kind: 'scalar' }
  | { readonly kind: 'camera' }
  | { readonly kind: 'positions' }
) & { readonly optional?: boolean };

/** What conditions a network takes, by name. */
export type ConditionSpecs = Readonly<Record<string, ConditionSpec>>;

const MASK = '.mask';

/** The name under which the mask of a sequence of tokens is passed. */
export function maskOf(name: string): string {
  return `${name}${MASK}`;
}

/**
 * Throws a UserError for a condition that a network does not take: a name with a typing error would be trained without.
 *
 * @param part "package/part", as errors begin
 * @example
 * checkConditionNames('backbones/mine', { label: zeros([2], 'int32') }, { label: { kind: 'label', count: 10, none: null } });
 */
export function checkConditionNames(part: string, conditions: Conditions, specs: ConditionSpecs): void {
  const names = Object.keys(specs);
  for (const name of Object.keys(conditions)) {
    const base = name.endsWith(MASK) ? name.slice(0, -MASK.length) : name;
    const spec = Object.hasOwn(specs, base) ? specs[base]! : undefined;
    if (spec === undefined || (base !== name && spec.kind !== 'tokens')) {
      throw new UserError(
        `[${part}] network does not take this condition: name=${name}. `
          + `${names.length === 0 ? 'It takes none.' : `Known: ${names.join(', ')}.`}`,
      );
    }
  }
}

/**
 * Holds conditions to what a network declares: names, ranks, sizes, dtypes, one batch. Values (a label beyond the last, say) are the
 * engine's to refuse, as they are not known before a graph runs.
 *
 * @param part "package/part", as errors begin
 * @throws UserError naming the first condition that is unknown, missing or of another form
 * @example
 * const specs = { text: { kind: 'tokens', size: 4 }, label: { kind: 'label', count: 10, none: null } } as const;
 * checkConditions('backbones/mine', { text: zeros([2, 7, 4]), label: zeros([2], 'int32') }, { specs, batch: 2 });
 */
export function checkConditions(
  part: string,
  conditions: Conditions,
  { specs, batch }: { readonly specs: ConditionSpecs; readonly batch: number },
): void {
  checkConditionNames(part, conditions, specs);
  const names = Object.keys(specs);
  for (const name of names) {
    const given = conditions[name];
    if (given === undefined && specs[name]!.optional === true && conditions[maskOf(name)] === undefined) continue;
    if (given === undefined) throw new UserError(`[${part}] condition is missing: name=${name}. Give ${inWords(specs[name]!, batch)}.`);
    const mask = conditions[maskOf(name)];
    for (const tensor of mask === undefined ? [given] : [given, mask]) {
      if (tensor instanceof Tensor) continue;
      throw new UserError(`[${part}] condition is no tensor: ${name}=${shownValue(tensor)}. Give ${inWords(specs[name]!, batch)}.`);
    }
    if (!fits(given, specs[name]!, batch) || (mask !== undefined && !fitsMask(mask, given))) {
      const shown = [given, ...(mask === undefined ? [] : [mask])]
        .map(({ dtype, shape }) => `${dtype}[${shape.join(', ')}]`)
        .join(', mask ');
      throw new UserError(`[${part}] condition has another form: ${name}=${shown}. Give ${inWords(specs[name]!, batch)}.`);
    }
  }
}

function fits({ dtype, shape }: Tensor, spec: ConditionSpec, batch: number): boolean {
  const is = (type: string, ...sizes: readonly (number | null)[]): boolean =>
    dtype === type && shape.length === sizes.length && sizes.every((size, axis) => size === null || shape[axis] === size);
  switch (spec.kind) {
    case 'label':
      return is('int32', batch);
    case 'vector':
      return is('float32', batch, spec.size);
    case 'tokens':
      return is('float32', batch, null, spec.size);
    case 'picture':
      return is('float32', batch, spec.channels, null, null);
    case 'features':
      return dtype === 'float32' && shape.length > 2 && shape[0] === batch && shape[1] === spec.channels;
    case 'scalar':
      return is('float32', batch);
    case 'camera':
      return is('float32', batch, 16);
    case 'positions':
      return is('int32', batch, null);
  }
}

function fitsMask(mask: Tensor, tokens: Tensor): boolean {
  return mask.dtype === 'bool' && mask.rank === 2 && mask.shape[0] === tokens.shape[0] && mask.shape[1] === tokens.shape[1];
}

function inWords(spec: ConditionSpec, batch: number): string {
  switch (spec.kind) {
    case 'label':
      return `int32 [${batch}], labels 0..${spec.count - 1}`;
    case 'vector':
      return `float32 [${batch}, ${spec.size ?? 'features'}]`;
    case 'tokens':
      return `float32 [${batch}, L, ${spec.size}], with a bool mask [${batch}, L] beside it or without`;
    case 'picture':
      return `float32 [${batch}, ${spec.channels}, H, W]`;
    case 'features':
      return `float32 [${batch}, ${spec.channels}, ...], sides those of the sample by ${spec.shrink}, rounded up`;
    case 'scalar':
      return `float32 [${batch}]`;
    case 'camera':
      return `float32 [${batch}, 16]`;
    case 'positions':
      return `int32 [${batch}, T]`;
  }
}

/**
 * Conditions of which some items are replaced by what stands for none: for training with dropout of conditions (Ho and Salimans 2022,
 * arXiv:2207.12598, algorithm 1). As nodes of the graph, so that one compiled step serves all draws.
 *
 * @param nulls what stands for none, of the same names and forms: the label `none`, the embedding of an empty caption. A condition that is
 *   not in it is kept
 * @param dropped bool [N] for each condition that is dropped; true where the null takes its place
 * @throws UserError for a null without its condition, or one of another form
 * @example
 * const conditions = { label: tensor([3, 4], { dtype: 'int32' }) };
 * const nulls = { label: tensor([10, 10], { dtype: 'int32' }) };
 * const { label } = dropConditions(conditions, { nulls, dropped: { label: tensor([1, 0], { dtype: 'bool' }) } });
 * await numbers(label!); // => [10, 4]
 */
export function dropConditions(
  conditions: Conditions,
  { nulls, dropped }: { readonly nulls: Conditions; readonly dropped: Conditions },
): Conditions {
  for (const [name, none] of Object.entries(nulls)) {
    const given = conditions[name];
    if (given !== undefined && given.dtype === none.dtype && given.rank === none.rank) continue;
    throw new UserError(
      `[core/conditions] a null has no condition of its form: name=${name}, null=${none.dtype}[${none.shape.join(', ')}], `
        + `condition=${given === undefined ? 'none' : `${given.dtype}[${given.shape.join(', ')}]`}. Pad both to one length.`,
    );
  }
  return Object.fromEntries(
    Object.entries(conditions).map(([name, value]) => {
      const choose = dropped[name.endsWith(MASK) ? name.slice(0, -MASK.length) : name];
      const none = nulls[name];
      if (choose === undefined || none === undefined) return [name, value];
      const column = reshape(choose, [value.shape[0]!, ...value.shape.slice(1).map(() => 1)]);
      return [name, where({ if: column, then: none, else: value })];
    }),
  );
}
