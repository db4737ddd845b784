import type { PoolParams } from '@langevin/tensor';
import type { LoweredComposite, LoweringTable, Operand, Scope } from './scope.ts';

function pool(scope: Scope, op: string, { kernel, strides, padding }: PoolParams, extra: Record<string, number> = {}): string {
  const pads = [...padding.map(([before]) => before), ...padding.map(([, after]) => after)];
  return scope.emit(op, scope.inputs, { attributes: { kernel_shape: kernel, strides, pads, ...extra } });
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
    const logits = scaledLogits(scope, q, k, scale);
    const masked = mask ? scope.emit('Add', [logits, mask]) : logits;
    return scope.emit('MatMul', [scope.emit('Softmax', [masked], { attributes: { axis: -1 } }), v]);
  },
  groupNorm: (scope, { groups, epsilon }) => {
    const [x, scale, bias] = scope.inputs as [Operand, Operand, Operand];
    const [batch, channels] = x.shape as [number, number];
    const grouped = scope.emit('Reshape', [x, scope.ints([batch, groups, -1])]);
    const unit = [scope.fill(x.dtype, 1, [groups]), scope.fill(x.dtype, 0, [groups])];
    const normal = scope.emit('InstanceNormalization', [grouped, ...unit], { attributes: { epsilon: { float: epsilon } } });
    const whole = scope.emit('Reshape', [normal, scope.ints(x.shape)]);
    const perChannel = (operand: Operand): string =>
      scope.emit('Reshape', [operand, scope.ints([channels, ...x.shape.slice(2).map(() => 1)])]);
    return scope.emit('Add', [scope.emit('Mul', [whole, perChannel(scale)]), perChannel(bias)]);
  },
  maxPool: (scope, params) => pool(scope, 'MaxPool', params),
  avgPool: (scope, params) => pool(scope, 'AveragePool', params, { count_include_pad: 1 }),
};

function scaledLogits(scope: Scope, q: Operand, k: Operand, scale: number): string {
  if (scope.contrib === 'allow' && q.dtype === 'float32') {
    return scope.emit('FusedMatMul', [q, k], { attributes: { transB: 1, alpha: { float: scale } }, domain: 'com.microsoft' });
  }
  const scaled = scope.emit('Mul', [q, scope.fill(q.dtype, scale)]);
  return scope.emit('MatMul', [scaled, scope.emit('Transpose', [k], { attributes: { perm: [0, 1, 3, 2] } })]);
}
