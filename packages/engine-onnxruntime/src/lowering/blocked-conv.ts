import type { ConvParams } from '@langevin/tensor';
import type { Operand, Scope } from './scope.ts';

/**
 * Convolutions in the channel-blocked layout of ONNX Runtime's CPU kernels (NCHWc). The runtime lays constant weights out so by
 * itself; weights that are trained are inputs, so here the graph lays them out at each run, which costs little: they are small.
 */
const DOMAIN = 'com.microsoft.nchwc';

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
  return toPlain(scope, emitBlocked(scope, conv), conv.outChannels);
}

/** From an image in plain layout to one in blocks. */
function emitBlocked(scope: Scope, { x, w, bias, kernel, pads, strides = [1, 1], dilations = [1, 1] }: BlockedConv): string {
  const blocked = scope.emit('ReorderInput', [x], { domain: DOMAIN });
  return scope.emit('Conv', bias ? [blocked, w, bias] : [blocked, w], {
    attributes: { kernel_shape: kernel, pads, strides, dilations, group: 1 },
    domain: DOMAIN,
  });
}

function toPlain(scope: Scope, blocked: string, channels: number): string {
  return scope.emit('ReorderOutput', [blocked], { attributes: { channels }, domain: DOMAIN });
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
  const inwards = (shape: readonly number[]): string => scope.emit('ReorderInput', [scope.emit('Reshape', [w, scope.ints(shape)])], { domain: DOMAIN });
  const moved = (x: string, shape: readonly number[], perm: readonly number[]): string =>
    scope.emit('Transpose', [scope.emit('Reshape', [x, scope.ints(shape)])], { attributes: { perm } });
  if (direction === 'forward') {
    const rows = inwards([o / b, b, c, places]);
    return scope.emit('Reshape', [moved(rows, [(o / b) * (c / b), b, places, b], [0, 2, 1, 3]), scope.ints([o, c, ...kernel])]);
  }
  const blocks = moved(inwards([o, c, 1, places]), [o / b, b, c / b, places, b], [2, 0, 3, 1, 4]);
  if (places === 1) return scope.emit('Reshape', [blocks, scope.ints([c, o, ...kernel])]);
  const turned = scope.emit('Gather', [scope.emit('Reshape', [blocks, scope.ints([(o / b) * (c / b), places, b * b])]), scope.ints(descending(places))], {
    attributes: { axis: 1 },
  });
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
  const blocks = scope.emit('ReorderInput', [lines], { attributes: { channels_last: 1 }, domain: DOMAIN });
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

/** The two operands of a weight gradient in the roles that they play in it: both [N, channels, ...spatial]. */
export interface WeightGradRoles {
  readonly image: Operand;
  /** Its channels are whole blocks; those of the image need not be. */
  readonly kernel: Operand;
}

/**
 * sum over n and p of kernel[n, b, p] image[n, a, p + k] for every (a, b, k): a convolution whose batch are the image's channels and
 * whose channels are N, with an output as small as the weights. Blocked, it runs near the peak; as an ordinary Conv it would be five
 * times slower. The image is padded beforehand: at the borders the runtime's kernel computes one place at a time.
 */
function correlation(scope: Scope, { image, kernel }: WeightGradRoles): string {
  const b = scope.channelBlock;
  const [batch, channels, ...spatial] = kernel.shape as [number, number, ...number[]];
  const swapped = scope.emit('Transpose', [image], { attributes: { perm: [1, 0, 2, 3] } });
  // Blocks of channels first: a convolution needs the operand in this very layout as well, and what is left to move are runs of a block.
  const blocks = scope.emit('ReorderInput', [kernel], { domain: DOMAIN });
  const parts = scope.emit('Reshape', [blocks, scope.ints([batch / b, b, channels / b, ...spatial, b])]);
  const moved = scope.emit('Transpose', [parts], { attributes: { perm: [2, 0, 3, 4, 1, 5] } });
  const weights = scope.emit('Reshape', [moved, scope.ints([channels, batch, ...spatial])]);
  return emitBlocked(scope, { x: swapped, w: weights, outChannels: channels, kernel: spatial, pads: [0, 0, 0, 0] });
}

/** dW[o, c, k] = sum over n and p of g[n, o, p] x[n, c, p + k], from x padded as in the forward pass. */
export function weightGradByOutput(scope: Scope, padded: Operand, g: Operand): string {
  const y = toPlain(scope, correlation(scope, { image: padded, kernel: g }), g.shape[1]!);
  return scope.emit('Transpose', [y], { attributes: { perm: [1, 0, 2, 3] } });
}

/** The same with x as the kernel, from g padded as for the gradient by x: places come out in reverse. For outputs of a few channels. */
export function weightGradByInput(scope: Scope, padded: Operand, x: Operand, kernel: readonly number[]): string {
  const b = scope.channelBlock;
  const [o, c] = [padded.shape[1]!, x.shape[1]!];
  const places = kernel[0]! * kernel[1]!;
  const reversed = scope.emit('Reshape', [correlation(scope, { image: padded, kernel: x }), scope.ints([(o * c) / b, places, b])]);
  const y = scope.emit('Gather', [reversed, scope.ints(descending(places))], { attributes: { axis: 1 } });
  return toPlain(scope, scope.emit('Reshape', [y, scope.ints([o, c, ...kernel])]), c);
}
