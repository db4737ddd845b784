import { UnsupportedError } from '@langevin/tensor';
import type { Graph, GraphNode, OpName, PrimitiveName, ValueId, ValueInfo } from '@langevin/tensor';
import { getKernel } from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Kernel, NodeSite } from './kernels/kernel.ts';
import { kernels } from './kernels/table.ts';
import { storageOf } from './storage.ts';

/** One node, ready to run. */
export interface Step {
  readonly op: PrimitiveName;
  readonly inputs: readonly ValueId[];
  readonly outputs: readonly ValueId[];
  readonly outputInfo: readonly ValueInfo[];
  /** Values whose last use is this step; the step's own outputs when nobody reads them. */
  readonly dead: readonly ValueId[];
  readonly run: (inputs: readonly Tensor[]) => Tensor | readonly Tensor[];
}

/**
 * Look up every kernel, check that the backend has what they need, and find each value's last use.
 *
 * @throws UnsupportedError naming the op, the backend and the remedy
 */
export function prepare(graph: Graph, backend: string): readonly Step[] {
  graph.values.forEach(({ dtype }) => storageOf(dtype, 'compile'));
  const kept = new Set<ValueId>([...graph.inputs, ...graph.outputs, ...graph.constants.map((c) => c.value)]);
  const lastUse = new Map<ValueId, number>();
  graph.nodes.forEach((node, i) => [...node.inputs, ...node.outputs].forEach((value) => lastUse.set(value, i)));
  const dead = graph.nodes.map((): ValueId[] => []);
  lastUse.forEach((i, value) => kept.has(value) || dead[i]!.push(value));
  return graph.nodes.map((node, i) => ({ ...bind(graph, node, backend), dead: dead[i]! }));
}

type Bound = Omit<Step, 'dead'>;

function bind(graph: Graph, node: GraphNode, backend: string): Bound {
  if (!isPrimitive(node)) {
    throw new UnsupportedError(
      `[engine-tfjs/compile] composite op reached the engine: op="${node.op}", backend="${backend}". Expand it into primitives; `
        + `this engine lists what it takes in \`composites\`.`,
    );
  }
  return bindPrimitive(graph, node, backend);
}

type PrimitiveNode = Extract<GraphNode, { readonly op: PrimitiveName }>;

function isPrimitive(node: GraphNode): node is PrimitiveNode {
  return Object.hasOwn(kernels, node.op satisfies OpName);
}

function bindPrimitive(graph: Graph, node: PrimitiveNode, backend: string): Bound {
  const site = {
    params: node.params,
    inputInfo: node.inputs.map((value) => graph.values[value]!),
    outputInfo: node.outputs.map((value) => graph.values[value]!),
    backend,
    has: (kernel: string) => getKernel(kernel, backend) !== undefined,
  };
  // The table's entry for `node.op` takes `node.params`: both come from the same key, which TypeScript does not follow through a union.
  const kernel = kernels[node.op] as unknown as Kernel<PrimitiveName>;
  const typedSite = site as NodeSite<PrimitiveName>;
  const missing = kernel.needs(typedSite).filter((name) => !site.has(name));
  if (missing.length > 0) throw missingKernel(node.op, missing, backend);
  return {
    op: node.op,
    inputs: node.inputs,
    outputs: node.outputs,
    outputInfo: site.outputInfo,
    run: (inputs) => kernel.run({ ...typedSite, inputs }),
  };
}

/** The error for an op whose TensorFlow.js kernels a backend lacks. */
export function missingKernel(op: string, missing: readonly string[], backend: string): UnsupportedError {
  const other = backend === 'cpu' ? 'backend "wasm"' : 'backend "cpu"';
  return new UnsupportedError(
    `[engine-tfjs/compile] backend lacks a kernel: op="${op}", backend="${backend}", missing=[${missing.join(', ')}]. Use `
      + `tfjsEngine with ${other}, or @langevin/engine-onnxruntime.`,
  );
}
