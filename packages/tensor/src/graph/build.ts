import { isFloating, type HostArray } from '../dtype.ts';
import { InternalError, UnsupportedError, UserError } from '../errors.ts';
import { isComposite } from '../ops/definitions.ts';
import { broadcastShapes, sameShape, type Shape } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { hostFromNumbers } from '../dtype.ts';
import type { FileSlice, Graph, GraphConstant, GraphNode, ValueId, ValueInfo } from './graph.ts';
import { contentHash, textHash } from './hash.ts';
import { expansionOf, type NodeParams, type OpNode } from './node.ts';
import type { CompositeName, OpName } from './primitives.ts';

/** What becomes of a tensor that no op computes. */
export type LeafRole =
  | { readonly kind: 'input' }
  /** Data that is the same in every run; `identity` stands for the content in the graph's key. */
  | { readonly kind: 'constant'; readonly data: HostArray | FileSlice; readonly identity: string };

export interface BuildOptions {
  readonly composites: ReadonlySet<CompositeName>;
  readonly leafRole: (leaf: Tensor) => LeafRole;
  /** Tensors whose values are known: inputs of the graph, whatever computes them. @default none */
  readonly known?: { readonly has: (tensor: Tensor) => boolean };
  /** Inputs in this order come first, used or not. */
  readonly inputs?: readonly Tensor[];
}

export interface BuiltGraph {
  readonly graph: Graph;
  /** The tensor behind each of `graph.inputs`. */
  readonly inputs: readonly Tensor[];
}

const ELEMENTWISE: ReadonlySet<OpName> = new Set<OpName>([
  'add',
  'sub',
  'mul',
  'div',
  'pow',
  'maximum',
  'minimum',
  'equal',
  'less',
  'lessEqual',
  'logicalAnd',
  'logicalOr',
  'where',
]);

/** The tensors that a graph reads in a node's place: its inputs, or its expansion if the engine does not get it whole. */
export function readsOf(node: OpNode, composites: ReadonlySet<CompositeName>): readonly Tensor[] {
  return expands(node, composites) ? expansionOf(node) : node.inputs;
}

function expands({ definition: { op }, mustExpand }: OpNode, composites: ReadonlySet<CompositeName>): boolean {
  return op !== 'host' && isComposite(op) && (op === 'checkpoint' || mustExpand || !composites.has(op));
}

/**
 * The program that computes `outputs`: flat, in topological order, equal nodes merged, no-op reshapes and needless broadcasts dropped,
 * composites expanded where the engine does not know them or a gradient went through them.
 */
export function buildGraph(outputs: readonly Tensor[], options: BuildOptions): BuiltGraph {
  const builder = new Builder(options);
  options.inputs?.forEach((x) => builder.leaf(x));
  for (const output of outputs) builder.visit(output);
  return builder.finish(outputs);
}

class Builder {
  readonly #values: ValueInfo[] = [];
  readonly #inputIds: ValueId[] = [];
  readonly #inputs: Tensor[] = [];
  readonly #constants: GraphConstant[] = [];
  readonly #nodes: GraphNode[] = [];
  readonly #idOf = new Map<Tensor, ValueId>();
  readonly #merged = new Map<string, readonly ValueId[]>();
  /** Values made by a reshape, transpose or broadcast, with what they were made from. */
  readonly #madeFrom = new Map<ValueId, { readonly op: OpName; readonly input: ValueId; readonly permutation?: readonly number[] }>();
  readonly #lines: string[] = [];
  readonly #options: BuildOptions;

  constructor(options: BuildOptions) {
    this.#options = options;
  }

  leaf(tensor: Tensor): ValueId {
    const known = this.#idOf.get(tensor);
    if (known !== undefined) return known;
    const role: LeafRole = this.#isKnown(tensor) ? { kind: 'input' } : this.#options.leafRole(tensor);
    if (role.kind === 'constant') {
      const line = `const ${tensor.dtype}[${tensor.shape.join()}] ${role.identity}`;
      const [same] = this.#merged.get(line) ?? [];
      const id = same ?? this.#value(tensor);
      if (same === undefined) {
        this.#constants.push({ value: id, data: role.data });
        this.#merged.set(line, [id]);
        this.#lines.push(`${id}=${line}`);
      }
      this.#idOf.set(tensor, id);
      return id;
    }
    const id = this.#value(tensor);
    this.#inputIds.push(id);
    this.#inputs.push(tensor);
    this.#lines.push(`${id}=input ${tensor.dtype}[${tensor.shape.join()}]`);
    this.#idOf.set(tensor, id);
    return id;
  }

  #value({ shape, dtype }: ValueInfo): ValueId {
    return this.#values.push({ shape, dtype }) - 1;
  }

  #isKnown(tensor: Tensor): boolean {
    return this.#options.known?.has(tensor) ?? false;
  }

  visit(target: Tensor): void {
    const stack: Tensor[] = [target];
    while (stack.length > 0) {
      const tensor = stack[stack.length - 1]!;
      if (this.#idOf.has(tensor)) {
        stack.pop();
        continue;
      }
      const source = Tensor.source(tensor);
      if (source.kind === 'gone')
        throw new UserError(`[tensor/realize] tensor is gone: ${tensor.toString()}, ${source.reason} Keep the result instead.`);
      if (source.kind !== 'op' || this.#isKnown(tensor)) {
        this.leaf(tensor);
        continue;
      }
      const { node } = source;
      const expanded = expands(node, this.#options.composites);
      const needs = readsOf(node, this.#options.composites);
      const missing = needs.filter((input) => !this.#idOf.has(input));
      if (missing.length > 0) {
        for (let i = missing.length - 1; i >= 0; i--) stack.push(missing[i]!);
        continue;
      }
      stack.pop();
      if (expanded) needs.forEach((inner, i) => this.#idOf.set(node.outputs[i]!, this.#idOf.get(inner)!));
      else this.#emit(node);
    }
  }

  #emit(node: OpNode): void {
    const { op } = node.definition;
    if (op === 'host') throw noHostCode(node.params as NodeParams['host']);
    let inputs = node.inputs.map((input) => this.#idOf.get(input)!);
    const out = node.outputs[0]!;
    if (op === 'reshape' || op === 'broadcastTo') {
      if (op === 'reshape') inputs = [this.#origin(inputs[0]!, 'reshape')];
      if (sameShape(this.#values[inputs[0]!]!.shape, out.shape)) {
        this.#idOf.set(out, inputs[0]!);
        return;
      }
    }
    if (op === 'cast' && this.#values[inputs[0]!]!.dtype === out.dtype) {
      this.#idOf.set(out, inputs[0]!);
      return;
    }
    let params: unknown = node.params;
    if (op === 'transpose') {
      const inner = this.#madeFrom.get(inputs[0]!);
      if (inner?.op === 'transpose') {
        const permutation = (node.params as { permutation: readonly number[] }).permutation.map((axis) => inner.permutation![axis]!);
        if (permutation.every((axis, i) => axis === i)) {
          this.#idOf.set(out, inner.input);
          return;
        }
        inputs = [inner.input];
        params = { permutation };
      }
    }
    if (ELEMENTWISE.has(op)) inputs = this.#withoutBroadcasts(inputs, out.shape);
    const line = `${op} ${paramsKey(params)} ${inputs.join()}`;
    const same = this.#merged.get(line);
    if (same) {
      node.outputs.forEach((output, i) => this.#idOf.set(output, same[i]!));
      return;
    }
    const ids = node.outputs.map((output) => this.#value(output));
    node.outputs.forEach((output, i) => this.#idOf.set(output, ids[i]!));
    this.#merged.set(line, ids);
    this.#lines.push(`${ids.join()}=${line}`);
    this.#nodes.push({ op, params, inputs, outputs: ids } as GraphNode);
    if (op === 'reshape' || op === 'broadcastTo') this.#madeFrom.set(ids[0]!, { op, input: inputs[0]! });
    if (op === 'transpose')
      this.#madeFrom.set(ids[0]!, { op, input: inputs[0]!, permutation: (params as { permutation: readonly number[] }).permutation });
  }

  #origin(id: ValueId, op: OpName): ValueId {
    const from = this.#madeFrom.get(id);
    return from?.op === op ? from.input : id;
  }

  /** Elementwise ops broadcast by themselves: read through an explicit broadcast where the result's shape stays. */
  #withoutBroadcasts(inputs: readonly ValueId[], shape: Shape): ValueId[] {
    const direct = [...inputs];
    for (let i = 0; i < direct.length; i++) {
      const candidate = this.#origin(direct[i]!, 'broadcastTo');
      if (candidate === direct[i]) continue;
      const shapes = direct.map((id, j) => this.#values[j === i ? candidate : id]!.shape);
      if (
        sameShape(
          shapes.reduce((a, b) => broadcastShapes('tensor/build', a, b)),
          shape,
        )
      )
        direct[i] = candidate;
    }
    return direct;
  }

  finish(outputs: readonly Tensor[]): BuiltGraph {
    const ids = outputs.map((output) => this.#idOf.get(output)!);
    if (ids.some((id) => id === undefined)) throw new InternalError('[tensor/build] an output was not visited.');
    this.#lines.push(`return ${ids.join()}`);
    const graph = this.#withoutDeadNodes(ids);
    return { graph, inputs: this.#inputs };
  }

  /** Nodes whose broadcast or reshape was read through may have lost all their readers. */
  #withoutDeadNodes(outputs: readonly ValueId[]): Graph {
    const used = new Set<ValueId>(outputs);
    const nodes: GraphNode[] = [];
    for (let i = this.#nodes.length - 1; i >= 0; i--) {
      const node = this.#nodes[i]!;
      if (!node.outputs.some((id) => used.has(id))) continue;
      for (const id of node.inputs) used.add(id);
      nodes.push(node);
    }
    return {
      values: this.#values,
      inputs: this.#inputIds,
      constants: this.#constants.filter(({ value }) => used.has(value)),
      nodes: nodes.reverse(),
      outputs,
      key: textHash(`${[...this.#options.composites].join()}\n${this.#lines.join('\n')}`),
    };
  }
}

function noHostCode({ name }: NodeParams['host']): UnsupportedError {
  return new UnsupportedError(
    `[tensor/compile] host code cannot be part of a compiled graph: name=${name}. Compile what comes before and after it, and call `
      + 'it in between; realize() and data() split at host ops by themselves.',
  );
}

/** Most nodes of a sampler's step have no parameters, and JSON takes longer than the rest of a node. */
function paramsKey(params: unknown): string {
  for (const _ in params as object) return JSON.stringify(params, replaceSpecialNumbers);
  return '{}';
}

/** JSON has no infinities or NaN, and keys must tell them apart. */
function replaceSpecialNumbers(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

/** A literal as a constant. */
export function literalConstant(tensor: Tensor, value: number): LeafRole {
  const data =
    isFloating(tensor.dtype) || Number.isInteger(value)
      ? hostFromNumbers(tensor.dtype, [value])
      : hostFromNumbers(tensor.dtype, [Math.trunc(value)]);
  return { kind: 'constant', data, identity: `literal ${Object.is(value, -0) ? '-0' : value}` };
}

/** Host data as a constant, named by its content. */
export function dataConstant(data: HostArray): LeafRole {
  return { kind: 'constant', data, identity: contentHash(data) };
}
