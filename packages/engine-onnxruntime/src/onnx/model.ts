import type { DType } from '@langevin/tensor';

/** Element types by their number in `TensorProto.DataType`. */
export const onnxTypes = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  bfloat16: 16,
} as const satisfies Record<DType, number>;

/** A type that no tensor of ours has: for sums one by one, and for what lies beyond float32. */
export const ONNX_FLOAT64 = 11;

/** A type that no tensor of ours has: between two casts it tells the numbers below zero from the others. */
export const ONNX_UINT32 = 12;

export type OnnxType = (typeof onnxTypes)[DType];

/** A plain number is an integer attribute: ONNX tells `1` and `1.0` apart and JavaScript does not. */
export type OnnxAttribute =
  number | string | readonly number[] | { readonly float: number } | { readonly tensor: OnnxTensor } | { readonly graph: OnnxGraph };

export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  /** '' is the standard operator set. */
  readonly domain: string;
  /** '' stands for an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** Bytes that stay in a file (or in memory that the session is given beside the model). */
export interface ExternalData {
  readonly location: string;
  readonly offset: number;
  readonly byteLength: number;
}

export interface OnnxTensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  /** Little-endian, row-major. */
  readonly data: Uint8Array | ExternalData;
}

export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  /** Undefined leaves the rank open; a name stands for any size. */
  readonly shape: readonly (number | string)[] | undefined;
  /** A sequence of such tensors. */
  readonly sequence?: boolean;
}

/** The part of `GraphProto` that we write. */
export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** Shapes of inner values that a runtime could not infer by itself. */
  readonly declared: readonly OnnxValue[];
}

/** The part of `ModelProto` that we write. */
export interface OnnxModel extends OnnxGraph {
  readonly irVersion: number;
  readonly producer: string;
  /** Domain to version. */
  readonly opsets: Readonly<Record<string, number>>;
}
