import type { WasmPaths } from '../engine/options.ts';

/** The part of the `onnxruntime-common` API that we use, which onnxruntime-node and onnxruntime-web share. */

export type OrtTensorType = 'float32' | 'float16' | 'int32' | 'int64' | 'uint8' | 'bool';
export type OrtData = Float32Array | Uint16Array | Int32Array | BigInt64Array | Uint8Array;

export interface OrtTensor {
  readonly type: string;
  readonly dims: readonly number[];
  /** @throws when the tensor is not on the host */
  readonly data: OrtData;
  readonly location: string;
  dispose(): void;
}

/** An input or output as the model declares it: a number, or the name of a size that may be any. */
export interface OrtValueMetadata {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  readonly shape?: readonly (number | string)[];
}

export interface OrtSession {
  readonly inputMetadata?: readonly OrtValueMetadata[];
  readonly outputMetadata?: readonly OrtValueMetadata[];
  run(
    feeds: Readonly<Record<string, OrtTensor>>,
    fetches: Readonly<Record<string, OrtTensor | null>>,
    options?: { readonly logSeverityLevel: 4 },
  ): Promise<Readonly<Record<string, OrtTensor>>>;
  release(): Promise<void>;
}

export type OrtSessionOptions = Readonly<Record<string, unknown>>;

export interface Ort {
  readonly InferenceSession: { create(model: Uint8Array, options: OrtSessionOptions): Promise<OrtSession> };
  readonly Tensor: new (type: OrtTensorType, data: OrtData, dims: readonly number[]) => OrtTensor;
  readonly env: { logLevel?: string; readonly wasm?: { numThreads?: number; wasmPaths?: WasmPaths } };
}

/** What a binding has at least. */
interface Binding {
  readonly InferenceSession: object;
  readonly Tensor: object;
  readonly env: object;
}

/**
 * A binding as the part of it that we use: `create` has overloads there, for paths and buffers, which TypeScript does not match with ours.
 */
export function asOrt<Module extends Binding>(module: Module): Ort & Omit<Module, keyof Ort> {
  return module as Binding as Ort & Omit<Module, keyof Ort>;
}
