import { hostFromNumbers, type HostArray } from './dtype.ts';
import { UserError } from './errors.ts';
import { compileGraph } from './engine/cache.ts';
import { defaultEngine } from './engine/default-engine.ts';
import type { Engine, EngineBuffer, Executable } from './engine/engine.ts';
import { bufferOf, realize } from './engine/realize.ts';
import { buildGraph, dataConstant, literalConstant, type LeafRole } from './graph/build.ts';
import type { FileSlice, ValueInfo } from './graph/graph.ts';
import { sameShape, sizeOf } from './shape.ts';
import { Tensor } from './tensor.ts';
import { flattenTree, type FlatTree, type Leaf } from './tree.ts';

export interface CompileOptions {
  /** Positions of arguments whose tensors become constants of the graph: parameters, when sampling. Engines lay them out once. */
  readonly freeze?: readonly number[];
  /**
   * Positions of arguments whose storage is reused for results of the same shape and dtype: state, when training. A donated tensor
   * is gone after the call.
   */
  readonly donate?: readonly number[];
  /** @default the default engine */
  readonly engine?: Engine;
  /** For error messages and the debug switch. @default the function's name */
  readonly name?: string;
}

/** What a compiled function takes where the traced one takes a tensor: numbers become float32 scalars, inputs of the graph. */
export type Untraced<T> = T extends Tensor ? Tensor | number : T extends object ? { readonly [K in keyof T]: Untraced<T[K]> } : T;

export interface CompileCounters {
  readonly calls: number;
  /** Each is one run of the function and one compilation. */
  readonly traces: number;
}

export interface CompiledFunction<Args extends readonly unknown[], R> {
  (...args: { readonly [K in keyof Args]: Untraced<Args[K]> }): Promise<R>;
  readonly counters: () => CompileCounters;
  /** Compile for arguments of these shapes without running. */
  readonly warm: (...args: { readonly [K in keyof Args]: Untraced<Args[K]> }) => Promise<void>;
  /** Free the compiled graphs. */
  readonly dispose: () => Promise<void>;
}

/** One compilation: for one structure, one set of shapes, one set of frozen tensors. */
interface Specialization {
  readonly executable: Executable | undefined;
  readonly engine: Engine;
  /** For each graph input: where its value comes from at a call. */
  readonly feeds: readonly Feed[];
  readonly outputs: readonly ValueInfo[];
  /** For each leaf of the result: an output of the graph, an argument passed through, or a static value. */
  readonly results: readonly ResultLeaf[];
  readonly rebuild: FlatTree['rebuild'];
  /** Donated argument leaf -> output that takes over its storage. */
  readonly donations: readonly { readonly leaf: number; readonly output: number }[];
  /** Storage that waits to be written by the next run, by output. */
  readonly spare: (EngineBuffer | undefined)[];
}

type Feed = { readonly kind: 'argument'; readonly leaf: number } | { readonly kind: 'captured'; readonly tensor: Tensor };
type ResultLeaf =
  | { readonly kind: 'output'; readonly index: number; readonly info: ValueInfo }
  | { readonly kind: 'argument'; readonly leaf: number }
  | { readonly kind: 'static'; readonly value: Leaf };

/** Captured tensors up to this many elements become constants of the graph; larger ones are fed, and never copied into it. */
const SMALL = 4096;

let nextIdentity = 0;
const identities = new WeakMap<Tensor, number>();

function identityOf(tensor: Tensor): number {
  let id = identities.get(tensor);
  if (id === undefined) identities.set(tensor, (id = ++nextIdentity));
  return id;
}

/**
 * A function that is traced and compiled at its first call with arguments of given shapes, and only run afterwards. Results are
 * realised when the promise resolves.
 *
 * Arguments are trees of tensors and numbers; strings, booleans and null are static: another value compiles anew. Numbers inside of
 * the function become part of the graph, as do tensors it closes over.
 *
 * @throws UserError at the first call when the function is wrong for the shapes, or no engine is installed
 * @example
 * const axpy = compile((a: Tensor, x: Tensor, y: Tensor) => add(mul(a, x), y));
 * const z = await axpy(2, ones([3]), ones([3]));
 * await numbers(z); // => [3, 3, 3]
 */
export function compile<Args extends readonly unknown[], R>(fn: (...args: Args) => R, options: CompileOptions = {}): CompiledFunction<Args, R> {
  const name = options.name ?? (fn.name || 'anonymous function');
  const specializations = new Map<string, Promise<Specialization>>();
  let calls = 0;
  let traces = 0;

  const specialize = async (args: readonly unknown[]): Promise<{ specialization: Specialization; leaves: readonly Leaf[] }> => {
    const flat = flattenTree(args);
    const engine = options.engine ?? (await defaultEngine());
    const frozen = frozenLeaves(flat, options.freeze ?? []);
    const key = signature(flat, frozen);
    let found = specializations.get(key);
    if (!found) {
      traces++;
      found = trace(fn, flat, frozen, { ...options, engine, name });
      specializations.set(key, found);
      found.catch(() => specializations.delete(key));
    }
    return { specialization: await found, leaves: flat.leaves };
  };

  const call = async (...args: readonly unknown[]): Promise<R> => {
    calls++;
    const { specialization, leaves } = await specialize(args);
    return (await run(specialization, leaves, name)) as R;
  };

  return Object.assign(call as (...args: { readonly [K in keyof Args]: Untraced<Args[K]> }) => Promise<R>, {
    counters: () => ({ calls, traces }),
    warm: async (...args: readonly unknown[]) => void (await specialize(args)),
    dispose: async () => {
      const all = await Promise.all(specializations.values());
      specializations.clear();
      await Promise.all(all.map(({ executable }) => executable?.dispose()));
    },
  });
}

function frozenLeaves(flat: FlatTree, freeze: readonly number[]): ReadonlySet<number> {
  const positions = new Set(freeze.map(String));
  return new Set(flat.names.flatMap((name, i) => (positions.has(name.split('.', 1)[0]!) ? [i] : [])));
}

function signature(flat: FlatTree, frozen: ReadonlySet<number>): string {
  return flat.leaves
    .map((leaf, i) => {
      if (leaf instanceof Tensor) return frozen.has(i) ? `#${identityOf(leaf)}` : `${flat.names[i]}:${leaf.dtype}${leaf.shape.join()}`;
      return typeof leaf === 'number' && !frozen.has(i) ? `${flat.names[i]}:n` : `${flat.names[i]}=${JSON.stringify(leaf) ?? 'undefined'}`;
    })
    .join('|');
}

interface TraceOptions extends CompileOptions {
  readonly engine: Engine;
  readonly name: string;
}

async function trace<Args extends readonly unknown[], R>(fn: (...args: Args) => R, flat: FlatTree, frozen: ReadonlySet<number>, options: TraceOptions): Promise<Specialization> {
  const { engine, name } = options;
  const leafOf = new Map<Tensor, number>();
  const traced = flat.leaves.map((leaf, i) => {
    if (!(leaf instanceof Tensor) && typeof leaf !== 'number') return leaf;
    if (frozen.has(i)) return leaf;
    const info = leaf instanceof Tensor ? leaf : ({ shape: [], dtype: 'float32' } as const);
    const placeholder = new Tensor(info.shape, info.dtype, { kind: 'placeholder', name: `argument ${flat.names[i]} of ${name}` });
    leafOf.set(placeholder, i);
    return placeholder;
  });
  const value = fn(...(flat.rebuild(traced) as Args));
  if (value instanceof Promise) throw new UserError(`[tensor/compile] function is asynchronous: name=${name}. It only builds a graph: remove async and await.`);
  const result = flattenTree(value);

  const outputs: Tensor[] = [];
  const results = result.leaves.map((leaf): ResultLeaf => {
    if (!(leaf instanceof Tensor)) return { kind: 'static', value: leaf };
    const argument = leafOf.get(leaf);
    if (argument !== undefined) return { kind: 'argument', leaf: argument };
    let index = outputs.indexOf(leaf);
    if (index < 0) index = outputs.push(leaf) - 1;
    return { kind: 'output', index, info: { shape: leaf.shape, dtype: leaf.dtype } };
  });
  const frozenTensors = new Set(flat.leaves.filter((leaf, i): leaf is Tensor => leaf instanceof Tensor && frozen.has(i)));
  const frozenData = await downloadAll([...frozenTensors], engine);
  const leafRole = (leaf: Tensor): LeafRole => {
    const data = frozenData.get(leaf);
    if (data) return { kind: 'constant', data, identity: `frozen ${identityOf(leaf)}` };
    const source = Tensor.source(leaf);
    if (source.kind === 'literal') return literalConstant(leaf, source.value);
    if (source.kind === 'host' && sizeOf(leaf.shape) <= SMALL) return dataConstant(source.data);
    return { kind: 'input' };
  };
  const { graph, inputs } = buildGraph(outputs, { composites: engine.composites, leafRole });
  const feeds = inputs.map((tensor): Feed => {
    const leaf = leafOf.get(tensor);
    return leaf === undefined ? { kind: 'captured', tensor } : { kind: 'argument', leaf };
  });
  return {
    executable: outputs.length === 0 ? undefined : await compileGraph(engine, graph, name),
    engine,
    feeds,
    outputs: outputs.map(({ shape, dtype }) => ({ shape, dtype })),
    results,
    rebuild: result.rebuild,
    donations: matchDonations(flat, options.donate ?? [], outputs, results),
    spare: outputs.map(() => undefined),
  };
}

async function downloadAll(tensors: readonly Tensor[], engine: Engine): Promise<Map<Tensor, HostArray | FileSlice>> {
  await realize(tensors, { engine });
  const entries = tensors.map(async (tensor): Promise<[Tensor, HostArray | FileSlice]> => {
    const source = Tensor.source(tensor);
    if (source.kind === 'host') return [tensor, source.data];
    if (source.kind === 'file') return [tensor, source.slice];
    if (source.kind === 'buffer') return [tensor, await source.engine.download(source.buffer)];
    throw new UserError(`[tensor/compile] frozen tensor has no value: ${tensor.toString()}. Freeze realised tensors only.`);
  });
  return new Map(await Promise.all(entries));
}

/** Each donated leaf gives its storage to the first output of its shape and dtype that has none yet. */
function matchDonations(flat: FlatTree, donate: readonly number[], outputs: readonly Tensor[], results: readonly ResultLeaf[]): Specialization['donations'] {
  const positions = new Set(donate.map(String));
  const passedOn = new Set(results.flatMap((result) => (result.kind === 'argument' ? [result.leaf] : [])));
  const free = new Set(outputs.keys());
  return flat.leaves.flatMap((leaf, i) => {
    if (!(leaf instanceof Tensor) || passedOn.has(i) || !positions.has(flat.names[i]!.split('.', 1)[0]!)) return [];
    const output = [...free].find((j) => outputs[j]!.dtype === leaf.dtype && sameShape(outputs[j]!.shape, leaf.shape)) ?? -1;
    free.delete(output);
    return [{ leaf: i, output }];
  });
}

async function run(specialization: Specialization, leaves: readonly Leaf[], name: string): Promise<unknown> {
  const { executable, engine, feeds, spare, donations, outputs } = specialization;
  const inputs: EngineBuffer[] = [];
  for (const feed of feeds) {
    if (feed.kind === 'captured') {
      inputs.push(await bufferOf(feed.tensor, engine));
      continue;
    }
    const leaf = leaves[feed.leaf];
    inputs.push(await (leaf instanceof Tensor ? bufferOf(leaf, engine) : engine.upload(hostFromNumbers('float32', [leaf as number]), { shape: [], dtype: 'float32' })));
  }
  const targets = spare.slice();
  spare.fill(undefined);
  const buffers = executable ? await executable.run(inputs, { outputs: targets }) : [];
  for (const { leaf, output } of donations) {
    const tensor = leaves[leaf] as Tensor;
    const source = Tensor.source(tensor);
    // Storage that an upload shares with the caller's array must not be written to.
    if (source.kind === 'buffer' && source.engine === engine) {
      if (output >= 0) spare[output] = source.buffer;
      else source.buffer.dispose();
    } else if (source.kind === 'host' || source.kind === 'file') {
      source.uploaded?.buffer.dispose();
    }
    Tensor.setSource(tensor, { kind: 'gone', reason: `it was donated to ${name}.` });
  }
  const tensors = outputs.map(({ shape, dtype }, i) => new Tensor(shape, dtype, { kind: 'buffer', engine, buffer: buffers[i]! }));
  return specialization.rebuild(
    specialization.results.map((result) => {
      if (result.kind === 'output') return tensors[result.index];
      return result.kind === 'argument' ? asTensor(leaves[result.leaf]) : result.value;
    }),
  );
}

function asTensor(leaf: Leaf): Tensor {
  return leaf instanceof Tensor ? leaf : new Tensor([], 'float32', { kind: 'host', data: hostFromNumbers('float32', [leaf as number]) });
}
