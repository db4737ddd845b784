import { checksumOf, layoutSafetensors, readSafetensorsSource, type ByteSource, type HostTensor } from '@langevin/io';
import { data, realize, shownValue, tensor, Tensor, UserError, type DType } from '@langevin/tensor';
import * as v from 'valibot';
import type { Position } from './task.ts';

const FORMAT = 'langevin-state-1';

/** Weights that nothing can be computed with. */
export class NotFiniteError extends UserError {
  /** Name of the first tensor that is not finite. */
  readonly tensor: string;

  constructor(name: string, step: number) {
    super(`[training/checkpoint] weights are not finite: tensor=${name}, step=${step}. Nothing was written; earlier ones are untouched.`);
    this.tensor = name;
  }
}

/** Where a run stands. */
export interface Point {
  /** Steps done. */
  readonly step: number;
  readonly streams: Readonly<Record<string, Position>>;
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const PointSchema = v.strictObject({ step: count, streams: v.record(v.string(), v.strictObject({ epoch: count, index: count })) });

/**
 * The structure of a state as JSON: `{ t: 'params.w' }` is the tensor of that name, `{ a: 'means' }` an array of numbers, `{ v: 3 }` a
 * number, text, flag or null, `{ l: [...] }` a list and `{ o: {...} }` an object. Numbers that JSON does not have are text:
 * `{ n: 'Infinity' }`.
 */
type Structure =
  | { readonly t: string }
  | { readonly a: string }
  | { readonly v: number | string | boolean | null }
  | { readonly n: 'Infinity' | '-Infinity' | 'NaN' | '-0' }
  | { readonly l: readonly Structure[] }
  | { readonly o: Readonly<Record<string, Structure>> };

/** A checkpoint takes its structure from a file, so its depth is bounded. */
const MAX_DEPTH = 64;

/** Where safetensors keeps what is no tensor. */
const RESERVED = '__metadata__';

/** Arrays of numbers that a state may hold, which steps may change in place. */
type NumberArray = Float32Array | Int32Array | Uint8Array;

/** The dtype of an array of numbers; nothing for what is none that a state may hold. */
function arrayDType(value: unknown): DType | undefined {
  if (value instanceof Float32Array) return 'float32';
  if (value instanceof Int32Array) return 'int32';
  return value instanceof Uint8Array ? 'uint8' : undefined;
}

/**
 * A state as the pieces of a safetensors file, which holds all of it: tensors and arrays of numbers, and in the metadata the structure
 * around them with its numbers, the step and the positions of the data.
 *
 * @throws NotFiniteError when a tensor or an array has NaN or Infinity; UserError for a leaf that cannot be saved
 */
export async function encodeState(state: unknown, point: Point): Promise<readonly Uint8Array[]> {
  const place = v.safeParse(PointSchema, point);
  if (!place.success) {
    const [{ message, path = [] }] = place.issues;
    throw fault(
      `place in the run cannot be saved: ${path.map(({ key }) => String(key)).join('.')}, ${message}. Count in whole numbers from 0.`,
    );
  }
  const leaves = new Map<string, Tensor | NumberArray>();
  const tree = structureOf(state, { name: '', depth: 0, leaves });
  await realize([...leaves.values()].filter((leaf) => leaf instanceof Tensor));
  const entries = new Map<string, HostTensor>();
  for (const [name, leaf] of leaves) {
    const entry = await entryOf(leaf);
    if (!isFinite(entry)) throw new NotFiniteError(name, point.step);
    entries.set(name, entry);
  }
  const [written, structure] = [JSON.stringify(point), JSON.stringify(tree)];
  const metadata = { format: FORMAT, point: written, structure, checksum: checksumOf([written, structure], entries) };
  const layout = layoutSafetensors(entries, { metadata });
  return [
    layout.head,
    ...layout.tensors.map(({ tensor: { data: values } }) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  ];
}

async function entryOf(leaf: Tensor | NumberArray): Promise<HostTensor> {
  if (leaf instanceof Tensor) return { dtype: leaf.dtype, shape: leaf.shape, data: await data(leaf) } as HostTensor;
  // Memory that threads share is copied: stores write none of it in a page.
  const own = leaf.buffer instanceof ArrayBuffer ? leaf : leaf.slice();
  return { dtype: arrayDType(leaf), shape: [leaf.length], data: own } as HostTensor;
}

/** Bits of the exponent, all of them set in NaN and Infinity. */
const EXPONENTS = { float16: 0x7c00, bfloat16: 0x7f80 };

function isFinite({ dtype, data: values }: HostTensor): boolean {
  if (dtype === 'float32') {
    // What is not finite times 0 is no number, and stays none in a sum: many times as fast as asking one by one.
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[i]! * 0;
    return sum === 0;
  }
  if (dtype !== 'float16' && dtype !== 'bfloat16') return true;
  const exponent = EXPONENTS[dtype];
  return values.every((bits) => (bits & exponent) !== exponent);
}

interface Place {
  readonly name: string;
  readonly depth: number;
  /** What goes into the file under its name. */
  readonly leaves: Map<string, Tensor | NumberArray>;
}

function structureOf(value: unknown, { name, depth, leaves }: Place): Structure {
  if (depth > MAX_DEPTH) throw fault(`state is nested too deep to be saved: depth > ${MAX_DEPTH} at ${name.slice(0, 80)}. Flatten it.`);
  const inner = (key: string | number): Place => ({ name: name === '' ? String(key) : `${name}.${key}`, depth: depth + 1, leaves });
  if (value instanceof Tensor || arrayDType(value) !== undefined) {
    if (name === '' || name === RESERVED) {
      throw fault(`state has a tensor that cannot be saved under its name: ${name === '' ? 'it has none' : name}. Give it another key.`);
    }
    if (leaves.has(name)) throw fault(`two tensors of the state have one name: ${name}. Rename a key that has a dot in it.`);
    leaves.set(name, value as Tensor | NumberArray);
    return value instanceof Tensor ? { t: name } : { a: name };
  }
  if (Array.isArray(value)) return { l: Array.from(value, (item, i) => structureOf(item, inner(i))) };
  if (isPlainObject(value))
    return { o: Object.fromEntries(Object.entries(value).map(([key, item]) => [key, structureOf(item, inner(key))])) };
  if (Object.is(value, -0)) return { n: '-0' };
  if (typeof value === 'number' && !Number.isFinite(value)) return { n: String(value) as 'NaN' };
  if (value === null || ['number', 'string', 'boolean'].includes(typeof value)) return { v: value as number | string | boolean | null };
  if (value === undefined) throw fault(`state has an entry that cannot be saved: ${name}=undefined. Leave it out, or use null.`);
  if (isForeignTensor(value)) Tensor.requireOwn(value); // says which copy it is of
  throw fault(
    `state has an entry that cannot be saved: ${name || 'the state'}=${shownValue(value)}. Use tensors, Float32Array, Int32Array or `
      + 'Uint8Array, numbers, text and flags, in lists and plain objects.',
  );
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A tensor of another copy of the package is no plain object, and no tensor of ours. */
function isForeignTensor(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Symbol.for('langevin.tensor') in value;
}

/**
 * The state in a file that {@link encodeState} made.
 *
 * @param like a state of the same task: names and dtypes of tensors are compared, sizes may differ. @default nothing is compared
 * @throws UserError when the file is damaged, or of another task
 */
export async function decodeState<State>(source: ByteSource, like?: State): Promise<{ readonly state: State; readonly point: Point }> {
  const reader = await readSafetensorsSource(source);
  const { metadata } = reader;
  const from = source.label;
  const damaged = (what: string): UserError =>
    fault(`checkpoint cannot be used: ${from}, ${what}. Remove the file to go on from the one before it.`);
  if (metadata['format'] !== FORMAT) throw damaged(`format=${JSON.stringify(metadata['format'] ?? 'none').slice(0, 60)} is not ${FORMAT}`);
  const parse = (name: 'point' | 'structure'): unknown => {
    try {
      return JSON.parse(metadata[name] ?? '');
    } catch {
      throw damaged(`its ${name} is no JSON`);
    }
  };
  const point = v.safeParse(PointSchema, parse('point'));
  if (!point.success) throw damaged(`its place in the run is not valid: ${point.issues[0].message}`);
  const entries = new Map<string, HostTensor>();
  for (const name of reader.entries.keys()) entries.set(name, await reader.read(name));
  if (metadata['checksum'] !== checksumOf([metadata['point'] ?? '', metadata['structure'] ?? ''], entries)) {
    throw damaged('its content is not what was written');
  }
  const state = build(parse('structure'), { entries, used: new Set(), depth: 0, damaged });
  if (like !== undefined) compare(state, like, from);
  return { state: state as State, point: point.output };
}

interface Building {
  readonly entries: ReadonlyMap<string, HostTensor>;
  /** Names so far: one that is in a state twice would make a small file a large state. */
  readonly used: Set<string>;
  readonly depth: number;
  readonly damaged: (what: string) => UserError;
}

function build(structure: unknown, at: Building): unknown {
  const { entries, depth, damaged } = at;
  if (depth > MAX_DEPTH) throw damaged(`its structure is deeper than ${MAX_DEPTH}`);
  if (typeof structure !== 'object' || structure === null) throw damaged('its structure is not one of a state');
  const node = structure as Readonly<Record<string, unknown>>;
  const inner = { ...at, depth: depth + 1 };
  const name = node['t'] ?? node['a'];
  if (typeof name === 'string') {
    const found = entries.get(name);
    if (found === undefined) throw damaged(`tensor ${JSON.stringify(name).slice(0, 80)} is missing`);
    if (at.used.has(name)) throw damaged(`tensor ${JSON.stringify(name).slice(0, 80)} is in it twice`);
    at.used.add(name);
    const { dtype, shape, data: values } = found;
    if (name === node['t']) return tensor(values, { dtype, shape });
    if (arrayDType(values) !== dtype || shape.length !== 1) throw damaged(`array ${JSON.stringify(name).slice(0, 80)} is none of numbers`);
    // Steps may change it in place, and what a store gives may be its own.
    return values.slice();
  }
  if (Array.isArray(node['l'])) return node['l'].map((item) => build(item, inner));
  if (typeof node['o'] === 'object' && node['o'] !== null) {
    // `fromEntries` defines own properties, so that a key such as __proto__ is one like any other.
    return Object.fromEntries(Object.entries(node['o']).map(([key, item]) => [key, build(item, inner)]));
  }
  if (typeof node['n'] === 'string' && ['Infinity', '-Infinity', 'NaN', '-0'].includes(node['n'])) return Number(node['n']);
  if ('v' in node && (node['v'] === null || ['number', 'string', 'boolean'].includes(typeof node['v']))) return node['v'];
  throw damaged('its structure is not one of a state');
}

/**
 * Compares keys, kinds of leaves and dtypes; the first difference is named. Lists may have another length, as tensors may have another
 * size: only the items that both have are looked at.
 */
function compare(state: unknown, like: unknown, from: string): void {
  const difference = firstDifference(state, like, '');
  if (difference !== undefined) throw fault(`checkpoint is of another task: ${from}, ${difference}. Use the task that wrote it.`);
}

function firstDifference(stored: unknown, wanted: unknown, path: string): string | undefined {
  const [a, b] = [kindOf(stored), kindOf(wanted)];
  if (a !== b) return `${path || 'the state'} is ${a}, the task wants ${b}`;
  if (stored instanceof Tensor || arrayDType(stored) !== undefined || typeof stored !== 'object' || stored === null) return undefined;
  const [left, right] = [stored, wanted] as readonly [Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>];
  const at = (key: string): string => (path === '' ? key : `${path}.${key}`);
  const keys = Array.isArray(left) ? Object.keys(left).filter((key) => key in right) : Object.keys({ ...left, ...right });
  for (const key of keys) {
    if (!Object.hasOwn(left, key)) return `it lacks ${at(key)}`;
    if (!Object.hasOwn(right, key)) return `it has ${at(key)}, which the task does not know`;
    const found = firstDifference(left[key], right[key], at(key));
    if (found !== undefined) return found;
  }
  return undefined;
}

function kindOf(value: unknown): string {
  if (value instanceof Tensor) return `a ${value.dtype} tensor`;
  const dtype = arrayDType(value);
  if (dtype !== undefined) return `a ${dtype} array`;
  if (Array.isArray(value)) return 'a list';
  if (value === null) return 'null';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function fault(text: string): UserError {
  return new UserError(`[training/checkpoint] ${text}`);
}
