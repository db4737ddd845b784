import type { DType } from '@langevin/tensor';
import { onnxTypes } from '../onnx/model.ts';
import type { EmitOptions, Operand, Scope } from './scope.ts';
import { storedTypes } from './storage.ts';

/** Dtypes for which ONNX Runtime's CPU provider registers arithmetic. float16 is computed in float32 by the runtime itself. */
export const ARITHMETIC: readonly DType[] = ['float32', 'float16', 'bfloat16', 'int32', 'int64'];
export const FLOATS: readonly DType[] = ['float32', 'float16', 'bfloat16'];

/** Convert between the stored forms of two dtypes. */
export function castTo(scope: Scope, operand: Operand | string, dtype: DType): string {
  return scope.emit('Cast', [operand], { attributes: { to: storedTypes[dtype] } });
}

/** Round float32 numbers to bfloat16 and hold them as float32 again. */
export function roundToBfloat16(scope: Scope, operand: Operand | string): string {
  return castTo(scope, scope.emit('Cast', [operand], { attributes: { to: onnxTypes.bfloat16 } }), 'float32');
}

export interface KernelOptions extends EmitOptions {
  readonly op: string;
  /** Dtypes the kernel takes; others make a detour through `via`. */
  readonly dtypes: readonly DType[];
  /** @default 'int32' */
  readonly via?: DType;
  /** The result is already of the right dtype (a comparison, say). */
  readonly result?: 'asInput' | 'fixed';
}

/** Emit an op whose operands share one dtype, through a dtype that has a kernel where this one has none. */
export function emitTyped(scope: Scope, operands: readonly Operand[], options: KernelOptions): string {
  const { op, dtypes, via = 'int32', result = 'asInput', ...rest } = options;
  const dtype = operands[0]!.dtype;
  if (dtypes.includes(dtype)) {
    const out = scope.emit(op, operands, rest);
    return dtype === 'bfloat16' && result === 'asInput' ? roundToBfloat16(scope, out) : out;
  }
  const converted = operands.map((operand) => castTo(scope, operand, via));
  const out = scope.emit(op, converted, rest);
  return result === 'fixed' ? out : castTo(scope, out, dtype);
}
