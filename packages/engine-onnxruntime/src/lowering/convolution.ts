import type { ConvParams, Shape } from '@langevin/tensor';
import { sameShape, sizeOf } from '@langevin/tensor';
import { blockedWeights, emitBlockedConv, isBlockable, turnedKernel, weightGradByInput, weightGradByOutput } from './blocked-conv.ts';
import { adjointByConv, convByGroup } from './conv-adjoint.ts';
import { sumInBlocks } from './sum.ts';
import type { LoweringTable, Operand, Scope } from './scope.ts';

/** ONNX lists all borders before, then all borders after. */
function flatPads(padding: ConvParams['padding']): number[] {
  return [...padding.map(([before]) => before), ...padding.map(([, after]) => after)];
}

/** (x, w, bias?, addend?) */
export function lowerConv(scope: Scope, params: ConvParams): string {
  const [x, w, bias, addend] = scope.inputs as [Operand, Operand, Operand?, Operand?];
  const pads = flatPads(params.padding);
  if (isWorthBlocking(scope, [x, w], params)) {
    const { strides, dilations } = params;
    const weights = blockedWeights(scope, w, 'forward');
    const y = emitBlockedConv(scope, { x, w: weights, bias, outChannels: w.shape[0]!, kernel: w.shape.slice(2), pads, strides, dilations });
    return addend ? scope.emit('Add', [y, addend]) : y;
  }
  const attributes = { strides: params.strides, pads, dilations: params.dilations, group: params.groups };
  if (scope.provider === 'webgpu' && params.groups > 1 && params.strides.length === 3) {
    const { strides, dilations, groups } = params;
    return convByGroup(scope, [x.name, w.name], { groups, strides, dilations, pads });
  }
  if (!addend) return scope.emit('Conv', scope.inputs, { attributes });
  // The runtime lays constant weights out in blocks, and then lets the convolution add; not so in a node that is fused already.
  if (w.constant) return scope.emit('Add', [scope.emit('Conv', [x, w, bias!], { attributes }), addend]);
  return scope.emit('FusedConv', scope.inputs, { attributes, domain: 'com.microsoft' });
}

/** Constant weights are laid out by the runtime, once. */
function isWorthBlocking(scope: Scope, [x, w]: readonly [Operand, Operand], params: ConvParams): boolean {
  return x.dtype === 'float32' && !w.constant && isBlockable(scope, w.shape.slice(0, 2), params);
}

const isOne = (n: number): boolean => n === 1;

/** How much the output's gradient is padded for a convolution by the turned kernel to give the input's. */
function adjointPads({ padding, dilations }: ConvParams, kernel: readonly number[]): ConvParams['padding'] {
  return padding.map(([before, after], i) => {
    const reach = dilations[i]! * (kernel[i]! - 1);
    return [reach - before, reach - after];
  });
}

const isWhole = (pads: ConvParams['padding']): boolean => pads.every(([before, after]) => before >= 0 && after >= 0);

export const convolution: LoweringTable<'conv' | 'convInputGrad' | 'convWeightGrad'> = {
  conv: (scope, params) => lowerConv(scope, params),

  convInputGrad: (scope, params) => {
    const [g, w] = scope.inputs as [Operand, Operand];
    const kernel = w.shape.slice(2);
    const pads = adjointPads(params, kernel);
    if (params.strides.every(isOne) && params.groups === 1 && isWhole(pads)) {
      // A convolution by the kernel turned by half a turn, with its channels exchanged; faster than ConvTranspose.
      if (isWorthBlocking(scope, [g, w], params)) {
        const weights = blockedWeights(scope, w, 'adjoint');
        const { dilations } = params;
        return emitBlockedConv(scope, { x: g, w: weights, outChannels: w.shape[1]!, kernel, pads: flatPads(pads), dilations });
      }
      const attributes = { strides: params.strides, pads: flatPads(pads), dilations: params.dilations };
      return scope.emit('Conv', [g, turned(scope, w)], { attributes });
    }
    if (scope.provider === 'webgpu' && (params.groups > 1 || params.strides.length === 3)) return adjointByConv(scope, params);
    const extra = params.spatial.map((n, i) => {
      const [before, after] = params.padding[i]!;
      return n - ((g.shape[i + 2]! - 1) * params.strides[i]! - before - after + params.dilations[i]! * (kernel[i]! - 1) + 1);
    });
    const attributes = {
      strides: params.strides,
      pads: flatPads(params.padding),
      dilations: params.dilations,
      group: params.groups,
      output_padding: extra,
    };
    return scope.emit('ConvTranspose', [g, w], { attributes });
  },

  convWeightGrad: (scope, params) => {
    const [x, g] = scope.inputs as [Operand, Operand];
    const [batch, channels] = x.shape as [number, number];
    const out = g.shape[1]!;
    const { groups, kernel } = params;
    const places = sizeOf(g.shape.slice(2));
    const simple = params.strides.every(isOne) && params.dilations.every(isOne) && sizeOf(kernel) > 1 && x.dtype === 'float32';
    const byInput = adjointPads(params, kernel);
    if (simple && isBlockable(scope, [batch, channels], params) && !isBlockable(scope, [out], params) && isWhole(byInput)) {
      return weightGradByInput(scope, { image: g, padding: byInput, kernel: x }, kernel);
    }
    if (simple && isBlockable(scope, [batch, out], params))
      return weightGradByOutput(scope, { image: x, kernel: g, padding: params.padding });
    const padded = padSpatial(scope, x, params.padding);
    // dW[o, c, k] = sum over n of g[n, o, :] . x[n, c, : shifted by k]: one batched product for each place k of the kernel.
    const rows = scope.emit('Reshape', [g, scope.ints(groups === 1 ? [batch, out, places] : [batch, groups, out / groups, places])]);
    const columns = groups === 1 ? [batch, channels, places] : [batch, groups, channels / groups, places];
    const parts = kernelPlaces(kernel).map((place) => {
      const shifted = shiftedWindow(scope, padded, { place, outSpatial: g.shape.slice(2), params });
      const flat = scope.emit('Reshape', [shifted, scope.ints(columns)]);
      return productByTranspose(scope, { name: rows, rank: columns.length }, flat);
    });
    const tail = [out, channels / groups];
    const sums = parts.map((part) => scope.emit('Reshape', [sumOfProducts(scope, part, [batch, ...tail]), scope.ints([...tail, 1])]));
    const stacked = sums.length === 1 ? sums[0]! : scope.emit('Concat', sums, { attributes: { axis: 2 } });
    return scope.emit('Reshape', [stacked, scope.ints(scope.outputs[0]!.shape)]);
  },
};

/** Sum over the batch. */
function sumOfProducts(scope: Scope, parts: string, shape: readonly number[]): string {
  if (scope.contrib === 'allow' && scope.inputs[0]!.dtype === 'float32')
    return sumInBlocks(scope, parts, { shape, axes: [0], out: shape.slice(1) });
  return scope.emit('ReduceSum', [parts, scope.ints([0])], { attributes: { keepdims: 0 } });
}

/** w [O, C, ...k] -> [C, O, ...k] with every spatial axis reversed. */
function turned(scope: Scope, w: Operand): string {
  return scope.emit('Transpose', [turnedKernel(scope, w)], { attributes: { perm: w.shape.map((_, i) => (i < 2 ? 1 - i : i)) } });
}

function padSpatial(scope: Scope, x: Operand, padding: ConvParams['padding']): string {
  if (padding.every(([before, after]) => before === 0 && after === 0)) return x.name;
  const pads = scope.ints(flatPads([[0, 0], [0, 0], ...padding]));
  return scope.emit('Pad', [x, pads, scope.fill(x.dtype, 0)], { attributes: { mode: 'constant' } });
}

/** All index tuples of a kernel, row-major. */
function kernelPlaces(kernel: readonly number[]): number[][] {
  let places: number[][] = [[]];
  for (const n of kernel) places = places.flatMap((place) => Array.from({ length: n }, (_, i) => [...place, i]));
  return places;
}

interface Window {
  readonly place: readonly number[];
  readonly outSpatial: Shape;
  readonly params: ConvParams;
}

/** What one place of the kernel sees of the padded input: x[..., place * dilation + stride * i]. */
function shiftedWindow(scope: Scope, padded: string, { place, outSpatial, params }: Window): string {
  const [x] = scope.inputs as [Operand];
  if (padded === x.name && sameShape(outSpatial, x.shape.slice(2)) && place.every((k) => k === 0)) return padded;
  const starts = place.map((k, i) => k * params.dilations[i]!);
  const ends = starts.map((start, i) => start + (outSpatial[i]! - 1) * params.strides[i]! + 1);
  const axes = place.map((_, i) => i + 2);
  return scope.emit('Slice', [padded, scope.ints(starts), scope.ints(ends), scope.ints(axes), scope.ints(params.strides)]);
}

/** a @ transpose(b) over the last two axes. */
function productByTranspose(scope: Scope, a: { readonly name: string; readonly rank: number }, b: string): string {
  if (scope.contrib === 'allow') return scope.emit('FusedMatMul', [a.name, b], { attributes: { transB: 1 }, domain: 'com.microsoft' });
  const perm = Array.from({ length: a.rank }, (_, i) => (i < a.rank - 2 ? i : 2 * a.rank - 3 - i));
  return scope.emit('MatMul', [a.name, scope.emit('Transpose', [b], { attributes: { perm } })]);
}
