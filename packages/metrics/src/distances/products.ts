import { compile, float32Data, matmul, tensor, type Engine, type Tensor } from '@langevin/tensor';
import type { FeatureSet } from '../features/feature-set.ts';

/** Rows of a block: products of one size, so that one compiled graph serves all of them. */
const BLOCK = 1024;

/** The inner products of the rows of two sets, a block at a time. */
export interface ProductBlock {
  /** First row of the block in each set. */
  readonly from: readonly [number, number];
  /** Rows of the block in each set. */
  readonly rows: readonly [number, number];
  /** Entry (i, j) is at i * stride + j. */
  readonly stride: number;
  readonly values: Float32Array;
}

export interface ProductOptions {
  /** @default the default engine */
  readonly engine?: Engine | undefined;
  /** Subtracted from every row, [width]; what is far from zero costs single precision its digits. @default zeros */
  readonly centre?: Float64Array | undefined;
  /** Aborts between blocks, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told after each block, of so many. */
  readonly progress?: ((done: number, of: number) => void) | undefined;
}

/**
 * All inner products of the rows of two sets: the one part of these metrics whose cost grows with the square of the count. It runs on the
 * engine, in single precision; everything that is added up from it is float64.
 */
export async function* innerProducts(a: FeatureSet, b: FeatureSet, options: ProductOptions = {}): AsyncGenerator<ProductBlock> {
  const { engine, centre, signal, progress } = options;
  const product = compile((x: Tensor, y: Tensor) => matmul(x, y, { transposeB: true }), {
    name: 'products of features',
    ...(engine && { engine }),
  });
  const height = (set: FeatureSet): number => Math.min(BLOCK, set.count);
  const blocks = (set: FeatureSet): number => Math.ceil(set.count / height(set));
  const of = blocks(a) * blocks(b);
  try {
    for (let p = 0; p < blocks(a); p += 1) {
      const left = block(a, { at: p, height: height(a), centre });
      for (let q = 0; q < blocks(b); q += 1) {
        signal?.throwIfAborted();
        const right = block(b, { at: q, height: height(b), centre });
        const values = await float32Data(await product(left.tensor, right.tensor), engine ? { engine } : {});
        yield { from: [left.from, right.from], rows: [left.rows, right.rows], stride: height(b), values };
        progress?.(p * blocks(b) + q + 1, of);
      }
    }
  } finally {
    await product.dispose();
  }
}

function block(
  { rows, width, count }: FeatureSet,
  { at, height, centre }: { readonly at: number; readonly height: number; readonly centre: Float64Array | undefined },
): { readonly tensor: Tensor; readonly from: number; readonly rows: number } {
  const from = at * height;
  const inside = Math.min(height, count - from);
  const values = new Float32Array(height * width);
  for (let k = 0; k < inside * width; k += 1) values[k] = rows[from * width + k]! - (centre?.[k % width] ?? 0);
  return { tensor: tensor(values, { shape: [height, width] }), from, rows: inside };
}
