import { sizeOf, type PoolParams } from '@langevin/tensor';
import { affine } from './affine.ts';
import { castTo } from './kernels.ts';
import { isNaNFlags } from './nan.ts';
import { normalizeRows } from './normalize.ts';
import type { Lower, LoweredComposite, LoweringTable, Operand, Scope } from './scope.ts';

function pool(
  scope: Scope,
  x: Operand | string,
  { op, kernel, strides, padding, ...extra }: PoolParams & { readonly op: string; readonly count_include_pad?: number },
): string {
  const pads = [...padding.map(([before]) => before), ...padding.map(([, after]) => after)];
  return scope.emit(op, [x], { attributes: { kernel_shape: kernel, strides, pads, ...extra } });
}

/** Marks for the runtime's MaxPool, which passes over NaN and takes the least finite number for -infinity. */
const BELOW_ALL = 0;
const SOME_NUMBER = 1;
const NOT_A_NUMBER = 2;

const maxPool: Lower<'maxPool'> = (scope, params) => {
  const x = scope.inputs[0]!;
  const largest = (value: Operand | string): string => pool(scope, value, { op: 'MaxPool', ...params });
  const dtype = scope.provider === 'webgpu' ? 'float32' : 'uint8';
  const mark = (value: number): string => scope.fill(dtype, value);
  const infinity = scope.fill(x.dtype, -Infinity);
  const finite = scope.emit('Where', [scope.emit('Equal', [x, infinity]), mark(BELOW_ALL), mark(SOME_NUMBER)]);
  const marks = castTo(scope, largest(scope.emit('Where', [isNaNFlags(scope, x), mark(NOT_A_NUMBER), finite])), 'int32');
  const isMarked = (value: number): string => scope.emit('Equal', [marks, scope.fill('int32', value)]);
  const known = scope.emit('Where', [isMarked(BELOW_ALL), infinity, largest(x)]);
  return scope.emit('Where', [isMarked(NOT_A_NUMBER), scope.fill(x.dtype, NaN), known]);
};

/** From this many logits a head on, the product by tiles is worth its two transposes: the logits are never all in memory. */
const LARGE_LOGITS = 2 ** 20;

function isLarge(scope: Scope, { q, k, v }: Omit<Attention, 'scale'>): boolean {
  if (scope.contrib !== 'allow' || q.dtype !== 'float32' || q.shape[3] !== v.shape[3]) return false;
  return q.shape[2]! * k.shape[2]! >= LARGE_LOGITS;
}

interface Attention {
  readonly q: Operand;
  readonly k: Operand;
  readonly v: Operand;
  readonly scale: number;
}

function flashAttention(scope: Scope, { q, k, v, scale }: Attention): string {
  const [batch, heads, length, depth] = q.shape as [number, number, number, number];
  const swap = { attributes: { perm: [0, 2, 1, 3] } };
  const tokens = scope.emit('Reshape', [scope.emit('Transpose', [q], swap), scope.ints([batch, length, heads * depth])]);
  const attributes = { num_heads: heads, scale: { float: scale } };
  const out = scope.emit('MultiHeadAttention', [tokens, k, v], { attributes, domain: 'com.microsoft' });
  return scope.emit('Transpose', [scope.emit('Reshape', [out, scope.ints([batch, length, heads, depth])])], swap);
}

export const composites: LoweringTable<LoweredComposite> = {
  silu: (scope) => {
    const x = scope.inputs[0]!;
    if (scope.contrib === 'allow' && x.dtype === 'float32') {
      return scope.emit('QuickGelu', [x], { attributes: { alpha: { float: 1 } }, domain: 'com.microsoft' });
    }
    return scope.emit('Mul', [x, scope.emit('Sigmoid', [x])]);
  },
  gelu: (scope, { approximation }) => scope.emit('Gelu', scope.inputs, { attributes: { approximate: approximation } }),
  attention: (scope, { scale }) => {
    const [q, k, v, mask] = scope.inputs as [Operand, Operand, Operand, Operand?];
    if (isLarge(scope, { q, k, v }) && !mask) return flashAttention(scope, { q, k, v, scale });
    const logits = scaledLogits(scope, { q, k, scale });
    const masked = mask ? scope.emit('Add', [logits, mask]) : logits;
    return scope.emit('MatMul', [scope.emit('Softmax', [masked], { attributes: { axis: -1 } }), v]);
  },
  groupNorm: (scope, { groups, epsilon }) => {
    const [x, scale, bias] = scope.inputs as [Operand, Operand, Operand];
    const channels = x.shape[1]!;
    const normal = normalizedGroups(scope, x, { groups, epsilon });
    const whole = scope.emit('Reshape', [normal, scope.ints(x.shape)]);
    if (scope.contrib === 'allow' && x.dtype === 'float32') return affine(scope, { ...x, name: whole }, { scale, bias, channels });
    const perChannel = (operand: Operand): string =>
      scope.emit('Reshape', [operand, scope.ints([channels, ...x.shape.slice(2).map(() => 1)])]);
    return scope.emit('Add', [scope.emit('Mul', [whole, perChannel(scale)]), perChannel(bias)]);
  },
  maxPool,
  avgPool: (scope, params) => pool(scope, scope.inputs[0]!, { op: 'AveragePool', ...params, count_include_pad: 1 }),
};

/** From this many numbers on the runtime's InstanceNormalization, which adds them up one by one, is worse than PyTorch's. */
const LARGE_GROUP = 4096;

function normalizedGroups(scope: Scope, x: Operand, { groups, epsilon }: { readonly groups: number; readonly epsilon: number }): string {
  const shape = [x.shape[0]!, groups, sizeOf(x.shape) / (x.shape[0]! * groups)];
  const grouped = scope.emit('Reshape', [x, scope.ints(shape)]);
  if (shape[2]! > LARGE_GROUP) return normalizeRows(scope, { name: grouped, dtype: x.dtype, shape }, { axes: 1, epsilon })[0]!;
  const unit = [scope.fill(x.dtype, 1, [groups]), scope.fill(x.dtype, 0, [groups])];
  return scope.emit('InstanceNormalization', [grouped, ...unit], { attributes: { epsilon: { float: epsilon } } });
}

function scaledLogits(scope: Scope, { q, k, scale }: Omit<Attention, 'v'>): string {
  if (scope.contrib === 'allow' && q.dtype === 'float32') {
    return scope.emit('FusedMatMul', [q, k], { attributes: { transB: 1, alpha: { float: scale } }, domain: 'com.microsoft' });
  }
  const scaled = scope.emit('Mul', [q, scope.fill(q.dtype, scale)]);
  return scope.emit('MatMul', [scaled, scope.emit('Transpose', [k], { attributes: { perm: [0, 1, 3, 2] } })]);
}
