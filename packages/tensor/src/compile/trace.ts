import type { HostArray } from '../dtype.ts';
import { compileGraph } from '../engine/cache.ts';
import type { Engine, EngineBuffer, Executable } from '../engine/engine.ts';
import { realize } from '../engine/realize.ts';
import { UserError } from '../errors.ts';
import { buildGraph, dataConstant, literalConstant, type LeafRole } from '../graph/build.ts';
import type { FileSlice, ValueInfo } from '../graph/graph.ts';
import { sameShape, sizeOf } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { flattenTree, type FlatTree, type Leaf } from '../tree.ts';

/** One compilation: for one structure, one set of shapes, one set of frozen tensors. */
export interface Specialization {
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

/** A number for a tensor, the same as long as it lives. */
export function identityOf(tensor: Tensor): number {
  let id = identities.get(tensor);
  if (id === undefined) identities.set(tensor, (id = ++nextIdentity));
  return id;
}

interface TraceOptions {
  /** The arguments. */
  readonly flat: FlatTree;
  /** Leaves that become constants. */
  readonly frozen: ReadonlySet<number>;
  readonly engine: Engine;
  readonly name: string;
  readonly donate?: readonly number[];
}

/** Runs the function on placeholders, and compiles the graph that it makes. */
export async function trace<Args extends readonly unknown[], R>(
  fn: (...args: Args) => R,
  { flat, frozen, engine, name, donate = [] }: TraceOptions,
): Promise<Specialization> {
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
  if (value instanceof Promise)
    throw new UserError(`[tensor/compile] function is asynchronous: name=${name}. It only builds a graph: remove async and await.`);
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
    donations: matchDonations(donatedLeaves(flat, donate), outputs, results),
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

/** Leaves of arguments at donated positions. */
function donatedLeaves(flat: FlatTree, donate: readonly number[]): ReadonlyMap<number, Tensor> {
  const positions = new Set(donate.map(String));
  return new Map(
    flat.leaves.flatMap((leaf, i) =>
      leaf instanceof Tensor && positions.has(flat.names[i]!.split('.', 1)[0]!) ? [[i, leaf] as const] : [],
    ),
  );
}

/** Each donated leaf gives its storage to the first output of its shape and dtype that has none yet. */
function matchDonations(
  donated: ReadonlyMap<number, Tensor>,
  outputs: readonly Tensor[],
  results: readonly ResultLeaf[],
): Specialization['donations'] {
  const passedOn = new Set(results.flatMap((result) => (result.kind === 'argument' ? [result.leaf] : [])));
  const free = new Set(outputs.keys());
  return [...donated].flatMap(([i, leaf]) => {
    if (passedOn.has(i)) return [];
    const output = [...free].find((j) => outputs[j]!.dtype === leaf.dtype && sameShape(outputs[j]!.shape, leaf.shape)) ?? -1;
    free.delete(output);
    return [{ leaf: i, output }];
  });
}
