import type { OpDefinition } from '../graph/node.ts';
import type { CompositeName, OpName } from '../graph/primitives.ts';
import { checkpointOp } from '../autodiff/checkpoint.ts';
import { geluOp, siluOp } from './activation.ts';
import { attentionOp } from './attention.ts';
import { addOp, divOp, maximumOp, minimumOp, mulOp, powOp, subOp } from './binary.ts';
import { equalOp, lessEqualOp, lessOp, logicalAndOp, logicalNotOp, logicalOrOp, whereOp } from './compare.ts';
import { convInputGradOp, convOp, convWeightGradOp } from './conv.ts';
import { gatherElementsOp, gatherOp, scatterAddOp, scatterElementsAddOp } from './indexing.ts';
import { matmulOp } from './matmul.ts';
import { groupNormOp, normalizeOp, softmaxOp } from './normalize.ts';
import { avgPoolOp, maxPoolOp } from './pool.ts';
import { argMaxOp, cumsumOp, maxOp } from './reduce.ts';
import { sumOp } from './sum.ts';
import { barrierOp } from './schedule.ts';
import { broadcastToOp, reshapeOp, transposeOp } from './shaping.ts';
import { concatOp, flipOp, padOp, sliceOp } from './slicing.ts';
import { topKIndicesOp } from './sorting.ts';
import {
  absOp,
  atanOp,
  castOp,
  ceilOp,
  cosOp,
  erfOp,
  expOp,
  floorOp,
  logOp,
  negOp,
  roundOp,
  sigmoidOp,
  signOp,
  sinOp,
  sqrtOp,
  tanhOp,
} from './unary.ts';

/** Every op by name. The type makes a missing one a compile error. */
export const definitions: { readonly [Op in OpName]: OpDefinition<Op> } = {
  neg: negOp,
  abs: absOp,
  sign: signOp,
  exp: expOp,
  log: logOp,
  sqrt: sqrtOp,
  sin: sinOp,
  cos: cosOp,
  atan: atanOp,
  tanh: tanhOp,
  sigmoid: sigmoidOp,
  erf: erfOp,
  floor: floorOp,
  ceil: ceilOp,
  round: roundOp,
  logicalNot: logicalNotOp,
  cast: castOp,
  add: addOp,
  sub: subOp,
  mul: mulOp,
  div: divOp,
  pow: powOp,
  maximum: maximumOp,
  minimum: minimumOp,
  equal: equalOp,
  less: lessOp,
  lessEqual: lessEqualOp,
  logicalAnd: logicalAndOp,
  logicalOr: logicalOrOp,
  where: whereOp,
  sum: sumOp,
  max: maxOp,
  argMax: argMaxOp,
  cumsum: cumsumOp,
  topKIndices: topKIndicesOp,
  reshape: reshapeOp,
  transpose: transposeOp,
  broadcastTo: broadcastToOp,
  slice: sliceOp,
  pad: padOp,
  concat: concatOp,
  flip: flipOp,
  gather: gatherOp,
  scatterAdd: scatterAddOp,
  gatherElements: gatherElementsOp,
  scatterElementsAdd: scatterElementsAddOp,
  matmul: matmulOp,
  conv: convOp,
  convInputGrad: convInputGradOp,
  convWeightGrad: convWeightGradOp,
  softmax: softmaxOp,
  normalize: normalizeOp,
  barrier: barrierOp,
  silu: siluOp,
  gelu: geluOp,
  attention: attentionOp,
  groupNorm: groupNormOp,
  maxPool: maxPoolOp,
  avgPool: avgPoolOp,
  checkpoint: checkpointOp,
};

const composites: { readonly [Op in CompositeName]: true } = {
  silu: true,
  gelu: true,
  attention: true,
  groupNorm: true,
  maxPool: true,
  avgPool: true,
  checkpoint: true,
};

export const compositeNames = Object.keys(composites) as readonly CompositeName[];
export const primitiveNames = (Object.keys(definitions) as OpName[]).filter((op) => !(op in composites)) as readonly Exclude<
  OpName,
  CompositeName
>[];

export function isComposite(op: OpName): op is CompositeName {
  return op in composites;
}
