import { readsOf } from '../graph/build.ts';
import type { OpNode } from '../graph/node.ts';
import { postOrder } from '../graph/post-order.ts';
import type { CompositeName } from '../graph/primitives.ts';
import { hostResults, isHostNode } from '../ops/host-op.ts';
import { Tensor } from '../tensor.ts';

/** A graph to run, then host code that reads its results. */
export interface Stage {
  readonly outputs: readonly Tensor[];
  readonly calls: readonly OpNode[];
}

export interface Plan {
  readonly stages: readonly Stage[];
  /** Host ops that ran before. */
  readonly settled: readonly OpNode[];
  /** Results of host ops that graphs read. */
  readonly fed: ReadonlySet<Tensor>;
}

/** Cheap to compute anew in each stage: moving elements, not computing them. */
const VIEWS: ReadonlySet<string> = new Set(['reshape', 'broadcastTo', 'transpose']);

/**
 * How to compute `targets` when host code is among what they depend on: a node's stage is the number of host ops in a row before it. Values
 * that later stages read are outputs of the stage that computes them, so that nothing but views is computed twice. Undefined when there is
 * no host code.
 */
export function planStages(targets: readonly Tensor[], composites: ReadonlySet<CompositeName>): Plan | undefined {
  const nodes = nodesBelow(targets, composites);
  const hosts = nodes.filter(isHostNode);
  if (hosts.length === 0) return undefined;
  const levels = new Map<OpNode, number>();
  const levelOf = (tensor: Tensor): number => {
    const source = Tensor.source(tensor);
    if (source.kind !== 'op') return 0;
    return levels.get(source.node)! + (isHostNode(source.node) && !hostResults(source.node) ? 1 : 0);
  };
  for (const node of nodes)
    levels.set(node, node.definition.op === 'host' && hostResults(node) ? 0 : Math.max(0, ...readsOf(node, composites).map(levelOf)));

  const stages: { outputs: Set<Tensor>; calls: OpNode[] }[] = [];
  const stage = (level: number): { outputs: Set<Tensor>; calls: OpNode[] } => {
    while (stages.length <= level) stages.push({ outputs: new Set(), calls: [] });
    return stages[level]!;
  };
  const keep = (tensor: Tensor, through: 'views' | 'nothing'): void => {
    const source = Tensor.source(tensor);
    if (source.kind !== 'op' || isHostResult(tensor)) return;
    if (through === 'views' && VIEWS.has(source.node.definition.op)) keep(source.node.inputs[0]!, through);
    else stage(levels.get(source.node)!).outputs.add(tensor);
  };
  const fed = new Set<Tensor>();
  for (const node of nodes) {
    const level = levels.get(node)!;
    if (isHostNode(node)) {
      if (hostResults(node)) continue;
      stage(level).calls.push(node);
      node.inputs.forEach((input) => keep(input, 'nothing'));
    } else {
      for (const input of readsOf(node, composites)) {
        if (levelOf(input) < level) keep(input, 'views');
        if (isHostResult(input)) fed.add(input);
      }
    }
  }
  for (const target of targets) {
    const source = Tensor.source(target);
    if (source.kind !== 'op') stage(0).outputs.add(target);
    else keep(target, 'nothing');
  }
  return {
    stages: stages.map(({ outputs, calls }) => ({ outputs: [...outputs], calls: calls.sort((a, b) => a.id - b.id) })),
    fed,
    settled: hosts.filter((node) => hostResults(node)),
  };
}

function isHostResult(tensor: Tensor): boolean {
  const source = Tensor.source(tensor);
  return source.kind === 'op' && isHostNode(source.node);
}

/** The nodes that have to be run, inputs before consumers; what host code has computed already is not computed again. */
function nodesBelow(targets: readonly Tensor[], composites: ReadonlySet<CompositeName>): OpNode[] {
  return postOrder(targets, (node) => (isHostNode(node) && hostResults(node) ? [] : readsOf(node, composites)));
}
