import type { ValueId } from '@langevin/tensor';
import type { Program, ProgramNode } from './program.ts';

/** Merge equal nodes, which rules that work one by one leave behind. A barrier keeps its copy of a value apart. */
export function mergeEqual(program: Program): void {
  const known = new Map<string, readonly ValueId[]>();
  const renamed = new Map<ValueId, ValueId>();
  const results = new Set(program.outputs);
  program.rewrite((node) => {
    const inputs = node.inputs.map((value) => renamed.get(value) ?? value);
    const key = `${node.op}|${inputs.join()}|${JSON.stringify(node.params)}`;
    const first = known.get(key);
    if (first && !node.outputs.some((value) => results.has(value))) {
      node.outputs.forEach((value, i) => renamed.set(value, first[i]!));
      return [];
    }
    known.set(key, node.outputs);
    return inputs.every((value, i) => value === node.inputs[i]) ? undefined : [{ ...node, inputs } as ProgramNode];
  });
}
