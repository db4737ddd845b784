import type { Draft } from '../draft.ts';
import { sizeOf } from '../../../shape.ts';
import type { Grower } from './elementwise.ts';

/** Some axes of a value; now and then none, or all by saying none. */
function axesOf(d: Draft, rank: number): { readonly axes?: readonly number[] } {
  if (d.dice.oneIn(4)) return {};
  const axes = Array.from({ length: rank }, (_, i) => i).filter(() => d.dice.oneIn(2));
  return { axes: d.dice.oneIn(3) ? axes.map((axis) => axis - rank) : axes };
}

const reduction =
  (op: string): Grower =>
  (d) => {
    const any = op === 'sum' || op === 'max' || op === 'min';
    const x = any && d.dice.oneIn(3) ? d.pick((value) => value.dtype !== 'bool') : d.float();
    return x && d.step(op, [x], { ...axesOf(d, d.shape(x).length), dims: d.dice.of(['keep', 'drop']) });
  };

const spread =
  (op: string): Grower =>
  (d) => {
    const x = d.float((value) => value.size > 1);
    if (x === undefined) return undefined;
    const { axes } = axesOf(d, d.shape(x).length);
    const count = sizeOf((axes ?? d.shape(x).map((_, i) => i)).map((axis) => d.shape(x).at(axis)!));
    if (count < 2) return undefined;
    return d.step(op, [x], { ...(axes ? { axes } : {}), dims: d.dice.of(['keep', 'drop']), correction: d.dice.of([0, 1]) });
  };

const along =
  (op: string, attributes: (d: Draft) => Record<string, string> = () => ({})): Grower =>
  (d) => {
    const x = d.float((value) => value.rank > 0 && value.size > 0);
    return x && d.step(op, [x], { axis: axisOf(d, x), ...attributes(d) });
  };

export function axisOf(d: Draft, x: string): number {
  const rank = d.shape(x).length;
  const axis = d.dice.below(rank);
  return d.dice.oneIn(3) ? axis - rank : axis;
}

/** Long enough that a normalised row is not made of plus and minus one. */
const isRow = (shape: readonly number[], axes: number): boolean => sizeOf(shape.slice(shape.length - axes)) >= 3;

export const reduceGrowers: Readonly<Record<string, Grower>> = {
  ...Object.fromEntries(['sum', 'mean', 'max', 'min', 'logSumExp'].map((op) => [op, reduction(op)])),
  variance: spread('variance'),
  std: spread('std'),
  argMax: along('argMax'),
  softmax: along('softmax'),
  logSoftmax: along('logSoftmax'),
  cumsum: (d) => {
    const x = d.pick((value) => value.rank > 0 && value.dtype !== 'bool');
    return x && d.step('cumsum', [x], { axis: axisOf(d, x), direction: d.dice.of(['forward', 'reverse']) });
  },
  normalize: (d) => {
    const x = d.float((value) => value.rank > 0 && isRow(value.shape, 1));
    if (x === undefined) return undefined;
    // Of a row with an infinity only y is settled: the mean comes out of a pass that finds the variance, too.
    const part = d.options.draw === 'special' ? 'y' : d.dice.of(['y', 'y', 'mean', 'inverseDeviation']);
    return d.step('normalize', [x], { axes: d.dice.between(1, d.shape(x).length), epsilon: 0.125, part });
  },
  layerNorm: (d) => {
    const x = d.float((value) => value.rank > 0 && isRow(value.shape, 1));
    if (x === undefined) return undefined;
    const last = [d.shape(x).at(-1)!];
    const affine = d.dice.oneIn(2) ? [d.input(last), d.input(last)] : [];
    return d.step('layerNorm', [x, ...affine], { epsilon: 0.0625 });
  },
  rmsNorm: (d) => {
    const x = d.float((value) => value.rank > 0 && isRow(value.shape, 1));
    if (x === undefined) return undefined;
    return d.step('rmsNorm', [x, ...(d.dice.oneIn(2) ? [d.input([d.shape(x).at(-1)!])] : [])], { epsilon: 0.0625 });
  },
  groupNorm: (d) => {
    const fits = (shape: readonly number[]): boolean => shape.length > 2 && shape[1]! > 0 && isRow(shape, shape.length - 2);
    const x = d.float(({ shape }) => fits(shape)) ?? d.input([2, 4, d.dice.between(3, 5)]);
    const channels = d.shape(x)[1]!;
    const groups = d.dice.of([1, 2, channels].filter((n) => channels % n === 0));
    // An infinite scale gives infinities or NaN by the order of what is multiplied, in PyTorch as here.
    return d.step('groupNorm', [x, d.input([channels], { draw: 'smooth' }), d.input([channels])], { groups, epsilon: 0.0625 });
  },
  sort: (d) => {
    const x = d.float((value) => value.rank > 0 && value.size > 0);
    const part = d.dice.of(['values', 'values', 'indices']);
    return x && d.step('sort', [x], { axis: axisOf(d, x), order: d.dice.of(['largest', 'smallest']), part });
  },
  topK: (d) => {
    const x = d.float((value) => value.rank > 0 && value.size > 0);
    if (x === undefined) return undefined;
    const axis = axisOf(d, x);
    const k = d.dice.between(1, d.shape(x).at(axis)!);
    return d.step('topK', [x], { axis, order: d.dice.of(['largest', 'smallest']), k, part: d.dice.of(['values', 'values', 'indices']) });
  },
  quantile: (d) => {
    const x = d.float((value) => value.rank > 0 && value.size > 0);
    return x && d.step('quantile', [x], { q: d.dice.of([0, 0.25, 0.5, 0.75, 1]), axis: axisOf(d, x) });
  },
};
