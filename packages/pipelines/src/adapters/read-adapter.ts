import type { Adapter, Factor, UnreadWeight, WeightDelta } from '@langevin/nn';
import {
  checkNumber,
  concat,
  data,
  numbersFromHost,
  readOptions,
  reshape,
  shownValue,
  showShape,
  slice,
  UnsupportedError,
  UserError,
  type Tensor,
} from '@langevin/tensor';
import { moduleIndex, type AdapterTarget, type FoundModule, type FoundPiece, type ModuleIndex } from './module-index.ts';
import { settingsOfNotes, type ModuleSettings, type PeftSettings } from './peft-settings.ts';
import { componentsOf, partOf, type AdapterPart } from './spellings.ts';

const WHERE = 'pipelines/adapters';

export interface ReadAdapterOptions {
  /** Tensors of the file by name. */
  readonly tensors: ReadonlyMap<string, Tensor | UnreadWeight>;
  /** The notes in its header. @default none */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Settings of PEFT that lie beside the file, in place of a note in it. @default those of the note, where there is one */
  readonly settings?: PeftSettings;
  /** Where the tensors come from, for messages. @default 'the adapter' */
  readonly from?: string;
  /** What the adapter is for: at least one component. */
  readonly targets: readonly AdapterTarget[];
  /** A name of its own among the adapters of the model. */
  readonly name: string;
  /** How strongly it is added, by component where it is an object. @default 1 */
  readonly strength?: number | Readonly<Record<string, number>>;
}

/** What was found in a file. */
export interface AdapterAccount {
  /** Tensors of the file: each is used. */
  readonly tensors: number;
  /** Modules that are changed, by component. */
  readonly modules: Readonly<Record<string, number>>;
  /** Modules whose scale the file says, and those where alpha is the rank for want of one. */
  readonly scales: { readonly said: number; readonly ranks: number };
  /** The forms that deltas have. */
  readonly kinds: readonly string[];
}

export interface ReadAdapter {
  /** One for each component that the file has something for, ready for `adapted` of @langevin/nn. */
  readonly adapters: ReadonlyMap<string, Adapter>;
  readonly account: AdapterAccount;
}

/** The tensors of one module of a file. */
interface Group {
  readonly spelt: string;
  readonly found: FoundModule;
  readonly parts: Map<AdapterPart, Tensor>;
}

/**
 * LoRA, LoCon, LoHa, LoKr, DoRA and full deltas of a file, as kohya, PEFT, diffusers (before PEFT and after), Comfy and LyCORIS spell them.
 * Modules are looked up in the model's own list. A module's delta is scaled by its own alpha / rank, and by 1 where the file has no alpha;
 * every tensor of the file is used, or it is an error.
 *
 * @throws UserError when nothing in the file is for the model, or something is not, a part of a delta is missing, or an alpha is no number;
 *   UnsupportedError for a dtype that no engine holds
 * @example
 * const params = { to_q: { weight: zeros([2, 3]) } };
 * const tensors = new Map([
 *   ['lora_unet_to_q.lora_up.weight', ones([2, 1])],
 *   ['lora_unet_to_q.lora_down.weight', ones([1, 3])],
 *   ['lora_unet_to_q.alpha', scalar(0.5)],
 * ]);
 * const { adapters } = await readAdapter({ name: 'mine', tensors, targets: [{ name: 'unet', params }] });
 * adapters.get('unet')!.deltas.get('to_q.weight')!.scale; // => 0.5
 */
export async function readAdapter(options: ReadAdapterOptions): Promise<ReadAdapter> {
  const { tensors, metadata = {}, from = 'the adapter', targets, name, strength = 1 } = options;
  const index = moduleIndex(targets);
  const groups = grouped({ tensors, index, from, targets });
  const settings = options.settings ?? settingsOfNotes(metadata, from);
  const deltas = new Map<string, Map<string, WeightDelta>>();
  const kinds = new Set<string>();
  const scales = { said: 0, ranks: 0 };
  for (const group of groups) {
    const { target, pieces } = group.found;
    const scale = await scaleOf(group, {
      settings: settings?.of(target, pieces.length === 1 ? pieces[0]!.module : componentsOf(group.spelt).module),
      from,
    });
    scales[scale === undefined ? 'ranks' : 'said'] += 1;
    const own = deltas.get(target) ?? new Map<string, WeightDelta>();
    deltas.set(target, own);
    for (const [parameter, delta] of deltasOf(group, { scale: scale ?? 1, index, from })) {
      if (own.has(parameter))
        throw new UserError(`[${WHERE}] two deltas are for one parameter: file=${from}, parameter=${parameter}. Remove one of them.`);
      own.set(parameter, delta);
      kinds.add(delta.magnitude === undefined ? delta.kind : `${delta.kind} with norms`);
    }
  }
  settings?.checkAllUsed();
  const adapters = new Map(
    [...deltas].map(([target, own]) => [target, { name, deltas: own, strength: strengthOf(strength, { target, targets }) }] as const),
  );
  const modules = Object.fromEntries([...deltas.keys()].map((key) => [key, groups.filter(({ found }) => found.target === key).length]));
  return { adapters, account: { tensors: tensors.size, modules, scales, kinds: [...kinds].sort() } };
}

/** The tensors of the file by the module that they are of. */
function grouped({
  tensors,
  index,
  from,
  targets,
}: Pick<ReadAdapterOptions, 'tensors' | 'targets'> & { readonly index: ModuleIndex; readonly from: string }): readonly Group[] {
  const groups = new Map<string, Group>();
  const foreign: string[] = [];
  for (const [name, tensor] of tensors) {
    const split = partOf(name);
    const { module, components } = componentsOf(split?.module ?? name);
    const found = split && index.find(module, components);
    if (found === undefined) {
      foreign.push(name);
      continue;
    }
    if ('unread' in tensor)
      throw new UnsupportedError(
        `[${WHERE}] tensor has a dtype that no engine holds: file=${from}, name=${name}, dtype=${tensor.unread}. Save it as F32.`,
      );
    const key = [found.target, ...found.pieces.map((piece) => piece.module)].join('\n');
    const group = groups.get(key) ?? { spelt: split!.module, found, parts: new Map<AdapterPart, Tensor>() };
    groups.set(key, group);
    if (group.parts.has(split!.part))
      throw new UserError(`[${WHERE}] two tensors say the same: file=${from}, name=${name}, other of ${group.spelt}. Remove one of them.`);
    group.parts.set(split!.part, tensor);
  }
  const asked = targets.map(({ name }) => name).join(', ');
  const such = foreign.length === 0 ? '' : `, such as ${shownValue(foreign[0])}`;
  if (groups.size === 0)
    throw new UserError(
      `[${WHERE}] nothing in the file is for this model: file=${from}, tensors=${tensors.size}${such}, `
        + `components=${asked}. Take an adapter of the model that it was trained for.`,
    );
  if (foreign.length > 0)
    throw new UserError(
      `[${WHERE}] tensors of the file are not for this model: file=${from}, ${foreign.length} of ${tensors.size}${such}, `
        + `components=${asked}. Pass the components that it is for, or take an adapter of this model.`,
    );
  return [...groups.values()];
}

/** alpha / rank of a module; undefined where nothing says alpha, which is then the rank. */
async function scaleOf(
  { spelt, parts }: Group,
  { settings, from }: { readonly settings: ModuleSettings | undefined; readonly from: string },
): Promise<number | undefined> {
  const stored = parts.get('alpha');
  const rank = rankOf(parts);
  if (stored !== undefined) {
    const alpha = stored.size === 1 ? numbersFromHost(stored.dtype, await data(stored))[0]! : Number.NaN;
    if (!Number.isFinite(alpha))
      throw new UserError(`[${WHERE}] alpha is no number: file=${from}, module=${spelt}, alpha=${alpha}. The file is broken.`);
    // LyCORIS does not scale a Kronecker product of two whole matrices, whatever alpha the file has.
    return rank === undefined ? 1 : alpha / rank;
  }
  if (settings?.alpha === undefined) return undefined;
  const divisor = rank ?? settings.rank;
  if (divisor === undefined) return undefined;
  return settings.alpha / (settings.divisor === 'root' ? Math.sqrt(divisor) : divisor);
}

/** The size that factors share; undefined for whole matrices. */
function rankOf(parts: ReadonlyMap<AdapterPart, Tensor>): number | undefined {
  const holder = parts.get('down') ?? parts.get('hada_w1_b') ?? parts.get('lokr_w1_b') ?? parts.get('lokr_w2_b');
  return holder?.shape[0];
}

/** The deltas of a module's weight and bias. */
function deltasOf(
  { spelt, found, parts }: Group,
  { scale, index, from }: { readonly scale: number; readonly index: ModuleIndex; readonly from: string },
): readonly (readonly [parameter: string, delta: WeightDelta])[] {
  const left = new Map(parts);
  left.delete('alpha');
  const take = (part: AdapterPart): Tensor | undefined => {
    const tensor = left.get(part);
    left.delete(part);
    return tensor;
  };
  const need = (part: AdapterPart): Tensor => {
    const tensor = take(part);
    if (tensor !== undefined) return tensor;
    throw new UserError(`[${WHERE}] part of a delta is missing: file=${from}, module=${spelt}, part=${part}. The file is broken.`);
  };
  const factor = (whole: AdapterPart | undefined, a: AdapterPart, rest: { readonly b: AdapterPart; readonly t?: AdapterPart }): Factor => {
    const plain = whole && take(whole);
    if (plain !== undefined) return plain;
    const t = rest.t && take(rest.t);
    return { a: need(a), b: need(rest.b), ...(t && { t }) };
  };
  const out: (readonly [string, WeightDelta])[] = [];
  const weight = (delta: WeightDelta): void => {
    const [magnitude, doraScale] = [take('magnitude'), take('dora_scale')];
    for (const piece of found.pieces) {
      const norms = magnitudeOf({ piece, magnitude, doraScale, from });
      out.push([`${piece.module}.weight`, { ...delta, ...norms, ...(piece.rows && { rows: piece.rows }) }]);
    }
  };
  const has = (prefix: string): boolean => [...left.keys()].some((part) => part.startsWith(prefix));
  if (left.has('up') || left.has('down')) {
    const mid = take('mid');
    weight({ kind: 'low-rank', up: need('up'), down: need('down'), ...(mid && { mid }), scale });
  } else if (has('hada')) {
    const w1 = factor(undefined, 'hada_w1_a', { b: 'hada_w1_b', t: 'hada_t1' });
    weight({ kind: 'hadamard', w1, w2: factor(undefined, 'hada_w2_a', { b: 'hada_w2_b', t: 'hada_t2' }), scale });
  } else if (has('lokr')) {
    const w1 = factor('lokr_w1', 'lokr_w1_a', { b: 'lokr_w1_b' });
    weight({ kind: 'kronecker', w1, w2: factor('lokr_w2', 'lokr_w2_a', { b: 'lokr_w2_b', t: 'lokr_t2' }), scale });
  } else if (left.has('diff')) weight({ kind: 'full', diff: need('diff') });
  const biases = [
    ['bias', scale],
    ['diff_b', 1],
  ] as const;
  for (const [part, factorOf] of biases) {
    const diff = take(part);
    if (diff === undefined) continue;
    for (const { module, rows } of found.pieces) {
      if (!index.parameters(found.target).has(`${module}.bias`))
        throw new UserError(
          `[${WHERE}] module has no bias: file=${from}, module=${spelt}, part=${part}. The adapter is for another model.`,
        );
      out.push([`${module}.bias`, { kind: 'full', diff, scale: factorOf, ...(rows && { rows }) }]);
    }
  }
  const [idle] = left.keys();
  if (idle === undefined && out.length > 0) return out;
  throw new UserError(`[${WHERE}] part of a delta is alone: file=${from}, module=${spelt}, part=${idle ?? 'alpha'}. The file is broken.`);
}

/**
 * DoRA's norms, for which there are three conventions: `lora_magnitude_vector` of PEFT has one for each output; `dora_scale` of LyCORIS
 * one for each input, [1, in, ...], or in later versions for each output, [out, 1, ...]. A list alone is told by its length, and taken for
 * inputs where both are equal.
 */
function magnitudeOf({
  piece: { shape, rows },
  magnitude,
  doraScale,
  from,
}: {
  readonly piece: FoundPiece;
  readonly magnitude: Tensor | undefined;
  readonly doraScale: Tensor | undefined;
  readonly from: string;
}): Pick<WeightDelta, 'magnitude'> {
  const vector = magnitude ?? doraScale;
  if (vector === undefined) return {};
  const inputs = shape[1];
  const [first, second] = vector.shape;
  // One for each row of what the file has as one module.
  const outputs = rows === undefined ? shape[0] : vector.size === inputs ? undefined : vector.size;
  const listed = vector.rank < 2;
  const perOutput = listed ? first === outputs && first !== inputs : first === outputs && second === 1 && !(first === 1 && inputs === 1);
  if (magnitude === undefined && !perOutput) {
    if (rows === undefined) return { magnitude: { vector, axis: 'input' } };
    throw new UnsupportedError(
      `[${WHERE}] norms of inputs belong to several parameters in one: file=${from}, norms=${showShape(vector.shape)}. Save the `
        + 'adapter with a module for each.',
    );
  }
  if (rows === undefined) return { magnitude: { vector, axis: 'output' } };
  const list = reshape(vector, [vector.size]);
  const own = rows.map((range) => slice(list, { 0: { start: range.from, stop: range.from + range.count } }));
  return { magnitude: { vector: concat(own, 0), axis: 'output' } };
}

function strengthOf(
  strength: NonNullable<ReadAdapterOptions['strength']>,
  { target, targets }: { readonly target: string; readonly targets: readonly AdapterTarget[] },
): number {
  if (typeof strength !== 'object' || strength === null) {
    checkNumber(WHERE, { strength });
    return strength;
  }
  checkNumber(WHERE, readOptions(WHERE, strength));
  const unknown = Object.keys(strength).find((name) => !targets.some((each) => each.name === name));
  if (unknown !== undefined)
    throw new UserError(
      `[${WHERE}] strength is of a component that is not there: component=${shownValue(unknown)}. Known: `
        + `${targets.map((each) => each.name).join(', ')}.`,
    );
  return strength[target] ?? 1;
}
