import { UserError } from './errors.ts';
import { Tensor } from './tensor.ts';

/** What functions take and return: tensors, numbers and static values in nested plain objects and lists. */
export type Tree = Tensor | number | string | boolean | null | undefined | readonly Tree[] | { readonly [key: string]: Tree };

export interface FlatTree {
  /** Everything that is not a list or plain object, in order of keys. */
  readonly leaves: readonly Leaf[];
  /** Dotted names of the leaves: `down.0.weight`. */
  readonly names: readonly string[];
  /** The same structure around other leaves. */
  readonly rebuild: (leaves: readonly unknown[]) => unknown;
}

export type Leaf = Tensor | number | string | boolean | null | undefined;

/** Deeper than any network; what holds itself would have no end. */
const MAX_DEPTH = 256;

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The leaves of a tree with their names, and how to put it together again. */
export function flattenTree(tree: unknown): FlatTree {
  const leaves: Leaf[] = [];
  const names: string[] = [];
  const visit = (value: unknown, name: string, depth: number): void => {
    if (depth > MAX_DEPTH) {
      throw new UserError(
        `[tensor/tree] tree is nested too deep, or holds itself: depth > ${MAX_DEPTH} at "${name.slice(0, 80)}". Flatten it.`,
      );
    }
    if (Array.isArray(value)) {
      value.forEach((item, i) => visit(item, name === '' ? String(i) : `${name}.${i}`, depth + 1));
    } else if (isPlainObject(value)) {
      for (const key of Object.keys(value)) visit(value[key], name === '' ? key : `${name}.${key}`, depth + 1);
    } else if (isLeaf(value)) {
      leaves.push(value);
      names.push(name);
    } else {
      if (isForeignTensor(value)) Tensor.requireOwn(value); // says which copy it is of
      throw new UserError(
        `[tensor/tree] value cannot be a leaf: name=${name || '(root)'}, type=${describe(value)}. Use tensors, numbers, strings, `
          + 'booleans, lists and plain objects.',
      );
    }
  };
  visit(tree, '', 0);
  return { leaves, names, rebuild: (replacements) => rebuildTree(tree, replacements[Symbol.iterator]()) };
}

function isLeaf(value: unknown): value is Leaf {
  return value instanceof Tensor || value === null || ['number', 'string', 'boolean', 'undefined'].includes(typeof value);
}

/** A tensor of another copy of this package is no plain object, and no leaf. */
function isForeignTensor(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Symbol.for('langevin.tensor') in value;
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return typeof value;
  const { constructor } = value as { readonly constructor?: unknown };
  return typeof constructor === 'function' ? constructor.name : 'object';
}

function rebuildTree(tree: unknown, next: Iterator<unknown>): unknown {
  if (Array.isArray(tree)) return tree.map((item) => rebuildTree(item, next));
  if (isPlainObject(tree)) return Object.fromEntries(Object.keys(tree).map((key) => [key, rebuildTree(tree[key], next)]));
  return next.next().value;
}

/** The tensors of a tree, in order. */
export function tensorsOf(tree: unknown): Tensor[] {
  return flattenTree(tree).leaves.filter((leaf) => leaf instanceof Tensor);
}

/** The tensors of a tree by dotted name: the form of a state dict. */
export function namedTensors(tree: unknown): Map<string, Tensor> {
  const { leaves, names } = flattenTree(tree);
  return new Map(leaves.flatMap((leaf, i) => (leaf instanceof Tensor ? [[names[i]!, leaf] as const] : [])));
}

/** The same tree with every tensor replaced. `others` must have the same structure; their tensors are passed along. */
export function mapTensors<T>(
  tree: T,
  fn: (tensor: Tensor, others: readonly Tensor[], name: string) => Tensor,
  ...others: readonly T[]
): T {
  const { leaves, names, rebuild } = flattenTree(tree);
  const flatOthers = others.map((other) => flattenTree(other));
  for (const other of flatOthers) {
    if (other.names.length !== names.length || other.names.some((name, i) => name !== names[i])) {
      const name = names.find((n, i) => other.names[i] !== n) ?? other.names[names.length];
      throw new UserError(
        `[tensor/tree] trees differ in structure: first difference at "${name}". Give trees with the same keys in the same order.`,
      );
    }
  }
  return rebuild(
    leaves.map((leaf, i) =>
      leaf instanceof Tensor
        ? fn(
            leaf,
            flatOthers.map((other) => other.leaves[i] as Tensor),
            names[i]!,
          )
        : leaf,
    ),
  ) as T;
}
