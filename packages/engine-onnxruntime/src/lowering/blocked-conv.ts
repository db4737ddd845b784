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
  const { x, w, bias, outChannels, kernel, pads, strides = [1, 1], dilations = [1, 1] } = conv;
  const blocked = scope.emit('ReorderInput', [x], { domain: DOMAIN });
  const y = scope.emit('Conv', bias ? [blocked, w, bias] : [blocked, w], {
    attributes: { kernel_shape: kernel, pads, strides, dilations, group: 1 },
    domain: DOMAIN,
  });
  return scope.emit('ReorderOutput', [y], { attributes: { channels: outChannels }, domain: DOMAIN });
}

/** The weights [O, C, kh, kw] of a convolution, or those of its adjoint: [C, O, ...], with the kernel turned by half a turn. */
export function blockedWeights(scope: Scope, w: Operand, direction: 'forward' | 'adjoint'): string {
  const b = scope.channelBlock;
  const [o, c, ...kernel] = w.shape as [number, number, ...number[]];
  const parts = scope.emit('Reshape', [direction === 'forward' ? w : turnedKernel(scope, w), scope.ints([o / b, b, c / b, b, ...kernel])]);
  const perm = direction === 'forward' ? [0, 2, 4, 5, 3, 1] : [2, 0, 4, 5, 1, 3];
  const moved = scope.emit('Transpose', [parts], { attributes: { perm } });
  return scope.emit('Reshape', [moved, scope.ints(direction === 'forward' ? [o, c, ...kernel] : [c, o, ...kernel])]);
}

/** w with every spatial axis reversed. */
export function turnedKernel(scope: Scope, w: Operand): string {
  const axes = w.shape.flatMap((n, i) => (i >= 2 && n > 1 ? [i] : []));
  if (axes.length === 0) return w.name;
  const all = (value: number): string => scope.ints(axes.map(() => value));
  return scope.emit('Slice', [w, all(-1), all(-(2 ** 31)), scope.ints(axes), all(-1)]);
}

/**
 * dW[o, c, k] = sum over n and p of g[n, o, p] x[n, c, p + k]: a convolution whose batch is C, whose channels are N and whose kernel
 * is g, with an output as small as the kernel. Blocked, it runs near the peak; as an ordinary Conv it would be five times slower.
 */
export function blockedWeightGrad(scope: Scope, padded: Operand, g: Operand): string {
  const b = scope.channelBlock;
  const [batch, o, ...spatial] = g.shape as [number, number, ...number[]];
  const swapped = scope.emit('Transpose', [padded], { attributes: { perm: [1, 0, 2, 3] } });
  // Blocks of o first: the gradient by x needs g in this very layout, and what is left to move are whole blocks.
  const blocks = scope.emit('ReorderInput', [g], { domain: DOMAIN });
  const parts = scope.emit('Reshape', [blocks, scope.ints([batch / b, b, o / b, ...spatial, b])]);
  const moved = scope.emit('Transpose', [parts], { attributes: { perm: [2, 0, 3, 4, 1, 5] } });
  const kernel = scope.emit('Reshape', [moved, scope.ints([o, batch, ...spatial])]);
  const y = emitBlockedConv(scope, { x: swapped, w: kernel, outChannels: o, kernel: spatial, pads: [0, 0, 0, 0] });
  return scope.emit('Transpose', [y], { attributes: { perm: [1, 0, 2, 3] } });
}
