import type {
  ConvParams,
  DType,
  Graph,
  GraphConstant,
  GraphNode,
  NoParams,
  OpName,
  OpParams,
  Shape,
  ValueId,
  ValueInfo,
} from '@langevin/tensor';

/** Ops of this engine alone: several ops of the graph in fewer passes over memory. */
export interface FusedParams {
  /** (x, w, bias [O], addend? of the result's shape) -> conv + bias + addend. */
  convBias: ConvParams;
  /** (x [N, C, ...], scale [C], bias [C]) -> x * scale + bias. */
  channelAffine: NoParams;
  /** (a, b of one shape) -> the sum of a * b over all but the first `kept` axes. */
  dot: { readonly kept: number };
  /**
   * Gradient of `normalize` scaled by channel: (g, y, inverseDeviation, s1, s2, gamma? [C]), where s1 and s2 are the sums of g and
   * g * y over each of the rows that have one gamma. `rows` of these make up one normalised row, in each of `groups` of an example.
   */
  normalizeGrad: { readonly batch: number; readonly groups: number; readonly rows: number; readonly count: number };
}

export type FusedName = keyof FusedParams;
export type LoweredParams = OpParams & FusedParams;
export type LoweredName = OpName | FusedName;

export type FusedNode = {
  readonly [Op in FusedName]: {
    readonly op: Op;
    readonly params: FusedParams[Op];
    readonly inputs: readonly ValueId[];
    readonly outputs: readonly ValueId[];
  };
}[FusedName];

export type ProgramNode = GraphNode | FusedNode;

type NodeOf<Op extends LoweredName> = Extract<ProgramNode, { readonly op: Op }>;

/** A graph that rules may rewrite: nodes are replaced where they stand, so that order stays topological. */
export class Program {
  readonly values: ValueInfo[];
  readonly inputs: readonly ValueId[];
  readonly outputs: readonly ValueId[];
  readonly constants: readonly GraphConstant[];
  nodes: readonly ProgramNode[];
  #producers = new Map<ValueId, ProgramNode>();
  #consumers = new Map<ValueId, ProgramNode[]>();
  readonly #numbers = new Map<ValueId, number>();

  constructor(graph: Graph) {
    this.values = [...graph.values];
    this.inputs = graph.inputs;
    this.outputs = graph.outputs;
    this.constants = graph.constants;
    this.nodes = graph.nodes;
    for (const { value, data } of graph.constants) {
      if (data instanceof Float32Array && data.length === 1) this.#numbers.set(value, data[0]!);
    }
    this.#index();
  }

  shape(value: ValueId): Shape {
    return this.values[value]!.shape;
  }

  dtype(value: ValueId): DType {
    return this.values[value]!.dtype;
  }

  add(dtype: DType, shape: Shape): ValueId {
    return this.values.push({ dtype, shape }) - 1;
  }

  /** The value of a constant of one element. */
  number(value: ValueId): number | undefined {
    return this.#numbers.get(value) ?? (this.is(value, 'reshape') ? this.number(this.#producers.get(value)!.inputs[0]!) : undefined);
  }

  /** The node that computes a value, if it is an `op`. */
  producer<Op extends LoweredName>(value: ValueId, op: Op): NodeOf<Op> | undefined {
    const node = this.#producers.get(value);
    return node?.op === op ? (node as NodeOf<Op>) : undefined;
  }

  is(value: ValueId, op: LoweredName): boolean {
    return this.#producers.get(value)?.op === op;
  }

  consumers(value: ValueId): readonly ProgramNode[] {
    return this.#consumers.get(value) ?? [];
  }

  /** Whether a value is read in one place only, and is no result of the program. */
  usedOnce(value: ValueId): boolean {
    return this.consumers(value).length === 1 && !this.outputs.includes(value);
  }

  /** Apply a rule at every node, in order; what it returns takes the node's place. Then drop what nobody reads any more. */
  rewrite(rule: (node: ProgramNode, program: Program) => readonly ProgramNode[] | undefined): void {
    let changed = false;
    const nodes: ProgramNode[] = [];
    for (const node of this.nodes) {
      const replacement = rule(node, this);
      if (!replacement) {
        nodes.push(node);
        continue;
      }
      changed = true;
      nodes.push(...replacement);
      for (const added of replacement) for (const output of added.outputs) this.#producers.set(output, added);
    }
    if (!changed) return;
    this.nodes = alive(nodes, this.outputs);
    this.#index();
  }

  #index(): void {
    this.#producers = new Map();
    this.#consumers = new Map();
    for (const node of this.nodes) {
      for (const output of node.outputs) this.#producers.set(output, node);
      for (const input of node.inputs) this.#consumers.set(input, [...(this.#consumers.get(input) ?? []), node]);
    }
  }
}

function alive(nodes: readonly ProgramNode[], outputs: readonly ValueId[]): ProgramNode[] {
  const needed = new Set(outputs);
  const kept: ProgramNode[] = [];
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((output) => needed.has(output))) continue;
    kept.push(node);
    for (const input of node.inputs) needed.add(input);
  }
  return kept.reverse();
}

/** Both orders of a pair, for ops that commute. */
export function orders<T>([a, b]: readonly T[]): readonly (readonly [T, T])[] {
  return [
    [a!, b!],
    [b!, a!],
  ];
}
