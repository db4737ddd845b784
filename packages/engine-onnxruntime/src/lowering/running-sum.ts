import { sizeOf } from '@langevin/tensor';
import type { Operand, Scope } from './scope.ts';

/**
 * The most additions in a row. Where there is no float64, a longer running sum is one of blocks, each begun with the sum of those
 * before.
 */
const RUN = 32;

export interface Running {
  readonly axis: number;
  readonly direction: 'forward' | 'reverse';
}

/** Inclusive running sums of float32 along an axis. */
export function runningSumInBlocks(scope: Scope, x: Operand, { axis, direction }: Running): string {
  const view = [sizeOf(x.shape.slice(0, axis)), x.shape[axis]!, sizeOf(x.shape.slice(axis + 1))] as const;
  if (view[1] <= RUN) return emitRunning(scope, x, { axis, direction });
  return scope.emit('Reshape', [running(scope, scope.emit('Reshape', [x, scope.ints(view)]), { view, direction }), scope.ints(x.shape)]);
}

function emitRunning(scope: Scope, x: Operand | string, { axis, direction }: Running): string {
  return scope.emit('CumSum', [x, scope.fill('int64', axis)], { attributes: { exclusive: 0, reverse: direction === 'reverse' ? 1 : 0 } });
}

interface View {
  /** [outer, n, inner] */
  readonly view: readonly [number, number, number];
  readonly direction: Running['direction'];
}

function running(scope: Scope, x: string, { view: [outer, n, inner], direction }: View): string {
  if (n <= RUN) return emitRunning(scope, x, { axis: 1, direction });
  const blocks = Math.ceil(n / RUN);
  const zeros = (count: number): string => scope.fill('float32', 0, [outer, count, inner]);
  const part = (value: string, range: readonly [start: number, stop: number], axis: number): string =>
    scope.emit('Slice', [value, scope.ints([range[0]]), scope.ints([range[1]]), scope.ints([axis])]);
  const join = (parts: readonly string[]): string => scope.emit('Concat', parts, { attributes: { axis: 1 } });
  const padded = blocks * RUN === n ? x : join([x, zeros(blocks * RUN - n)]);
  const inBlocks = emitRunning(scope, scope.emit('Reshape', [padded, scope.ints([outer, blocks, RUN, inner])]), { axis: 2, direction });
  const ends = part(inBlocks, direction === 'forward' ? [RUN - 1, RUN] : [0, 1], 2);
  const totals = running(scope, scope.emit('Reshape', [ends, scope.ints([outer, blocks, inner])]), {
    view: [outer, blocks, inner],
    direction,
  });
  const before =
    direction === 'forward' ? join([zeros(1), part(totals, [0, blocks - 1], 1)]) : join([part(totals, [1, blocks], 1), zeros(1)]);
  const begun = scope.emit('Add', [inBlocks, scope.emit('Reshape', [before, scope.ints([outer, blocks, 1, inner])])]);
  const whole = scope.emit('Reshape', [begun, scope.ints([outer, blocks * RUN, inner])]);
  return blocks * RUN === n ? whole : part(whole, [0, n], 1);
}
