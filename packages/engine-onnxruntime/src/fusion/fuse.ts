import type { Graph } from '@langevin/tensor';
import { readThroughBroadcast } from './broadcast.ts';
import { fuseChannelAffine } from './channel-affine.ts';
import { fuseConvBias } from './conv-bias.ts';
import { fuseConvPad } from './conv-pad.ts';
import { fuseDot } from './dot.ts';
import { mergeEqual } from './merge.ts';
import { fuseNormalizeGrad } from './normalize-grad.ts';
import { Program } from './program.ts';
import { shortenDot } from './shorten-dot.ts';
import { splitSum } from './split-sum.ts';
import { fuseTransposedProduct } from './transposed-product.ts';

/**
 * Rewrite a graph for fewer passes over memory: on the CPU an elementwise op costs what it reads and writes, and a training step has
 * thousands of them. ONNX Runtime's own optimiser fuses what inference needs; these rules add what gradients need.
 */
export function fuseGraph(graph: Graph): Program {
  const program = new Program(graph);
  program.rewrite(readThroughBroadcast);
  program.rewrite(fuseNormalizeGrad);
  program.rewrite(fuseDot);
  program.rewrite(shortenDot);
  program.rewrite(splitSum);
  program.rewrite(fuseChannelAffine);
  program.rewrite(fuseConvPad);
  program.rewrite(fuseTransposedProduct);
  program.rewrite(fuseConvBias);
  program.rewrite(fuseConvBias);
  mergeEqual(program);
  return program;
}
