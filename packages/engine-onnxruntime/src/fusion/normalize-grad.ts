import { sameShape, sizeOf, type ValueId } from '@langevin/tensor';
import { asVector, isPerChannel } from './channel.ts';
import { orders, type Program, type ProgramNode } from './program.ts';

/**
 * inv * (g - mean(g) - y * mean(g * y)), the gradient of `normalize`, as a * g + b * y + c with one a, b, c for each row: two
 * reductions and two passes. Where g was scaled by channel (group norm), the scale goes into a.
 */
export function fuseNormalizeGrad(root: ProgramNode, program: Program): readonly ProgramNode[] | undefined {
  if (root.op !== 'mul' || program.dtype(root.outputs[0]!) !== 'float32') return undefined;
  for (const [inverse, centred] of orders(root.inputs)) {
    const normalize = program.producer(inverse, 'normalize');
    if (!normalize || normalize.outputs[2] !== inverse) continue;
    const g = matchCentred(program, centred, normalize.outputs[0]!);
    if (g === undefined) continue;
    const shape = program.shape(g);
    const rank = shape.length - normalize.params.axes;
    const found = { g, y: normalize.outputs[0]!, inverse, out: root.outputs[0]!, lead: shape.slice(0, rank) };
    return scaledByChannel(program, found) ?? plain(program, found);
  }
  return undefined;
}

/** The g of (g - mean(g)) - y * mean(g * y). */
function matchCentred(program: Program, value: ValueId, y: ValueId): ValueId | undefined {
  const outer = program.producer(value, 'sub');
  const inner = outer && program.producer(outer.inputs[0]!, 'sub');
  const along = outer && program.producer(outer.inputs[1]!, 'mul');
  if (!inner || !along) return undefined;
  const [g, mean] = inner.inputs as readonly [ValueId, ValueId];
  if (!isMean(program, mean, { over: g, of: (summed) => summed === g })) return undefined;
  const isProjection = orders(along.inputs).some(
    ([left, right]) => left === y && isMean(program, right, { over: g, of: (summed) => isProduct(program, summed, [g, y]) }),
  );
  return isProjection ? g : undefined;
}

/** Of what a value may be the mean, over the rows of which tensor. */
interface MeanOf {
  readonly over: ValueId;
  readonly of: (summed: ValueId) => boolean;
}

/** Whether a value is sum(of) / count over the rows of a tensor. */
function isMean(program: Program, value: ValueId, { over, of }: MeanOf): boolean {
  const quotient = program.producer(value, 'div');
  if (!quotient) return false;
  const [total, divisor] = quotient.inputs as readonly [ValueId, ValueId];
  const sum = program.producer(total, 'sum');
  return (
    !!sum
    && sum.params.keepDims
    && of(sum.inputs[0]!)
    && program.number(divisor) === sizeOf(program.shape(over)) / sizeOf(program.shape(total))
  );
}

function isProduct(program: Program, value: ValueId, [a, b]: readonly [ValueId, ValueId]): boolean {
  const node = program.producer(value, 'mul');
  return !!node && orders(node.inputs).some(([x, y]) => x === a && y === b);
}

interface Found {
  readonly g: ValueId;
  readonly y: ValueId;
  readonly inverse: ValueId;
  readonly out: ValueId;
  readonly lead: readonly number[];
}

function plain(program: Program, { g, y, inverse, out, lead }: Found): readonly ProgramNode[] {
  const kept = lead.length;
  const rows = sizeOf(lead);
  const axes = program.shape(g).flatMap((_, i) => (i < kept ? [] : [i]));
  const sums = program.add('float32', lead);
  const dots = program.add('float32', lead);
  const count = sizeOf(program.shape(g)) / rows;
  return [
    { op: 'sum', params: { axes, keepDims: false }, inputs: [g], outputs: [sums] },
    { op: 'dot', params: { kept }, inputs: [g, y], outputs: [dots] },
    { op: 'normalizeGrad', params: { batch: 1, groups: rows, rows: 1, count }, inputs: [g, y, inverse, sums, dots], outputs: [out] },
  ];
}

/** g = reshape(gz * gamma) from [N, C, ...] to [N, G, P]. */
function scaledByChannel(program: Program, { g, y, inverse, out, lead }: Found): readonly ProgramNode[] | undefined {
  const reshape = program.producer(g, 'reshape');
  const scaled = reshape && program.producer(reshape.inputs[0]!, 'mul');
  if (!scaled || lead.length !== 2) return undefined;
  const shape = program.shape(scaled.outputs[0]!);
  const [batch, groups] = lead as readonly [number, number];
  const channels = shape[1]!;
  if (shape.length < 3 || shape[0] !== batch || channels % groups !== 0) return undefined;
  for (const [gz, gamma] of orders(scaled.inputs)) {
    if (!sameShape(program.shape(gz), shape) || !isPerChannel(program, gamma, shape)) continue;
    const yz = program.add('float32', shape);
    const vector = asVector(program, gamma);
    const sums = program.add('float32', [batch, channels]);
    const dots = program.add('float32', [batch, channels]);
    const axes = shape.flatMap((_, i) => (i < 2 ? [] : [i]));
    const params = { batch, groups, rows: channels / groups, count: sizeOf(shape) / (batch * groups) };
    return [
      { op: 'reshape', params: { shape }, inputs: [y], outputs: [yz] },
      ...vector.nodes,
      { op: 'sum', params: { axes, keepDims: false }, inputs: [gz], outputs: [sums] },
      { op: 'dot', params: { kept: 2 }, inputs: [gz, yz], outputs: [dots] },
      { op: 'normalizeGrad', params, inputs: [gz, y, inverse, sums, dots, vector.vector], outputs: [out] },
    ];
  }
  return undefined;
}
