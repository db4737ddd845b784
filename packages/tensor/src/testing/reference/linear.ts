import type { ConvParams } from '../../graph/primitives.ts';
import { sizeOf, stridesOf, type Shape } from '../../shape.ts';
import { broadcastStrides, dot, forEachIndex, type Kernels } from './elements.ts';

/**
 * Every product of a convolution: places in x [N, C, ...spatial], w [O, C/groups, ...kernel] and y [N, O, ...out] that meet.
 * The convolution and its two adjoints are the three ways to sum over them.
 */
function forEachTap(
  shapes: { readonly x: Shape; readonly w: Shape; readonly y: Shape },
  params: ConvParams,
  visit: (x: number, w: number, y: number) => void,
): void {
  const { strides, padding, dilations, groups } = params;
  const { x, w, y } = shapes;
  const outputsPerGroup = w[0]! / groups;
  const strideX = stridesOf(x);
  const filter = w.slice(1); // [C/groups, ...kernel]
  forEachIndex(y, (outIndex, placeY) => {
    const [n, o] = outIndex as readonly [number, number];
    const firstChannel = Math.floor(o / outputsPerGroup) * w[1]!;
    forEachIndex(filter, (tap, placeInFilter) => {
      let placeX = n * strideX[0]! + (firstChannel + tap[0]!) * strideX[1]!;
      for (let d = 0; d < strides.length; d++) {
        const position = outIndex[d + 2]! * strides[d]! - padding[d]![0] + tap[d + 1]! * dilations[d]!;
        if (position < 0 || position >= x[d + 2]!) return;
        placeX += position * strideX[d + 2]!;
      }
      visit(placeX, o * sizeOf(filter) + placeInFilter, placeY);
    });
  });
}

export const linear: Kernels<'matmul' | 'conv' | 'convInputGrad' | 'convWeightGrad'> = {
  matmul({ params: { transposeA, transposeB }, inputs: [a, b], outputs: [out] }) {
    const batch = out!.shape.slice(0, -2);
    const batchA = broadcastStrides(a!.shape.slice(0, -2), batch);
    const batchB = broadcastStrides(b!.shape.slice(0, -2), batch);
    const [rowsA, columnsA] = a!.shape.slice(-2) as [number, number];
    const [rowsB, columnsB] = b!.shape.slice(-2) as [number, number];
    const inner = transposeA ? rowsA : columnsA;
    forEachIndex(out!.shape, (index, place) => {
      const m = index[index.length - 2]!;
      const n = index[index.length - 1]!;
      const leading = index.slice(0, -2);
      const startA = dot(leading, batchA) * rowsA * columnsA;
      const startB = dot(leading, batchB) * rowsB * columnsB;
      let sum = 0;
      for (let k = 0; k < inner; k++) {
        const valueA = a!.values[startA + (transposeA ? k * columnsA + m : m * columnsA + k)]!;
        const valueB = b!.values[startB + (transposeB ? n * columnsB + k : k * columnsB + n)]!;
        sum += valueA * valueB;
      }
      out!.values[place] = sum;
    });
  },

  conv({ params, inputs: [x, w], outputs: [y] }) {
    forEachTap({ x: x!.shape, w: w!.shape, y: y!.shape }, params, (i, j, k) => (y!.values[k]! += x!.values[i]! * w!.values[j]!));
  },
  convInputGrad({ params, inputs: [g, w], outputs: [x] }) {
    forEachTap({ x: x!.shape, w: w!.shape, y: g!.shape }, params, (i, j, k) => (x!.values[i]! += g!.values[k]! * w!.values[j]!));
  },
  convWeightGrad({ params, inputs: [x, g], outputs: [w] }) {
    forEachTap({ x: x!.shape, w: w!.shape, y: g!.shape }, params, (i, j, k) => (w!.values[j]! += x!.values[i]! * g!.values[k]!));
  },
};
