import type { ConvParams } from '@langevin/tensor';
import { sizeOf } from '@langevin/tensor';
import type { Operand, Scope } from './scope.ts';

/**
 * Convolutions in the channel-blocked layout of ONNX Runtime's CPU kernels (NCHWc). The runtime lays constant weights out so by
 * itself; weights that are trained are inputs, so here the graph lays them out at each run, which costs little: they are small.
 */
export const CHANNEL_BLOCKS = 'com.microsoft.nchwc';

/** Whether a convolution with this many channels on either side can run blocked. */
export function isBlockable(scope: Scope, channels: readonly number[], params: ConvParams): boolean {
  const block = scope.channelBlock;
  return block > 0 && params.groups === 1 && params.strides.length === 2 && channels.every((n) => n % block === 0);
}

export interface BlockedConv {
  /** [N, C, H, W] */
  readonly x: Operand | string;
  /** Blocked [O/b, C/b, kh, kw, b of C, b of O], under the shape [O, C, kh, kw]. */
  readonly w: string;
  readonly bias?: Operand | undefined;
  readonly outChannels: number;
  readonly kernel: readonly number[];
  readonly pads: readonly number[];
  readonly strides?: readonly number[];
  readonly dilations?: readonly number[];
}

export function emitBlockedConv(scope: Scope, conv: BlockedConv): string {
  const x = scope.emit('ReorderInput', [conv.x], { domain: CHANNEL_BLOCKS });
  return toPlain(scope, emitBlocked(scope, { ...conv, x }), conv.outChannels);
}

/** From an image in blocks to one in blocks. */
function emitBlocked(scope: Scope, { x, w, bias, kernel, pads, strides = [1, 1], dilations = [1, 1] }: BlockedConv): string {
  return scope.emit('Conv', bias ? [x, w, bias] : [x, w], {
    attributes: { kernel_shape: kernel, pads, strides, dilations, group: 1 },
    domain: CHANNEL_BLOCKS,
  });
}

function toPlain(scope: Scope, blocked: string, channels: number): string {
  return scope.emit('ReorderOutput', [blocked], { attributes: { channels }, domain: CHANNEL_BLOCKS });
}

/**
 * The weights [O, C, kh, kw] of a convolution, or those of its adjoint: [C, O, ...], with the kernel turned by half a turn. The
 * runtime's kernel for activations brings one axis inwards, so that what is left to move are runs of a block: three times as fast as
 * moving single elements.
 */
export function blockedWeights(scope: Scope, w: Operand, direction: 'forward' | 'adjoint'): string {
  const b = scope.channelBlock;
  const [o, c, ...kernel] = w.shape as [number, number, ...number[]];
  const places = kernel[0]! * kernel[1]!;
  const inwards = (shape: readonly number[]): string =>
    scope.emit('ReorderInput', [scope.emit('Reshape', [w, scope.ints(shape)])], { domain: CHANNEL_BLOCKS });
  const moved = (x: string, shape: readonly number[], perm: readonly number[]): string =>
    scope.emit('Transpose', [scope.emit('Reshape', [x, scope.ints(shape)])], { attributes: { perm } });
  if (direction === 'forward') {
    const rows = inwards([o / b, b, c, places]);
    return scope.emit('Reshape', [moved(rows, [(o / b) * (c / b), b, places, b], [0, 2, 1, 3]), scope.ints([o, c, ...kernel])]);
  }
  const blocks = moved(inwards([o, c, 1, places]), [o / b, b, c / b, places, b], [2, 0, 3, 1, 4]);
  if (places === 1) return scope.emit('Reshape', [blocks, scope.ints([c, o, ...kernel])]);
  const turned = scope.emit(
    'Gather',
    [scope.emit('Reshape', [blocks, scope.ints([(o / b) * (c / b), places, b * b])]), scope.ints(descending(places))],
    {
      attributes: { axis: 1 },
    },
  );
  return scope.emit('Reshape', [turned, scope.ints([c, o, ...kernel])]);
}

function descending(n: number): number[] {
  return Array.from({ length: n }, (_, i) => n - 1 - i);
}

export interface BlockedProduct {
  /** [summed, rows] */
  readonly weights: Operand;
  /** [summed, columns] */
  readonly image: Operand;
  readonly summed: number;
  readonly rows: number;
  readonly columns: number;
}

/** weights^T image, as [1, rows, columns, 1]. */
export function emitBlockedProduct(scope: Scope, { weights, image, summed, rows, columns }: BlockedProduct): string {
  const lines = scope.emit('Reshape', [weights, scope.ints([1, summed, 1, rows])]);
  const blocks = scope.emit('ReorderInput', [lines], { attributes: { channels_last: 1 }, domain: CHANNEL_BLOCKS });
  return emitBlockedConv(scope, {
    x: scope.emit('Reshape', [image, scope.ints([1, summed, columns, 1])]),
    w: scope.emit('Reshape', [blocks, scope.ints([rows, summed, 1, 1])]),
    outChannels: rows,
    kernel: [1, 1],
    pads: [0, 0, 0, 0],
  });
}

/** w with every spatial axis reversed. */
export function turnedKernel(scope: Scope, w: Operand): string {
  const axes = w.shape.flatMap((n, i) => (i >= 2 && n > 1 ? [i] : []));
  if (axes.length === 0) return w.name;
  const all = (value: number): string => scope.ints(axes.map(() => value));
  return scope.emit('Slice', [w, all(-1), all(-(2 ** 31)), scope.ints(axes), all(-1)]);
}

/** The two operands of a weight gradient in the roles that they play in it: both [N, channels, ...spatial], N in whole blocks. */
export interface WeightGradRoles {
  readonly image: Operand;
  /** What is added to the image, before and after each spatial axis. */
  readonly padding: ConvParams['padding'];
  /** Its channels are whole blocks; those of the image need not be. */
  readonly kernel: Operand;
}

/**
 * sum over n and p of kernel[n, b, p] image[n, a, p + k] for every (a, b, k): a convolution whose batch are the image's channels and
 * whose channels are N, with an output as small as the weights. Blocked, it runs near the peak; as an ordinary Conv it would be five
 * times slower.
 */
function correlation(scope: Scope, { image, padding, kernel }: WeightGradRoles): string {
  const [, channels, ...spatial] = kernel.shape as [number, number, ...number[]];
  return emitBlocked(scope, {
    x: swappedImage(scope, image, padding),
    w: swappedKernel(scope, kernel),
    outChannels: channels,
    kernel: spatial,
    pads: [0, 0, 0, 0],
  });
}

/** [N, channels, ...spatial] -> [N/b, channels, ...spatial, b]: the runtime's kernel for layouts works on all threads, Transpose on one. */
function batchInwards(scope: Scope, x: Operand): string {
  const [batch, ...rest] = x.shape;
  return scope.emit('ReorderInput', [scope.emit('Reshape', [x, scope.ints([1, batch!, sizeOf(rest), 1])])], { domain: CHANNEL_BLOCKS });
}

/** Exchange the first two axes of [a, b, size], in runs of `size`. */
function swapped(scope: Scope, x: string, shape: readonly [number, number, number]): string {
  const parts = scope.emit('Reshape', [x, scope.ints(shape)]);
  return shape[0] === 1 || shape[1] === 1 ? parts : scope.emit('Transpose', [parts], { attributes: { perm: [1, 0, 2] } });
}

/** [N, C, H, W] -> [C, N/b, H, W, b], padded: at its borders the runtime's kernel computes one place at a time. Wide rows pad faster. */
function swappedImage(scope: Scope, x: Operand, padding: ConvParams['padding']): string {
  const b = scope.channelBlock;
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const [[top, bottom], [left, right]] = padding as readonly [readonly [number, number], readonly [number, number]];
  const blocks = swapped(scope, batchInwards(scope, x), [batch / b, channels, height * width * b]);
  const rows = scope.emit('Reshape', [blocks, scope.ints([(channels * batch) / b, height, width * b])]);
  const pads = scope.ints([0, top, left * b, 0, bottom, right * b]);
  const padded =
    top + bottom + left + right === 0
      ? rows
      : scope.emit('Pad', [rows, pads, scope.fill('float32', 0)], { attributes: { mode: 'constant' } });
  return scope.emit('Reshape', [padded, scope.ints([channels, batch, height + top + bottom, width + left + right])]);
}

/** [N, O, H, W] -> the weights of a convolution from N to O channels, as blocks: [O/b, N/b, H, W, b of N, b of O]. */
function swappedKernel(scope: Scope, x: Operand): string {
  const b = scope.channelBlock;
  const [batch, channels, ...spatial] = x.shape as [number, number, ...number[]];
  const places = sizeOf(spatial);
  const lines = scope.emit('Reshape', [batchInwards(scope, x), scope.ints([batch / b, channels, places * b, 1])]);
  const blocks = scope.emit('ReorderInput', [lines], { domain: CHANNEL_BLOCKS });
  return scope.emit('Reshape', [
    swapped(scope, blocks, [batch / b, channels / b, places * b * b]),
    scope.ints([channels, batch, ...spatial]),
  ]);
}

/** dW[o, c, k] = sum over n and p of g[n, o, p] x[n, c, p + k], where the image is x, padded as in the forward pass, and the kernel g. */
export function weightGradByOutput(scope: Scope, roles: WeightGradRoles): string {
  const y = toPlain(scope, correlation(scope, roles), roles.kernel.shape[1]!);
  return scope.emit('Transpose', [y], { attributes: { perm: [1, 0, 2, 3] } });
}

/** The same with x as the kernel, and g padded as for the gradient by x: places come out in reverse. For outputs of a few channels. */
export function weightGradByInput(scope: Scope, roles: WeightGradRoles, kernel: readonly number[]): string {
  const b = scope.channelBlock;
  const [o, c] = [roles.image.shape[1]!, roles.kernel.shape[1]!];
  const places = kernel[0]! * kernel[1]!;
  const reversed = scope.emit('Reshape', [correlation(scope, roles), scope.ints([(o * c) / b, places, b])]);
  const y = scope.emit('Gather', [reversed, scope.ints(descending(places))], { attributes: { axis: 1 } });
  return toPlain(scope, scope.emit('Reshape', [y, scope.ints([o, c, ...kernel])]), c);
}
