import { UserError } from '../errors.ts';
import { Tensor } from '../tensor.ts';
import type { ValueInfo } from './graph.ts';
import type { OpName, OpParams } from './primitives.ts';

/** What nodes can be: the ops of graphs, and calls of host code, at which graphs are split (`ops/host-op.ts`). */
export type NodeOp = OpName | 'host';

export type NodeParams = OpParams & { readonly host: { readonly name: string } };

/** What a gradient rule sees. `cotangents[i]` belongs to `outputs[i]` and is undefined where nothing flows back. */
export interface VjpContext<Op extends NodeOp> {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly params: NodeParams[Op];
  readonly cotangents: readonly (Tensor | undefined)[];
}

/**
 * For each input, a recipe for its cotangent, run only when somebody asks; undefined, or giving undefined, where the derivative is zero.
 */
export type InputCotangents = readonly ((() => Tensor | undefined) | undefined)[];

/**
 * One op: its shape rule and its gradient. A primitive has a `vjp`; a composite has an `expand` into primitives (and a `vjp` only
 * when the expansion's own is not what is wanted).
 */
export interface OpDefinition<Op extends NodeOp = NodeOp> {
  readonly op: Op;
  /** Shapes and dtypes of the outputs. @throws UserError when the inputs do not fit. */
  infer(inputs: readonly ValueInfo[], params: NodeParams[Op]): readonly ValueInfo[];
  vjp?(context: VjpContext<Op>): InputCotangents;
  expand?(inputs: readonly Tensor[], params: NodeParams[Op]): readonly Tensor[];
}

export interface OpNode {
  /** Rises with creation: an input's id is smaller than its consumer's. */
  readonly id: number;
  readonly definition: OpDefinition;
  readonly params: NodeParams[NodeOp];
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** A composite's expansion, made when first needed. */
  expansion?: readonly Tensor[];
  /** Set when a gradient went through a composite: forward and backward then share the expansion's values. */
  mustExpand: boolean;
}

let lastId = 0;

export function lastNodeId(): number {
  return lastId;
}

/** Names of the modules that are being traced, for error messages. */
const scopes: string[] = [];

/**
 * Run `body` with a name that errors of ops inside will mention: `Traced at unet.down.0.attn.`
 *
 * @example
 * named('unet', () => 1 + 1); // => 2
 */
export function named<T>(scope: string, body: () => T): T {
  scopes.push(scope);
  try {
    return body();
  } finally {
    scopes.pop();
  }
}

function infer(definition: OpDefinition, inputs: readonly ValueInfo[], params: NodeParams[NodeOp]): readonly ValueInfo[] {
  try {
    return definition.infer(inputs, params as never);
  } catch (error) {
    if (!(error instanceof UserError) || scopes.length === 0) throw error;
    throw new UserError(`${error.message} Traced at ${scopes.join('.')}.`, { cause: error });
  }
}

/** Add a node to the graph and return its outputs. */
export function apply<Op extends NodeOp>(
  definition: OpDefinition<Op>,
  inputs: readonly Tensor[],
  params: NodeParams[Op],
): readonly Tensor[] {
  for (const input of inputs) Tensor.requireOwn(input, `tensor/${definition.op}`);
  const outputs: Tensor[] = [];
  const node: OpNode = { id: ++lastId, definition: definition as OpDefinition, params, inputs, outputs, mustExpand: false };
  infer(node.definition, inputs, params).forEach(({ shape, dtype }, index) => {
    outputs.push(new Tensor(shape, dtype, { kind: 'op', node, index }));
  });
  return outputs;
}

/** {@link apply} for an op with one output. */
export function apply1<Op extends OpName>(definition: OpDefinition<Op>, inputs: readonly Tensor[], params: NodeParams[Op]): Tensor {
  return apply(definition, inputs, params)[0]!;
}

export function expansionOf(node: OpNode): readonly Tensor[] {
  node.expansion ??= node.definition.expand!(node.inputs, node.params as never);
  return node.expansion;
}
