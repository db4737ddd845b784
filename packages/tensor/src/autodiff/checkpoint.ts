import { isFloating } from '../dtype.ts';
import { lastNodeId, apply, type OpDefinition, type OpNode } from '../graph/node.ts';
import type { OpParams } from '../graph/primitives.ts';
import { barrier } from '../ops/schedule.ts';
import { alias } from '../ops/shaping.ts';
import { Tensor } from '../tensor.ts';
import { flattenTree, type Tree } from '../tree.ts';
import { gradients } from './gradients.ts';

type CheckpointParams = OpParams['checkpoint'];

/** What a checkpoint recomputes: kept aside, because parameters of ops are plain data. */
interface Body {
  readonly boundary: readonly Tensor[];
  readonly results: readonly Tensor[];
  /** Nodes with larger ids belong to the body. */
  readonly after: number;
}

const bodies = new WeakMap<CheckpointParams, Body>();

export const checkpointOp: OpDefinition<'checkpoint'> = {
  op: 'checkpoint',
  infer: (_, params) => bodies.get(params)!.results,
  expand: (_, params) => bodies.get(params)!.results,
  vjp({ inputs, params, cotangents }) {
    const body = bodies.get(params)!;
    // Recompute from the inputs, but only once the cotangent is there: until then nothing inside is held in memory.
    // An empty one waits for nothing; with empty ones alone the gradient is zero, and what is recomputed for it drops out of the graph.
    const token = cotangents.find((g) => g !== undefined && g.size > 0);
    const anew = inputs.map((x) => (token ? barrier(x, token) : alias(x)));
    const results = copyBody(body, anew);
    const present = results.flatMap((y, i) => (cotangents[i] ? [{ y, g: cotangents[i] }] : []));
    const floats = anew.filter((x) => isFloating(x.dtype));
    let all: readonly Tensor[] | undefined;
    const pulled = (): readonly Tensor[] =>
      (all ??= gradients(
        present.map(({ y }) => y),
        floats,
        { cotangents: present.map(({ g }) => g) },
      ));
    return anew.map((x) => (isFloating(x.dtype) ? () => pulled()[floats.indexOf(x)]! : undefined));
  },
};

/**
 * The same function, whose intermediate values are recomputed in the backward pass instead of being kept: memory for time.
 * Gradients flow to arguments and to tensors that the function closes over. Chen et al. 2016.
 *
 * @example
 * const block = checkpoint((x: Tensor) => square(mul(x, x)));
 * await numbers(grad((x: Tensor) => sum(block(x)))(tensor([1, 2]))); // => [4, 32]
 */
export function checkpoint<Args extends readonly Tree[], R extends Tree>(fn: (...args: Args) => R): (...args: Args) => R {
  return (...args) => {
    const after = lastNodeId();
    const { leaves, rebuild } = flattenTree(fn(...args));
    const results = leaves.filter((leaf) => leaf instanceof Tensor);
    const boundary = boundaryOf(results, after);
    const params: CheckpointParams = { id: after };
    bodies.set(params, { boundary, results, after });
    const outputs = apply(checkpointOp, boundary, params);
    return rebuild(leaves.map((leaf) => (leaf instanceof Tensor ? outputs[results.indexOf(leaf)]! : leaf))) as R;
  };
}

function nodeOf(tensor: Tensor, after: number): OpNode | undefined {
  const source = Tensor.source(tensor);
  return source.kind === 'op' && source.node.id > after ? source.node : undefined;
}

/** The body's nodes in order of creation, which is a topological order. */
function bodyNodes(results: readonly Tensor[], after: number): OpNode[] {
  const seen = new Set<OpNode>();
  const stack = [...results];
  while (stack.length > 0) {
    const node = nodeOf(stack.pop()!, after);
    if (!node || seen.has(node)) continue;
    seen.add(node);
    stack.push(...node.inputs);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

/** Tensors from outside that the body reads, literals apart. */
function boundaryOf(results: readonly Tensor[], after: number): Tensor[] {
  const boundary = new Set<Tensor>();
  const visit = (x: Tensor): void => {
    if (!nodeOf(x, after) && Tensor.source(x).kind !== 'literal') boundary.add(x);
  };
  results.forEach(visit);
  for (const node of bodyNodes(results, after)) node.inputs.forEach(visit);
  return [...boundary];
}

function copyBody(body: Body, anew: readonly Tensor[]): Tensor[] {
  const copies = new Map<Tensor, Tensor>(body.boundary.map((x, i) => [x, anew[i]!]));
  const copy = (x: Tensor): Tensor => copies.get(x) ?? x;
  for (const node of bodyNodes(body.results, body.after)) {
    const inputs = node.inputs.map(copy);
    const nested = node.definition.op === 'checkpoint' ? copyNested(node, inputs) : undefined;
    const outputs = nested ?? apply(node.definition, inputs, node.params);
    node.outputs.forEach((x, i) => copies.set(x, outputs[i]!));
  }
  return body.results.map(copy);
}

/** A checkpoint inside of a recomputed one is recomputed as plain nodes: its own backward pass comes right after. */
function copyNested(node: OpNode, inputs: readonly Tensor[]): readonly Tensor[] {
  return copyBody(bodies.get(node.params as CheckpointParams)!, inputs);
}
