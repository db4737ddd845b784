import { CHANNEL_BLOCKS } from './blocked-conv.ts';
import type { Operand, Scope } from './scope.ts';

/** Whether rows of this length are whole blocks of the CPU's convolution kernels. */
export function isInLanes(scope: Scope, length: number): boolean {
  return scope.contrib === 'allow' && scope.channelBlock > 0 && length % scope.channelBlock === 0;
}

export interface AffineOfTwo {
  /** [1, rows, length], float32 */
  readonly x: Operand;
  /** [rows], as is yScale. */
  readonly scale: string;
  readonly bias: string;
  /** Of x's shape. */
  readonly y: Operand;
  readonly yScale: string;
}

/**
 * x * scale + bias + y * yScale by row, in two passes instead of three: a convolution by one weight for each channel adds to what it
 * is given while it writes. Rows are no blocks of channels, but with the same weight in every lane of a block they may be read as such.
 */
export function affineOfTwo(scope: Scope, { x, scale, bias, y, yScale }: AffineOfTwo): string {
  const block = scope.channelBlock;
  const [, rows, length] = x.shape as [number, number, number];
  const lanes = rows * block;
  // A product with ones repeats elements three times as fast as Expand.
  const inLanes = (vector: string): string =>
    scope.emit('MatMul', [scope.emit('Reshape', [vector, scope.ints([rows, 1])]), scope.fill('float32', 1, [1, block])]);
  const weights = (vector: string): string => scope.emit('Reshape', [inLanes(vector), scope.ints([lanes, 1, 1, 1])]);
  const image = (row: Operand): string => scope.emit('Reshape', [row, scope.ints([1, lanes, 1, length / block])]);
  const options = {
    attributes: { kernel_shape: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], group: lanes },
    domain: CHANNEL_BLOCKS,
  } as const;
  const first = scope.emit('Conv', [image(x), weights(scale), scope.emit('Reshape', [inLanes(bias), scope.ints([lanes])])], options);
  return scope.emit('Conv', [image(y), weights(yScale), '', first], options);
}
