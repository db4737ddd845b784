import type { Draft } from './draft.ts';
import type { Grower } from './growers/index.ts';
import { growers } from './growers/index.ts';

/** A new matrix or stack of them; or one that is there. */
function stack(d: Draft, rows: number, columns: number): string {
  const lead = d.dice.of([[], [2], [1], [2, 2], [1, 2]]);
  const known = d.float(({ shape }) => shape.length >= 2 && shape.at(-2) === rows && shape.at(-1) === columns);
  return known !== undefined && d.dice.oneIn(2) ? known : d.input([...lead, rows, columns]);
}

/** x, perhaps scaled by a number from either side, divided by one, transposed, cast to and fro, or shifted by nothing. */
function dressed(d: Draft, x: string | undefined): string | undefined {
  if (x === undefined) return undefined;
  const rank = d.shape(x).length;
  const last = Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
  switch (d.dice.below(9)) {
    case 0:
      return d.step('mul', [x], { scalar: d.dice.number(), side: d.dice.of(['left', 'right']) });
    case 1:
      return d.step('div', [x], { scalar: d.dice.number(), side: 'right' });
    case 2:
      return rank >= 2 ? d.step('transpose', [d.step('transpose', [x], { permutation: last })!], { permutation: last }) : x;
    case 3:
      return rank >= 2 ? d.step('transpose', [x], { permutation: [...last.slice(0, -2), rank - 2, rank - 1] }) : x;
    case 4:
      return d.step('add', [x], { scalar: 0, side: d.dice.of(['left', 'right']) });
    case 5:
      return d.step('mul', [x], { scalar: 1, side: d.dice.of(['left', 'right']) });
    case 6:
      return d.step('sub', [x], { scalar: 0, side: d.dice.of(['left', 'right']) });
    default:
      return x;
  }
}

/** A product of dressed operands, and perhaps another one that reads the same. */
const products: Grower = (d) => {
  const [m, k, n] = [d.dice.between(1, 3), d.dice.between(1, 3), d.dice.between(1, 3)];
  const shared = dressed(d, stack(d, m, k));
  const transposeB = d.dice.oneIn(2);
  const right = dressed(d, transposeB ? stack(d, n, k) : stack(d, k, n));
  if (shared === undefined || right === undefined) return undefined;
  const first = d.step('matmul', [shared, right], { transposeA: false, transposeB });
  if (d.dice.oneIn(2)) {
    const again = dressed(d, shared);
    const other = again && d.step('matmul', [again, stack(d, 2, k)], { transposeA: false, transposeB: true });
    const both = first && other && d.step('add', [d.step('sum', [first], { dims: 'drop' })!, other]);
    if (both !== undefined) return both;
  }
  return dressed(d, first);
};

/** A product that a transposition, a bias, a norm by channel, or an activation follows or goes before. */
const transposedProducts: Grower = (d) => {
  const rank = d.dice.between(2, 4);
  const lead = Array.from({ length: rank - 2 }, () => d.dice.between(1, 2));
  const [m, k, n] = [d.dice.between(1, 3), d.dice.between(1, 3), d.dice.between(1, 3)];
  const swap = (x: string): string | undefined => d.step('swapAxes', [x], { a: -1, b: -2 });
  const a = d.dice.oneIn(2) ? d.input([...lead, m, k]) : swap(d.input([...lead, k, m]));
  const b = d.dice.oneIn(2) ? d.input([...lead, k, n]) : swap(d.input([...lead, n, k]));
  const product = a && b && d.step('matmul', [a, b], {});
  if (product === undefined) return undefined;
  const biased = d.dice.oneIn(2) ? d.step('add', [product, d.input(d.dice.of([[n], [1, n], [m, 1], [m, n], []]))]) : product;
  if (biased === undefined) return undefined;
  const activated = d.dice.oneIn(2) ? d.step(d.dice.of(['relu', 'sigmoid', 'tanh', 'abs', 'softplus']), [biased]) : biased;
  if (activated === undefined) return undefined;
  return d.dice.oneIn(2) ? swap(activated) : activated;
};

/** A border before a pooling or a convolution, of zeros or not, wide or narrow; on images that may have no spatial axis of size > 1. */
const borders: Grower = (d) => {
  const axes = d.dice.between(1, 2);
  const x = d.input([d.dice.between(1, 2), d.dice.between(1, 2), ...Array.from({ length: axes }, () => d.dice.between(1, 4))]);
  const side = (): [number, number] => [d.dice.below(4), d.dice.below(4)];
  const channels: [number, number] = d.dice.oneIn(6) ? [1, 0] : [0, 0];
  const padding = [[0, 0], channels, ...Array.from({ length: axes }, side)];
  const negative = d.dice.oneIn(2) ? d.step('sub', [x], { scalar: 2, side: 'right' })! : x;
  const bordered = d.step('pad', [negative], { padding, value: d.dice.of([0, 0, 0, 1, -1.5]) });
  if (bordered === undefined) return undefined;
  const cast =
    d.options.draw !== 'special' && d.dice.oneIn(5)
      ? d.step('cast', [d.step('cast', [bordered], { dtype: 'int32' })!], { dtype: 'float32' })!
      : bordered;
  const kernel = Array.from({ length: axes }, () => d.dice.between(1, 3));
  const inner = kernel.map((k): [number, number] => (d.dice.oneIn(2) ? [0, 0] : [d.dice.below(k), d.dice.below(k)]));
  const stride = kernel.map(() => d.dice.between(1, 2));
  const op = d.dice.of(['maxPool', 'avgPool', 'conv']);
  if (op !== 'conv') return d.step(op, [cast], { kernel, padding: inner, stride });
  const c = d.shape(cast)[1]!;
  return d.step('conv', [cast, d.input([2, c, ...kernel], { draw: 'smooth' })], {
    stride,
    padding: inner,
    dilation: kernel.map(() => 1),
    groups: 1,
  });
};

/** A convolution with what may be folded into it: a bias, a scale and shift by channel, an addend, an activation. */
const convolutions: Grower = (d) => {
  const [n, c, o] = [d.dice.between(1, 2), d.dice.of([1, 2, 4]), d.dice.of([1, 2, 4])];
  const x = d.input([n, c, 3, d.dice.between(2, 4)]);
  const bias = d.dice.oneIn(2) ? [d.input([o])] : [];
  const y = d.step('conv', [x, d.input([o, c, 3, 3], { draw: 'smooth' }), ...bias], {
    stride: [1, 1],
    padding: [
      [1, 1],
      [1, 1],
    ],
    dilation: [1, 1],
    groups: 1,
  });
  if (y === undefined) return undefined;
  let out: string | undefined = y;
  for (const [op, of] of [
    ['mul', [o, 1, 1]],
    ['add', [o, 1, 1]],
    ['add', d.shape(y)],
    ['mul', []],
    ['add', []],
  ] as const) {
    if (out !== undefined && d.dice.oneIn(2)) out = d.step(op, [out, d.input(of)]);
  }
  if (out === undefined) return undefined;
  const ends = d.dice.of([{ min: 0 }, { min: -1, max: 1 }, { max: 0.5 }]);
  const act = d.dice.of(['relu', 'sigmoid', 'tanh', 'clamp', 'silu', 'none']);
  return act === 'none' ? out : d.step(act, [out], act === 'clamp' ? ends : {});
};

/** Conditions and their negations, and what chooses by them. */
const conditions: Grower = (d) => {
  const x = d.input([d.dice.between(1, 3), d.dice.between(1, 3)]);
  const y = d.input(d.dice.of([d.shape(x), [1, d.shape(x)[1]!], []]));
  const compared = d.step(d.dice.of(['less', 'equal', 'lessEqual']), [x, y]);
  const negated = compared && d.step('logicalNot', [compared]);
  if (negated === undefined || compared === undefined) return undefined;
  const chosen = d.step('where', [negated, x, y]);
  if (d.dice.oneIn(2)) return chosen;
  const also = d.step('where', [d.dice.of([negated, compared]), y, x]);
  const counted = also && d.step('cast', [d.dice.of([negated, compared])], { dtype: 'float32' });
  return chosen && also && counted && d.step('add', [d.step('mul', [chosen, also])!, counted]);
};

/** Minima of maxima of minima, with numbers that may cross. */
const clamps: Grower = (d) => {
  const x = d.float() ?? d.input([4]);
  const ends = (): Record<string, number> =>
    d.dice.of([{ min: 0 }, { max: 0 }, { min: d.dice.number() }, { max: d.dice.number() }, { min: -0.5, max: 0.5 }]);
  const first = d.dice.oneIn(2) ? d.step('relu', [x]) : d.step('clamp', [x], ends());
  const second = first && d.step('clamp', [first], ends());
  return second && d.dice.oneIn(2) ? d.step('relu', [second]) : second;
};

/** Casts to and fro. */
const casts: Grower = (d) => {
  let x: string | undefined = d.options.draw === 'special' ? d.input([5], { draw: 'smooth' }) : (d.float() ?? d.input([5]));
  if (d.dice.oneIn(2)) x = d.step('mul', [x], { scalar: 100, side: 'right' });
  for (let i = d.dice.between(1, 4); i > 0 && x !== undefined; i--) {
    const dtype: string = d.dice.of(['int32', 'bool', 'float16', 'float32', 'int32', 'int64']);
    x = d.step('cast', [x], { dtype });
  }
  return x && d.step('cast', [x], { dtype: 'float32' });
};

/** Quotients: 1/x times y, x/y times z, constants over and under. */
const quotients: Grower = (d) => {
  const x = d.tamed(d.float() ?? d.input([2, 3]), 'positive');
  if (x === undefined) return undefined;
  const over = d.step('div', [x], { scalar: d.dice.of([1, 1, 2, 0]), side: 'left' });
  const y = d.dice.of(d.those((value) => value.dtype === 'float32' && value.shape.join() === d.shape(x).join()));
  return over && d.step('mul', d.dice.oneIn(2) ? [over, y] : [y, over]);
};

/** Pieces of a tensor put together again, whole or in another order; slices of whole axes; expansions to what is there. */
const pieces: Grower = (d) => {
  const x = d.input([d.dice.between(2, 4), d.dice.between(2, 4)]);
  const axis = d.dice.below(2);
  const n = d.shape(x)[axis]!;
  const parts = [1, n - 1];
  const a = d.step('split', [x], { parts, axis, part: 0 });
  const b = d.step('split', [x], { parts, axis, part: 1 });
  if (a === undefined || b === undefined) return undefined;
  const whole = d.step('concat', d.dice.oneIn(2) ? [a, b] : [b, a], { axis });
  if (whole === undefined || d.dice.oneIn(2)) return whole;
  const indices = d.input(d.dice.of([[], [1], [2]]), { dtype: 'int32', draw: 'integers', low: 0, high: n });
  const rows = d.step('gather', [whole, indices], { axis });
  return rows && d.step('broadcastTo', [rows], { shape: [2, ...d.shape(rows)] });
};

/** Reshapes of reshapes and transposes around reductions and products. */
const reshapes: Grower = (d) => {
  const [a, b, c] = [d.dice.between(1, 3), d.dice.between(1, 3), d.dice.between(2, 3)];
  const x = d.input([a, b, c]);
  const flat = d.step('reshape', [x], { shape: d.dice.of([[a * b, c], [a, b * c], [a * b * c]]) });
  const back =
    flat
    && d.step('reshape', [flat], {
      shape: d.dice.of([
        [a, b, c],
        [c, b, a],
        [1, a * b * c],
        [b, a, c],
      ]),
    });
  const turned = back && d.step('transpose', [back], { permutation: d.shape(back).map((_, i) => d.shape(back).length - 1 - i) });
  if (turned === undefined) return undefined;
  const rank = d.shape(turned).length;
  const reduced = d.step(d.dice.of(['sum', 'mean', 'max', 'softmax', 'cumsum']), [turned], {
    axes: [d.dice.below(rank)],
    axis: d.dice.below(rank),
    dims: 'keep',
    direction: 'forward',
  });
  return reduced && d.dice.oneIn(2)
    ? d.step('transpose', [reduced], { permutation: d.shape(reduced).map((_, i) => d.shape(reduced).length - 1 - i) })
    : reduced;
};

/** Norms and activations written out, which optimisers take for the real ones: x (1 + erf(x / sqrt 2)) / 2 and its kin. */
const lookalikes: Grower = (d) => {
  const x = d.input([2, d.dice.between(3, 5)]);
  const number = (op: string, of: string | undefined, scalar: number): string | undefined =>
    of && d.step(op, [of], { scalar, side: 'right' });
  switch (d.dice.below(5)) {
    case 0: {
      const inner = d.step('erf', [number('div', x, d.dice.of([1.4142135381698608, 1.5]))!]);
      const whole = d.step('mul', [x, number('add', inner, d.dice.of([1, 2]))!]);
      return number('mul', whole, d.dice.of([0.5, 0.25]));
    }
    case 1: {
      const s = d.step('sigmoid', [number('mul', x, d.dice.of([1.7020000219345093, 1, -1]))!]);
      return s && d.step('mul', [x, s]);
    }
    case 2: {
      const centred = d.step('sub', [x, d.step('mean', [x], { axes: [-1], dims: 'keep' })!]);
      const square = centred && d.dice.oneIn(2) ? d.step('square', [centred]) : number('pow', centred, d.dice.of([2, 3]));
      const variance = square && d.step('mean', [square], { axes: d.dice.of([[-1], [0]]), dims: 'keep' });
      const root = variance && d.step('sqrt', [number('add', d.step('abs', [variance]), 0.125)!]);
      const y = root && d.step('div', [centred!, root]);
      const scaled = y && d.step('mul', [y, d.input([d.shape(x)[1]!])]);
      return scaled && d.step('add', [scaled, d.input(d.dice.of([[d.shape(x)[1]!], [2, 1]]))]);
    }
    case 3: {
      const logits = d.step('add', [x, d.input(d.dice.of([[d.shape(x)[1]!], [2, 1], []]))]);
      return logits && d.step('softmax', [logits], { axis: d.dice.of([0, 1]) });
    }
    default: {
      const cube = number('mul', number('pow', x, 3), 0.044715);
      const inner = cube && number('mul', d.step('add', [x, cube]), 0.7978845834732056);
      const t = inner && number('add', d.step('tanh', [inner]), 1);
      return t && number('mul', d.step('mul', [x, t]), 0.5);
    }
  }
};

/** What graph optimisers look for, in forms that they should rewrite and in others that only look alike. */
export const rewriteGrowers: Readonly<Record<string, Grower>> = {
  products,
  transposedProducts,
  borders,
  convolutions,
  conditions,
  clamps,
  casts,
  quotients,
  pieces,
  reshapes,
  lookalikes,
  add: growers['add']!,
  matmul: growers['matmul']!,
  concat: growers['concat']!,
};
