import type { Graph, GraphConstant, ValueId } from '@langevin/tensor';
import { InternalError } from '@langevin/tensor';
import type { Program, ProgramNode } from '../fusion/program.ts';
import type { OnnxModel, OnnxTensor, OnnxValue } from '../onnx/model.ts';
import { lowerEmpty } from './empty.ts';
import { ModelBuilder, type Lower, type Operand, type Scope, type Target } from './scope.ts';
import { storedTypes } from './storage.ts';
import { loweringTable } from './table.ts';

/** The newest operator set that the runtimes in the field all read; it has Gelu and LayerNormalization. */
const OPSET = 21;
/** What goes with opset 21. */
const IR_VERSION = 10;
const CONTRIB_OPSET = 1;

export interface LowerGraphOptions extends Target {
  /** Where the bytes of a constant are: in the model, or beside it. */
  readonly place: (constant: GraphConstant) => OnnxTensor['data'];
  /** @default input_<value>, in the order of the graph */
  readonly inputNames?: readonly string[];
  /** @default the name that the value has inside the model */
  readonly outputNames?: readonly string[];
}

export interface LoweredGraph {
  readonly model: OnnxModel;
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
}

/** Lower a graph to an ONNX model of the same inputs and outputs, in the same order. */
export function lowerGraph(graph: Graph | Program, options: LowerGraphOptions): LoweredGraph {
  const builder = new ModelBuilder(options);
  const names = new Map<ValueId, string>();
  const inputNames = graph.inputs.map((value, i) => options.inputNames?.[i] ?? `input_${value}`);
  graph.inputs.forEach((value, i) => names.set(value, inputNames[i]!));
  for (const constant of graph.constants) {
    const info = graph.values[constant.value]!;
    names.set(constant.value, builder.constant(`constant_${constant.value}`, info, options.place(constant)));
  }
  const constants = constantValues(graph);
  for (const node of graph.nodes) lowerNode({ graph, builder, names, constants }, node);
  const outputNames = nameOutputs(graph, names, { builder, wanted: options.outputNames });

  const describe = (name: string, value: ValueId): OnnxValue => {
    const { dtype, shape } = graph.values[value]!;
    return { name, type: storedTypes[dtype], shape };
  };
  const versions = [...builder.domains].map((domain) => [domain, domain === '' ? OPSET : CONTRIB_OPSET] as const);
  return {
    model: {
      irVersion: IR_VERSION,
      producer: 'langevin',
      name: 'graph',
      opsets: Object.fromEntries(versions),
      nodes: builder.nodes,
      initializers: builder.initializers,
      inputs: graph.inputs.map((value, i) => describe(inputNames[i]!, value)),
      outputs: graph.outputs.map((value, i) => describe(outputNames[i]!, value)),
      declared: [...builder.declared].map(([name, { dtype, shape }]) => ({ name, type: storedTypes[dtype], shape })),
    },
    inputNames,
    outputNames,
  };
}

interface Lowering {
  readonly graph: Graph | Program;
  readonly builder: ModelBuilder;
  readonly names: Map<ValueId, string>;
  readonly constants: ReadonlySet<ValueId>;
}

/** Constants and what is computed from them alone, which the runtime folds. */
function constantValues(graph: Graph | Program): ReadonlySet<ValueId> {
  const constants = new Set(graph.constants.map(({ value }) => value));
  for (const node of graph.nodes) {
    if (node.inputs.length > 0 && node.inputs.every((input) => constants.has(input)))
      for (const output of node.outputs) constants.add(output);
  }
  return constants;
}

function lowerNode({ graph, builder, names, constants }: Lowering, node: ProgramNode): void {
  const rule = (loweringTable as Partial<Record<string, Lower<ProgramNode['op']>>>)[node.op];
  if (!rule) throw new InternalError(`[engine-onnxruntime/lowering] no rule for an op: op=${node.op}.`);
  const operand = (value: ValueId): Operand => ({ ...graph.values[value]!, name: names.get(value)!, constant: constants.has(value) });
  const scope = builder.scope(
    `${node.op}_${node.outputs[0]}`,
    node.inputs.map(operand),
    node.outputs.map((value) => graph.values[value]!),
  );
  // The pairing of op and params is right by the type of ProgramNode; TypeScript cannot follow it through the table.
  const results = lowerEmpty(scope, node) ?? (rule as (scope: Scope, params: unknown) => string | readonly string[])(scope, node.params);
  node.outputs.forEach((value, i) => names.set(value, typeof results === 'string' ? results : results[i]!));
}

/** Where copies go, and what the outputs are to be called. */
interface Naming {
  readonly builder: ModelBuilder;
  readonly wanted: readonly string[] | undefined;
}

/** A model's outputs must be results of nodes, each once, so inputs, constants and repeats pass through Identity. */
function nameOutputs(graph: Graph | Program, names: ReadonlyMap<ValueId, string>, { builder, wanted }: Naming): string[] {
  const taken = new Set([...graph.inputs, ...graph.constants.map((constant) => constant.value)].map((value) => names.get(value)!));
  return graph.outputs.map((value, i) => {
    const name = names.get(value)!;
    const target = wanted?.[i];
    if (target === undefined && !taken.has(name)) {
      taken.add(name);
      return name;
    }
    const copy = target ?? `output_${i}`;
    builder.nodes.push({ name: `output_${i}`, op: 'Identity', domain: '', inputs: [name], outputs: [copy], attributes: {} });
    return copy;
  });
}
