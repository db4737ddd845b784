import type { DType, HostArray } from '../dtype.ts';
import type { Shape } from '../shape.ts';
import type { OpName, OpParams } from './primitives.ts';

export interface ValueInfo {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** An index into {@link Graph.values}. */
export type ValueId = number;

/** Where one tensor lies outside of memory: a range of bytes of a file, say a safetensors entry. */
export interface FileSlice {
  /** The file, or a name for messages where there is none. */
  readonly path: string;
  readonly offset: number;
  readonly byteLength: number;
  /** Read the elements, for engines that cannot map the file. */
  readonly read: () => Promise<HostArray>;
  /**
   * Whether the range may be mapped in place of being read: `none` where its bytes are not the elements, little-endian and row-major, but
   * have to be decoded, or where `path` is no file of this machine. @default 'file'
   */
  readonly mapping?: 'file' | 'none';
  /** Called before a file is mapped. @throws when it is not the file any more that the slice was made for. @default nothing is looked at */
  readonly check?: () => Promise<void>;
}

export interface GraphConstant {
  readonly value: ValueId;
  readonly data: HostArray | FileSlice;
}

export type GraphNode = {
  readonly [Op in OpName]: {
    readonly op: Op;
    readonly params: OpParams[Op];
    readonly inputs: readonly ValueId[];
    readonly outputs: readonly ValueId[];
  };
}[OpName];

/**
 * What an engine compiles: a flat program in topological order. Each value is an input, a constant, or the output of exactly one
 * node; common sub-expressions are merged, dead nodes dropped, `checkpoint` and foreign composites expanded.
 */
export interface Graph {
  readonly values: readonly ValueInfo[];
  readonly inputs: readonly ValueId[];
  readonly constants: readonly GraphConstant[];
  readonly nodes: readonly GraphNode[];
  /** May name inputs, constants, and the same value more than once. */
  readonly outputs: readonly ValueId[];
  /** Equal for graphs of equal structure, shapes, dtypes, parameters and constants. */
  readonly key: string;
}

export function isFileSlice(data: HostArray | FileSlice): data is FileSlice {
  return !ArrayBuffer.isView(data);
}

/** Whether data is a range of a file that engines may map. */
export function isMappable(data: HostArray | FileSlice): data is FileSlice {
  return isFileSlice(data) && data.mapping !== 'none';
}
