import type { Graph, GraphNode, Shape, ValueId } from '@langevin/tensor';
import { sameShape, sizeOf } from '@langevin/tensor';

/** A number, or one for each item of the first axis: `sign`, times what an input or a constant holds. */
export interface Factor {
  readonly sign: 1 | -1;
  readonly value?: ValueId;
}

/** sum = keep * sum + factor * value. */
export interface LinearStep {
  readonly keep: Factor;
  readonly factor: Factor;
  /** An input, or a result that was planned before. */
  readonly value: ValueId;
}

export interface LinearResult {
  /** Which output of the graph. */
  readonly output: number;
  readonly value: ValueId;
  readonly steps: readonly LinearStep[];
}

/** Results in an order in which each reads inputs and earlier results only. */
export interface LinearPlan {
  readonly shape: Shape;
  /** Whether some factor has a number for each item. */
  readonly byItem: boolean;
  readonly results: readonly LinearResult[];
}

/** Fewer elements are left to the runtime: they cost nothing either way, and so the conformance rows of ops keep proving its kernels. */
const FEWEST = 1024;
/** More elements, of all results, are worth the runtime's threads. */
const MOST = 2 ** 20;
/** A sum inside of sums is computed again wherever it is read; more steps than this are no formula of a sampler. */
const MOST_STEPS = 64;

const ONE: Factor = { sign: 1 };

/** A sum, and what the whole of it is to be multiplied with. */
interface Sum {
  readonly steps: readonly LinearStep[];
  readonly then: Factor | undefined;
}

/**
 * The graph as running sums, when it is nothing but linear combinations of float32 tensors of one shape: what samplers make of states and
 * predictions. The order of operations is the graph's, so that sums have the bits that the runtime would give.
 *
 * @returns undefined for any other graph
 */
export function linearPlan(graph: Graph): LinearPlan | undefined {
  const shape = graph.values[graph.outputs[0] ?? -1]?.shape ?? [];
  const size = sizeOf(shape);
  if (size < FEWEST || size * graph.outputs.length > MOST || new Set(graph.outputs).size < graph.outputs.length) return undefined;
  if (!graph.values.every(({ dtype }) => dtype === 'float32')) return undefined;
  const planner = new Planner(graph, shape);
  return graph.nodes.every((node) => planner.take(node)) ? planner.plan() : undefined;
}

class Planner {
  readonly #graph: Graph;
  readonly #shape: Shape;
  readonly #sums = new Map<ValueId, Sum>();
  readonly #factors = new Set<ValueId>();
  readonly #results: LinearResult[] = [];

  constructor(graph: Graph, shape: Shape) {
    this.#graph = graph;
    this.#shape = shape;
    const leaves = [
      ...graph.inputs,
      ...graph.constants.flatMap(({ value, data }) => (data instanceof Float32Array && data.length === 1 ? [value] : [])),
    ];
    for (const value of leaves) {
      const each = graph.values[value]!.shape;
      if (sameShape(each, shape)) this.#sums.set(value, leaf(value));
      else if (
        sizeOf(each) === 1
        || sameShape(
          each,
          shape.map((length, axis) => (axis === 0 ? length : 1)),
        )
      )
        this.#factors.add(value);
    }
  }

  plan(): LinearPlan | undefined {
    const results = this.#results;
    const steps = results.reduce((total, result) => total + result.steps.length, 0);
    if (results.length < this.#graph.outputs.length || steps > MOST_STEPS) return undefined;
    const byItem = [...this.#factors].some((value) => sizeOf(this.#graph.values[value]!.shape) > 1);
    return { shape: this.#shape, byItem, results };
  }

  /** @returns whether the node is part of a linear combination */
  take({ op, inputs, outputs }: GraphNode): boolean {
    const value = outputs[0]!;
    const sum = this.#sumOf(op, inputs);
    if (sum === undefined || !sameShape(this.#graph.values[value]!.shape, this.#shape)) return false;
    const output = this.#graph.outputs.indexOf(value);
    if (output < 0) {
      this.#sums.set(value, sum);
      return sum.steps.length <= MOST_STEPS;
    }
    this.#results.push({ output, value, steps: sum.steps });
    this.#sums.set(value, leaf(value));
    // A product of the whole sum would be a pass of its own.
    return sum.then === undefined;
  }

  #sumOf(op: GraphNode['op'], [first, second]: readonly ValueId[]): Sum | undefined {
    const a = this.#sums.get(first!);
    const b = second === undefined ? undefined : this.#sums.get(second);
    if (op === 'neg') return a && negated(a);
    if (op === 'add') return a && b && added(a, b);
    if (op === 'sub') return a && b && added(a, negated(b));
    if (op !== 'mul') return undefined;
    if (a && this.#factors.has(second!)) return scaled(a, { sign: 1, value: second! });
    return b && this.#factors.has(first!) ? scaled(b, { sign: 1, value: first! }) : undefined;
  }
}

function leaf(value: ValueId): Sum {
  return { steps: [{ keep: ONE, factor: ONE, value }], then: undefined };
}

/** One value with one factor, which may be the last part of another sum. */
function isTerm({ steps, then }: Sum): boolean {
  return steps.length === 1 && then === undefined;
}

/** Changes of sign are exact, wherever they are made. */
function negated(sum: Sum): Sum {
  if (!isTerm(sum)) return { ...sum, then: flipped(sum.then ?? ONE) };
  const [step] = sum.steps;
  return { steps: [{ ...step!, factor: flipped(step!.factor) }], then: undefined };
}

function flipped({ sign, ...rest }: Factor): Factor {
  return { ...rest, sign: sign === 1 ? -1 : 1 };
}

function scaled(sum: Sum, by: Factor): Sum | undefined {
  const [step] = sum.steps;
  if (isTerm(sum) && step!.factor.value === undefined)
    return { steps: [{ ...step!, factor: step!.factor.sign === 1 ? by : flipped(by) }], then: undefined };
  if (sum.then === undefined) return { ...sum, then: by };
  return sum.then.value === undefined ? { ...sum, then: sum.then.sign === 1 ? by : flipped(by) } : undefined;
}

/** Sums commute to the last bit, so that either operand may be the running one. */
function added(a: Sum, b: Sum): Sum | undefined {
  const [running, term] = isTerm(b) ? [a, b] : [b, a];
  if (!isTerm(term)) return undefined;
  return { steps: [...running.steps, { ...term.steps[0]!, keep: running.then ?? ONE }], then: undefined };
}
