import type { ConvParams } from '@langevin/tensor';
import { turnedKernel } from './blocked-conv.ts';
import type { Operand, Scope } from './scope.ts';

/**
 * The adjoint of a convolution in its input, as a convolution: zeros between the elements of g (one stride apart), and the kernel of
 * each group turned and transposed. For providers whose ConvTranspose knows no groups or three axes.
 */
export function adjointByConv(scope: Scope, params: ConvParams & { readonly spatial: readonly number[] }): string {
  const [g, w] = scope.inputs as [Operand, Operand];
  const kernel = w.shape.slice(2);
  const spread = params.strides.reduce<string>(
    (x, stride, i) => insertZeros(scope, x, { shape: spreadShape(g, params, i), axis: i + 2, stride }),
    g.name,
  );
  const before = kernel.map((k, i) => params.dilations[i]! * (k - 1) - params.padding[i]![0]);
  const after = kernel.map(
    (k, i) => params.spatial[i]! + params.dilations[i]! * (k - 1) - before[i]! - g.shape[i + 2]! * params.strides[i]!,
  );
  const padded = scope.emit('Pad', [spread, scope.ints([0, 0, ...before, 0, 0, ...after]), scope.fill(g.dtype, 0)], {
    attributes: { mode: 'constant' },
  });
  return convByGroup(scope, [padded, adjointKernel(scope, w, params.groups)], {
    groups: params.groups,
    dilations: params.dilations,
    strides: kernel.map(() => 1),
    pads: kernel.flatMap(() => [0, 0]),
  });
}

/** The shape of g once the axes before the i-th spatial one are spread. */
function spreadShape(g: Operand, { strides }: ConvParams, i: number): number[] {
  return g.shape.map((n, axis) => (axis >= 2 && axis < i + 2 ? n * strides[axis - 2]! : n));
}

export interface GroupedConv {
  readonly groups: number;
  readonly dilations: readonly number[];
  readonly strides: readonly number[];
  readonly pads: readonly number[];
}

interface Spread {
  readonly shape: readonly number[];
  readonly axis: number;
  readonly stride: number;
}

/** stride - 1 zeros after every element along an axis. */
function insertZeros(scope: Scope, x: string, { shape, axis, stride }: Spread): string {
  if (stride === 1) return x;
  const column = scope.emit('Reshape', [x, scope.ints([-1, 1, shape.slice(axis + 1).reduce((a, b) => a * b, 1)])]);
  const padded = scope.emit('Pad', [column, scope.ints([0, 0, 0, 0, stride - 1, 0])], { attributes: { mode: 'constant' } });
  return scope.emit('Reshape', [padded, scope.ints(shape.map((n, i) => (i === axis ? n * stride : n)))]);
}

/** w [O, C/G, ...k] -> [C, O/G, ...k], turned by half a turn. */
function adjointKernel(scope: Scope, w: Operand, groups: number): string {
  const [o, c, ...kernel] = w.shape as [number, number, ...number[]];
  const parts = scope.emit('Reshape', [turnedKernel(scope, w), scope.ints([groups, o / groups, c, ...kernel])]);
  const perm = [0, 2, 1, ...kernel.map((_, i) => i + 3)];
  return scope.emit('Reshape', [
    scope.emit('Transpose', [parts], { attributes: { perm } }),
    scope.ints([groups * c, o / groups, ...kernel]),
  ]);
}

/** A convolution group by group, for providers whose three-dimensional kernel knows no groups. */
export function convByGroup(scope: Scope, [x, w]: readonly [x: string, w: string], { groups, ...attributes }: GroupedConv): string {
  if (groups === 1 || attributes.dilations.length < 3) return scope.emit('Conv', [x, w], { attributes: { ...attributes, group: groups } });
  const xs = split(scope, x, { axis: 1, parts: groups });
  const ws = split(scope, w, { axis: 0, parts: groups });
  return scope.emit(
    'Concat',
    xs.map((part, i) => scope.emit('Conv', [part, ws[i]!], { attributes })),
    { attributes: { axis: 1 } },
  );
}

function split(scope: Scope, x: string, { axis, parts }: { readonly axis: number; readonly parts: number }): string[] {
  return scope.emitMany('Split', [x], { attributes: { axis, num_outputs: parts }, results: parts });
}
