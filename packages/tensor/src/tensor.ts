import type { Engine, EngineBuffer } from './engine/engine.ts';
import type { DType, HostArray } from './dtype.ts';
import type { FileSlice } from './graph/graph.ts';
import type { OpNode } from './graph/node.ts';
import { showShape, sizeOf, type Shape } from './shape.ts';

/** Where a tensor's value comes from. Realising a tensor replaces `op` by `buffer`, which lets its history go. */
export type Source =
  | { readonly kind: 'op'; readonly node: OpNode; readonly index: number }
  | { readonly kind: 'literal'; readonly value: number }
  | { readonly kind: 'host'; readonly data: HostArray; uploaded?: { readonly engine: Engine; readonly buffer: EngineBuffer } }
  | { readonly kind: 'file'; readonly slice: FileSlice; uploaded?: { readonly engine: Engine; readonly buffer: EngineBuffer } }
  | { readonly kind: 'buffer'; readonly engine: Engine; readonly buffer: EngineBuffer }
  | { readonly kind: 'placeholder'; readonly name: string }
  | { readonly kind: 'deferred'; readonly provide: () => HostArray }
  | { readonly kind: 'gone'; readonly reason: string };

/**
 * A value that will be computed: shape and dtype are known at once, elements when it is realised (`await data(t)`).
 * Tensors are immutable; ops are plain functions over them.
 */
export class Tensor {
  readonly shape: Shape;
  readonly dtype: DType;
  /** For the machinery of this package only. */
  readonly #cell: { source: Source };

  constructor(shape: Shape, dtype: DType, source: Source) {
    this.shape = shape;
    this.dtype = dtype;
    this.#cell = { source };
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  toString(): string {
    const { source } = this.#cell;
    const origin = source.kind === 'op' ? source.node.definition.op : source.kind;
    return `Tensor(${this.dtype}${showShape(this.shape)}, ${origin})`;
  }

  /** @internal */
  static source(tensor: Tensor): Source {
    return tensor.#cell.source;
  }

  /** @internal */
  static setSource(tensor: Tensor, source: Source): void {
    tensor.#cell.source = source;
  }
}

/** What ops take: a tensor, or a number that adopts the other operand's dtype. */
export type Operand = Tensor | number;
