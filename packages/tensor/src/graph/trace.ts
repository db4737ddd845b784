import { Tensor } from '../tensor.ts';
import { tensorsOf } from '../tree.ts';
import { buildGraph, dataConstant, literalConstant } from './build.ts';
import type { Graph } from './graph.ts';
import type { CompositeName } from './primitives.ts';

export interface TraceOptions {
  /** Composites to keep whole. @default all are expanded */
  readonly composites?: ReadonlySet<CompositeName>;
}

/** The graph of a function of tensors, to print, verify or export: arguments are its inputs, in order, and everything else constants. */
export function traceGraph(
  fn: (...args: readonly Tensor[]) => unknown,
  args: readonly Pick<Tensor, 'shape' | 'dtype'>[],
  options: TraceOptions = {},
): Graph {
  const inputs = args.map(({ shape, dtype }, i) => new Tensor(shape, dtype, { kind: 'placeholder', name: `argument ${i}` }));
  const { graph } = buildGraph(tensorsOf(fn(...inputs)), {
    composites: options.composites ?? new Set(),
    inputs,
    leafRole: (leaf) => {
      const source = Tensor.source(leaf);
      if (source.kind === 'literal') return literalConstant(leaf, source.value);
      if (source.kind === 'file') {
        const { path, offset } = source.slice;
        return { kind: 'constant', data: source.slice, identity: `file ${path} ${offset}` };
      }
      return source.kind === 'host' ? dataConstant(source.data) : { kind: 'input' };
    },
  });
  return graph;
}
