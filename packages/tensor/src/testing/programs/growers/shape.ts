import { sizeOf } from '../../../shape.ts';
import type { Draft } from '../draft.ts';
import type { Grower } from './elementwise.ts';
import { axisOf } from './reduce.ts';

const any = (d: Draft): string | undefined => (d.dice.oneIn(4) ? d.pick(() => true) : d.float());
const ranked = (d: Draft, least = 1): string | undefined => d.float((value) => value.rank >= least);

/** A shape of the same size, by merging and splitting axes. */
function reshaped(d: Draft, shape: readonly number[]): number[] {
  let size = sizeOf(shape);
  if (size === 0) return [...shape].reverse();
  const out: number[] = [];
  for (const factor of [2, 3, 4, 5]) {
    if (size % factor === 0 && d.dice.oneIn(2)) {
      out.push(factor);
      size /= factor;
    }
  }
  out.splice(d.dice.below(out.length + 1), 0, size);
  if (d.dice.oneIn(3)) out.splice(d.dice.below(out.length + 1), 0, 1);
  return out;
}

function shuffled(d: Draft, n: number): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = d.dice.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

const indices = (d: Draft, shape: readonly number[], size: number): string =>
  d.input(shape, { dtype: 'int32', draw: 'integers', low: 0, high: size });

const likes =
  (op: string): Grower =>
  (d) => {
    const x = d.float();
    const like = x && d.step(op, [x]);
    return like && d.step('mul', [x, like]);
  };

export const shapeGrowers: Readonly<Record<string, Grower>> = {
  onesLike: likes('onesLike'),
  zerosLike: likes('zerosLike'),
  reshape: (d) => {
    const x = any(d);
    return x && d.step('reshape', [x], { shape: reshaped(d, d.shape(x)) });
  },
  flatten: (d) => {
    const x = ranked(d, 2);
    if (x === undefined) return undefined;
    const start = d.dice.below(d.shape(x).length);
    return d.step('flatten', [x], { start, end: d.dice.between(start, d.shape(x).length - 1) });
  },
  expandDims: (d) => {
    const x = any(d);
    return x && d.step('expandDims', [x], { axis: d.dice.below(d.shape(x).length + 1) });
  },
  squeeze: (d) => {
    const x = any(d);
    return x && d.step('squeeze', [x]);
  },
  transpose: (d) => {
    const x = any(d);
    return x && d.step('transpose', [x], { permutation: shuffled(d, d.shape(x).length) });
  },
  swapAxes: (d) => {
    const x = ranked(d, 2);
    return x && d.step('swapAxes', [x], { a: axisOf(d, x), b: axisOf(d, x) });
  },
  broadcastTo: (d) => {
    const x = any(d);
    if (x === undefined) return undefined;
    const wide = d.shape(x).map((n) => (n === 1 ? d.dice.between(1, 3) : n));
    return d.step('broadcastTo', [x], { shape: d.dice.oneIn(2) ? [d.dice.between(1, 3), ...wide] : wide });
  },
  slice: (d) => {
    const x = ranked(d);
    if (x === undefined) return undefined;
    const axis = d.dice.below(d.shape(x).length);
    const n = d.shape(x)[axis]!;
    const start = d.dice.between(0, n);
    return d.step('slice', [x], { axis, start, stop: d.dice.between(start, n), step: d.dice.between(1, 3) });
  },
  select: (d) => {
    const x = d.float((value) => value.rank > 0 && value.size > 0);
    if (x === undefined) return undefined;
    const axis = d.dice.below(d.shape(x).length);
    return d.step('select', [x], { axis, index: d.dice.below(d.shape(x)[axis]!) });
  },
  pad: (d) => {
    const x = ranked(d);
    if (x === undefined) return undefined;
    const padding = d.shape(x).map(() => (d.dice.oneIn(2) ? [d.dice.below(3), d.dice.below(3)] : [0, 0]));
    return d.step('pad', [x], { padding, value: d.dice.oneIn(2) ? 0 : d.dice.number() });
  },
  concat: (d) => {
    const x = ranked(d);
    if (x === undefined) return undefined;
    const axis = axisOf(d, x);
    const { shape, dtype } = d.tensor(x);
    const place = axis < 0 ? axis + shape.length : axis;
    const fits = d.those((v) => v.dtype === dtype && v.rank === shape.length && v.shape.every((n, i) => i === place || n === shape[i]));
    const others = Array.from({ length: d.dice.between(1, 2) }, () => d.dice.of(fits));
    return d.step('concat', [x, ...others], { axis });
  },
  stack: (d) => {
    const x = any(d);
    if (x === undefined) return undefined;
    const { shape, dtype } = d.tensor(x);
    const fits = d.those((value) => value.dtype === dtype && value.shape.join() === shape.join());
    return d.step('stack', [x, d.dice.of(fits)], { axis: d.dice.below(shape.length + 1) });
  },
  split: (d) => {
    const x = d.float((value) => value.rank > 0 && value.size > 0);
    if (x === undefined) return undefined;
    const axis = d.dice.below(d.shape(x).length);
    const n = d.shape(x)[axis]!;
    if (n % 2 === 0 && d.dice.oneIn(2)) return d.step('split', [x], { parts: 2, axis, part: d.dice.below(2) });
    const first = d.dice.between(0, n);
    return d.step('split', [x], { parts: [first, n - first], axis, part: d.dice.below(2) });
  },
  flip: (d) => {
    const x = ranked(d);
    return x && d.step('flip', [x], { axes: d.shape(x).flatMap((_, i) => (d.dice.oneIn(2) ? [i] : [])) });
  },
  roll: (d) => {
    const x = ranked(d);
    return x && d.step('roll', [x], { shift: d.dice.between(-3, 3), axis: axisOf(d, x) });
  },
  tile: (d) => {
    const x = ranked(d);
    return x && d.step('tile', [x], { repeats: d.shape(x).map(() => d.dice.between(1, 2)) });
  },
  repeat: (d) => {
    const x = ranked(d);
    return x && d.step('repeat', [x], { count: d.dice.between(1, 3), axis: axisOf(d, x) });
  },
  gather: (d) => {
    const x = d.float((value) => value.rank > 0 && value.size > 0);
    if (x === undefined) return undefined;
    const axis = d.dice.below(d.shape(x).length);
    const shape = d.dice.of([[], [1], [3], [2, 2], [0]]);
    return d.step('gather', [x, indices(d, shape, d.shape(x)[axis]!)], { axis });
  },
  gatherElements: (d) => {
    const x = d.float((value) => value.rank > 0 && value.size > 0);
    if (x === undefined) return undefined;
    const axis = d.dice.below(d.shape(x).length);
    const shape = d.shape(x).map((n, i) => (i === axis ? d.dice.between(1, 3) : n));
    return d.step('gatherElements', [x, indices(d, shape, d.shape(x)[axis]!)], { axis });
  },
  scatterAdd: (d) => {
    const x = d.float((value) => value.rank > 0);
    if (x === undefined) return undefined;
    const axis = d.dice.below(d.shape(x).length);
    const size = d.dice.between(1, 4);
    return d.step('scatterAdd', [x, indices(d, [d.shape(x)[axis]!], size)], { axis, size });
  },
  scatterElementsAdd: (d) => {
    const x = d.float((value) => value.rank > 0);
    if (x === undefined) return undefined;
    const axis = d.dice.below(d.shape(x).length);
    const size = d.dice.between(1, 4);
    return d.step('scatterElementsAdd', [x, indices(d, d.shape(x), size)], { axis, size });
  },
  oneHot: (d) => d.step('oneHot', [indices(d, d.dice.of([[3], [2, 2], []]), 4)], { classes: 4 }),
  gatherDiagonal: (d) => {
    const n = d.dice.between(1, 4);
    const x = d.input(d.dice.oneIn(2) ? [2, n, n] : [n, n]);
    return d.step('gatherDiagonal', [x], { a: -2, b: -1 });
  },
  resize: (d) => {
    const x = d.float((v) => v.rank > 2 && v.rank < 5 && v.size > 0) ?? d.input([1, 2, d.dice.between(1, 4), d.dice.between(1, 4)]);
    const size = d
      .shape(x)
      .slice(2)
      .map(() => d.dice.between(1, 5));
    // Interpolation is a product with a matrix, most of whose elements are 0: beside an infinity they are NaN.
    const modes = d.options.draw === 'special' ? ['nearest'] : ['nearest', 'bilinear', 'bilinear'];
    return d.step('resize', [x], { size, mode: d.dice.of(modes), align: d.dice.of(['edges', 'corners']) });
  },
  full: (d) => d.step('full', [], { shape: [2, 3], value: d.dice.number(), dtype: 'float32' }),
  range: (d) =>
    d.step('cast', [d.step('range', [], { count: d.dice.between(1, 4), start: d.dice.between(-3, 3), step: d.dice.between(1, 2) })!], {
      dtype: 'float32',
    }),
  linspace: (d) => d.step('linspace', [], { start: d.dice.number(), stop: d.dice.number(), count: d.dice.between(2, 5) }),
  eye: (d) => d.step('eye', [], { n: d.dice.between(1, 3) }),
};
