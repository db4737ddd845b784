import { sizeOf } from '@langevin/tensor';
import type { FusedName } from '../fusion/program.ts';
import { affine } from './affine.ts';
import { affineOfTwo, isInLanes } from './blocked-affine.ts';
import { lowerConv } from './convolution.ts';
import type { LoweringTable, Operand } from './scope.ts';
import { dotRows } from './sum.ts';

export const fused: LoweringTable<FusedName> = {
  convBias: (scope, params) => lowerConv(scope, params),
  channelAffine: (scope) => {
    const [x, scale, bias] = scope.inputs as [Operand, Operand, Operand];
    return affine(scope, x, { scale, bias, channels: x.shape[1]! });
  },
  dot: (scope, { kept }) => {
    const [a, b] = scope.inputs as [Operand, Operand];
    const rows = sizeOf(a.shape.slice(0, kept));
    const length = sizeOf(a.shape.slice(kept));
    return scope.emit('Reshape', [dotRows(scope, [a.name, b.name], { outer: rows, count: length }), scope.ints(a.shape.slice(0, kept))]);
  },
  normalizeGrad: (scope, { batch, groups, rows, count }) => {
    const [g, y, inverse, sums, dots, gamma] = scope.inputs as [Operand, Operand, Operand, Operand, Operand, Operand?];
    const whole = scope.ints([batch, groups, rows]);
    const inv = scope.emit('Reshape', [inverse, scope.ints([batch, groups, 1])]);
    const weight = gamma && scope.emit('Reshape', [gamma, scope.ints([1, groups, rows])]);
    // -inv * mean over a normalised row, from the sums of its parts.
    const shift = (parts: Operand): string => {
      const each = scope.emit('Reshape', [parts, whole]);
      const weighted = weight === undefined ? each : scope.emit('Mul', [each, weight]);
      const total = rows === 1 ? weighted : scope.emit('ReduceSum', [weighted, scope.ints([2])]);
      return scope.emit('Mul', [scope.emit('Mul', [total, scope.fill('float32', -1 / count)]), inv]);
    };
    const channels = batch * groups * rows;
    const vector = (value: string): string => scope.emit('Reshape', [scope.emit('Expand', [value, whole]), scope.ints([channels])]);
    const scale = vector(weight === undefined ? inv : scope.emit('Mul', [inv, weight]));
    const bias = vector(shift(sums));
    const length = sizeOf(g.shape) / channels;
    const flat = (x: Operand): Operand => ({
      ...x,
      name: scope.emit('Reshape', [x, scope.ints([1, channels, length])]),
      shape: [1, channels, length],
    });
    const result = (name: string): string => scope.emit('Reshape', [name, scope.ints(scope.outputs[0]!.shape)]);
    if (isInLanes(scope, length)) return result(affineOfTwo(scope, { x: flat(g), scale, bias, y: flat(y), yScale: vector(shift(dots)) }));
    const first = affine(scope, flat(g), { scale, bias, channels });
    const grouped = scope.ints([batch, groups, -1]);
    const second = scope.emit('Mul', [scope.emit('Reshape', [y, grouped]), shift(dots)]);
    return result(scope.emit('Add', [scope.emit('Reshape', [first, grouped]), second]));
  },
};
