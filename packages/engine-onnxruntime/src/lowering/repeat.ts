import type { Shape } from '@langevin/tensor';
import { CHANNEL_BLOCKS } from './blocked-conv.ts';
import type { Scope } from './scope.ts';

/** A shape as [outer, r1, inner, r2]: neighbouring axes that are both repeated, or both kept, are one. */
export interface Interleaved {
  readonly outer: number;
  readonly repeatOuter: number;
  readonly inner: number;
  readonly repeatInner: number;
}

/** How the axes of a tensor are repeated or summed, and the shape of what comes out. */
export interface InterleavedResult {
  readonly axes: Interleaved;
  readonly shape: Shape;
}

/** Longer runs of kept elements are copied well enough by Expand and ReduceSum. */
const LONGEST_RUN = 64;

/**
 * View axes as [outer, r1, inner, r2], where `repeated` says which ones are repeated (or summed): the shape of nearest-neighbour
 * resizing and its gradient. Undefined when the shape is another, or the general kernels are good at it.
 */
export function interleavedAxes(shape: Shape, repeated: (axis: number) => boolean): Interleaved | undefined {
  const runs: { size: number; repeated: boolean }[] = [];
  shape.forEach((size, axis) => {
    if (size === 1) return;
    const last = runs.at(-1);
    if (last && last.repeated === repeated(axis)) last.size *= size;
    else runs.push({ size, repeated: repeated(axis) });
  });
  const pattern = runs.map((run) => (run.repeated ? 'r' : 'k')).join('');
  const [a, b, c, d] = runs.map(({ size }) => size) as [number, number, number, number];
  if (pattern === 'krkr') return { outer: a, repeatOuter: b, inner: c, repeatInner: d };
  if (pattern === 'kr' && b <= LONGEST_RUN) return { outer: 1, repeatOuter: 1, inner: a, repeatInner: b };
  if (pattern === 'krk' && c < LONGEST_RUN) return { outer: a, repeatOuter: b, inner: c, repeatInner: 1 };
  return undefined;
}

/** Repeat elements: nearest-neighbour resizing of an image, several times as fast as Expand. */
export function repeatInterleaved(scope: Scope, x: string, { axes, shape }: InterleavedResult): string {
  const { outer, repeatOuter, inner, repeatInner } = axes;
  const image = scope.emit('Reshape', [x, scope.ints([1, 1, outer, inner])]);
  const sizes = scope.ints([1, 1, outer * repeatOuter, inner * repeatInner]);
  const attributes = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' };
  return scope.emit('Reshape', [scope.emit('Resize', [image, '', '', sizes], { attributes }), scope.ints(shape)]);
}

/** Sum over repeats: average pooling times the size of the window. */
export function sumInterleaved(scope: Scope, x: string, { axes: windows, shape }: InterleavedResult): string {
  const byBlocks = scope.contrib === 'allow' && scope.channelBlock > 0 && windows.outer % scope.channelBlock === 0;
  const means = byBlocks ? averageBlocks(scope, x, windows) : averageImages(scope, x, windows);
  const sums = scope.emit('Mul', [means, scope.fill('float32', windows.repeatOuter * windows.repeatInner)]);
  return scope.emit('Reshape', [sums, scope.ints(shape)]);
}

const poolingBy = ({ repeatOuter, repeatInner }: Interleaved): Readonly<Record<string, readonly number[]>> => ({
  kernel_shape: [repeatOuter, repeatInner],
  strides: [repeatOuter, repeatInner],
});

/** Each row of windows is a channel: blocks of them are averaged together, twice as fast even with both changes of layout. */
function averageBlocks(scope: Scope, x: string, windows: Interleaved): string {
  const { outer, repeatOuter, inner, repeatInner } = windows;
  const image = scope.emit('Reshape', [x, scope.ints([1, outer, repeatOuter, inner * repeatInner])]);
  const blocks = scope.emit('ReorderInput', [image], { domain: CHANNEL_BLOCKS });
  const pooled = scope.emit('AveragePool', [blocks], { attributes: poolingBy(windows), domain: CHANNEL_BLOCKS });
  return scope.emit('ReorderOutput', [pooled], { attributes: { channels: outer }, domain: CHANNEL_BLOCKS });
}

/** Each row of windows is an image: images are shared among threads, and one channel keeps the runtime from blocking channels. */
function averageImages(scope: Scope, x: string, windows: Interleaved): string {
  const { outer, repeatOuter, inner, repeatInner } = windows;
  const image = scope.emit('Reshape', [x, scope.ints([outer, 1, repeatOuter, inner * repeatInner])]);
  return scope.emit('AveragePool', [image], { attributes: poolingBy(windows) });
}
