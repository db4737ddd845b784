import type { Engine, EngineBuffer } from './engine/engine.ts';
import type { DType, HostArray } from './dtype.ts';
import { UserError } from './errors.ts';
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

/** By which tensors of every copy of this package know each other; `form` changes when their insides do. */
const MARKER = Symbol.for('langevin.tensor');

interface Mark {
  readonly form: number;
  /** Where the copy was loaded from. */
  readonly place: string;
}

const MARK: Mark = { form: 1, place: import.meta.url };

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

  get [MARKER](): Mark {
    return MARK;
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
    Tensor.requireOwn(tensor);
    return tensor.#cell.source;
  }

  /**
   * Refuses tensors of another copy of this package, whose insides are closed to this one, and what is no tensor.
   *
   * @internal
   */
  static requireOwn(value: unknown, where = 'tensor/ops'): asserts value is Tensor {
    if (typeof value !== 'object' || value === null) throw notATensor(where, value === null ? 'null' : typeof value);
    if (#cell in value) return;
    if (!(MARKER in value)) throw notATensor(where, kindOf(value));
    const { dtype, shape, [MARKER]: mark } = value as { dtype: DType; shape: Shape; [MARKER]: Mark };
    throw new UserError(
      `[tensor/copies] tensor comes from another copy of @langevin/tensor: tensor=${dtype}${showShape(shape)}, its copy=${mark.place} `
        + `(form ${mark.form}), this copy=${MARK.place} (form ${MARK.form}). Install one version, which all packages share: see `
        + '`npm ls @langevin/tensor`.',
    );
  }

  /** @internal */
  static setSource(tensor: Tensor, source: Source): void {
    tensor.#cell.source = source;
  }
}

function kindOf(value: object): string {
  return Array.isArray(value) ? 'a list' : value instanceof Promise ? 'a promise' : 'an object';
}

function notATensor(where: string, found: string): UserError {
  const advice = found === 'a promise' ? 'Await it' : 'Make one with tensor() or scalar()';
  return new UserError(`[${where}] operand is not a tensor: type=${found}. ${advice}.`);
}

/** What ops take: a tensor, or a number that adopts the other operand's dtype. */
export type Operand = Tensor | number;
