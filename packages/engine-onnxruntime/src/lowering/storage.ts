import type { DType } from '@langevin/tensor';
import { onnxTypes, type OnnxType } from '../onnx/model.ts';

/**
 * The ONNX element type in which a value of each dtype lives inside a session. bfloat16 is a storage format: the JavaScript
 * bindings have no such tensor and the CPU no arithmetic for it, so its values are held as the float32 numbers they stand for.
 */
export const storedTypes = { ...onnxTypes, bfloat16: onnxTypes.float32 } as const satisfies Record<DType, OnnxType>;
