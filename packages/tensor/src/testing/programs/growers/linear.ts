import type { Draft } from '../draft.ts';
import type { Grower } from './elementwise.ts';

type Geometry = Record<string, readonly number[] | readonly (readonly [number, number])[] | number>;

/**
 * Finite, whatever else there is: what a border of zeros gives with an infinite weight, or a weight of attention that is 0 with an
 * infinite value, is each engine's own.
 */
const WEIGHTS = { draw: 'smooth' } as const;

const each = <T>(axes: number, make: () => T): T[] => Array.from({ length: axes }, make);

/** An image [N, C, ...spatial] that is there, or a new one. */
function image(d: Draft): string {
  const known = d.float(({ rank, shape, size }) => rank >= 3 && rank <= 5 && size > 0 && shape[1]! <= 6);
  if (known !== undefined) return known;
  const axes = d.dice.of([1, 2, 2, 3]);
  return d.input([d.dice.between(1, 2), d.dice.between(1, 4), ...each(axes, () => d.dice.between(1, axes === 3 ? 3 : 5))]);
}

const pads = (d: Draft, axes: number, most: number): [number, number][] =>
  each(axes, () => (d.dice.oneIn(2) ? [0, 0] : [d.dice.between(0, most), d.dice.between(0, most)]));

const pooling =
  (op: string): Grower =>
  (d) => {
    const x = image(d);
    const axes = d.shape(x).length - 2;
    const kernel = each(axes, () => d.dice.between(1, 3));
    const padding = kernel.map((k): [number, number] => (d.dice.oneIn(2) ? [0, 0] : [d.dice.below(k), d.dice.below(k)]));
    return d.step(op, [x], { kernel, padding, stride: d.dice.oneIn(2) ? kernel : each(axes, () => d.dice.between(1, 3)) });
  };

export const linearGrowers: Readonly<Record<string, Grower>> = {
  maxPool: pooling('maxPool'),
  avgPool: pooling('avgPool'),
  matmul: (d) => {
    const a = d.float((value) => value.rank >= 2) ?? d.input([d.dice.between(1, 3), d.dice.between(1, 3), d.dice.between(1, 4)]);
    const shape = d.shape(a);
    const transposeA = d.dice.oneIn(3);
    const transposeB = d.dice.oneIn(2);
    const inner = shape.at(transposeA ? -2 : -1)!;
    const columns = d.dice.between(1, 4);
    const lead = d.dice.oneIn(3) ? [] : shape.slice(0, -2).map((n) => (d.dice.oneIn(3) ? 1 : n));
    const matrix = transposeB ? [columns, inner] : [inner, columns];
    const known = d.float((value) => value.shape.join() === [...lead, ...matrix].join());
    return d.step('matmul', [a, known ?? d.input([...lead, ...matrix])], { transposeA, transposeB });
  },
  einsum: (d) => {
    const [a, b, c] = [d.dice.between(1, 3), d.dice.between(1, 3), d.dice.between(1, 3)];
    switch (d.dice.below(6)) {
      case 0:
        return d.step('einsum', [d.input([a, b]), d.input([b, c])], { equation: 'ab,bc->ac' });
      case 1:
        return d.step('einsum', [d.input([a, b, c]), d.input([a, c])], { equation: 'abc,ac->b' });
      case 2:
        return d.step('einsum', [d.input([b, b])], { equation: 'ii->i' });
      case 3:
        return d.step('einsum', [d.input([a, b]), d.input([b, c]), d.input([c, a])], { equation: 'ab,bc,ca->a' });
      case 4:
        return d.step('einsum', [d.input([a, b, c])], { equation: 'abc->ca' });
      default:
        return d.step('einsum', [d.input([a]), d.input([b])], { equation: 'a,b->ba' });
    }
  },
  conv: (d) => {
    const x = image(d);
    const axes = d.shape(x).length - 2;
    const channels = d.shape(x)[1]!;
    const groups = d.dice.oneIn(3) ? d.dice.of([1, 2, channels].filter((n) => channels % n === 0)) : 1;
    const out = groups * d.dice.between(1, 2);
    const w = d.input([out, channels / groups, ...each(axes, () => d.dice.between(1, 3))], WEIGHTS);
    const geometry: Geometry = {
      stride: each(axes, () => d.dice.between(1, 2)),
      padding: pads(d, axes, 2),
      // An engine may spread a kernel with zeros, beside which infinities are NaN.
      dilation: each(axes, () => (d.options.draw !== 'special' && d.dice.oneIn(3) ? 2 : 1)),
      groups,
    };
    return d.step('conv', [x, w, ...(d.dice.oneIn(2) ? [d.input([out])] : [])], geometry);
  },
  convTranspose: (d) => {
    const x = image(d);
    const axes = d.shape(x).length - 2;
    const channels = d.shape(x)[1]!;
    const groups = d.dice.oneIn(3) && channels % 2 === 0 ? 2 : 1;
    const out = d.dice.between(1, 2);
    const stride = each(axes, () => d.dice.between(1, 3));
    const geometry: Geometry = {
      stride,
      padding: pads(d, axes, 1),
      dilation: each(axes, () => (d.dice.oneIn(4) ? 2 : 1)),
      groups,
      outputPadding: stride.map((s) => d.dice.below(s)),
    };
    const w = d.input([channels, out, ...each(axes, () => d.dice.between(1, 3))]);
    return d.step('convTranspose', [x, w, ...(d.dice.oneIn(2) ? [d.input([out * groups])] : [])], geometry);
  },
  attention: (d) => {
    const [b, h, l, s] = [d.dice.between(1, 2), d.dice.between(1, 2), d.dice.between(1, 3), d.dice.between(1, 3)];
    const [k, e] = [d.dice.between(1, 3), d.dice.between(1, 3)];
    const query =
      d.float(({ rank, shape }) => d.options.draw !== 'special' && rank === 4 && shape.join() === [b, h, l, k].join())
      ?? d.input([b, h, l, k], WEIGHTS);
    const scale = d.dice.of([null, 0.5]);
    const mask = d.dice.of([undefined, 'float', 'bool'] as const);
    const operands = [query, d.input([b, h, s, k], WEIGHTS), d.input([b, h, s, e], WEIGHTS)];
    if (mask === 'float')
      operands.push(
        d.input(
          d.dice.of([
            [l, s],
            [b, 1, l, s],
            [1, h, 1, s],
          ]),
        ),
      );
    if (mask === 'bool') operands.push(d.input([l, s], { dtype: 'bool' }));
    return d.step('attention', operands, { scale });
  },
};
