import { describe, expect, test } from 'vitest';
import {
  attention,
  clamp,
  counterGenerator,
  einsum,
  eye,
  flip,
  gatherDiagonal,
  grad,
  isFinite,
  lerp,
  linspace,
  logSigmoid,
  logSumExp,
  matmul,
  maxPool,
  mul,
  numbers,
  oneHot,
  ones,
  quantile,
  range,
  reciprocal,
  repeat,
  resize,
  roll,
  rsqrt,
  select,
  sizeOf,
  softmax,
  softplus,
  sort,
  split,
  stack,
  std,
  sum,
  swapAxes,
  tensor,
  tile,
  transpose,
  variance,
  type Tensor,
} from '@langevin/tensor';
import { referenceEngine } from '@langevin/tensor/testing';

const engine = referenceEngine();
const read = (x: Tensor): Promise<number[]> => numbers(x, { engine });
const random = counterGenerator({ seed: 1, stream: [7] });
const draw = (shape: readonly number[]): Tensor => tensor(random.normal(sizeOf(shape)), { shape });

/** Equal up to float32 rounding of `terms` additions of values of magnitude up to `scale`. */
function expectClose(found: readonly number[], wanted: readonly number[], terms = 4): void {
  expect(found.length).toBe(wanted.length);
  const scale = Math.max(1, ...wanted.map(Math.abs));
  found.forEach((v, i) => expect(Math.abs(v - wanted[i]!)).toBeLessThanOrEqual(terms * 2 ** -23 * scale));
}

/** Einstein summation by its definition: loop over every letter. */
async function naiveEinsum(equation: string, tensors: readonly Tensor[]): Promise<number[]> {
  const [left, output] = equation.split('->') as [string, string];
  const terms = left.split(',');
  const sizes = new Map<string, number>();
  terms.forEach((term, t) => [...term].forEach((letter, axis) => sizes.set(letter, tensors[t]!.shape[axis]!)));
  const values = await Promise.all(tensors.map(read));
  const letters = [...sizes.keys()];
  const place = (term: string, at: ReadonlyMap<string, number>): number =>
    [...term].reduce((flat, letter) => flat * sizes.get(letter)! + at.get(letter)!, 0);
  const result = new Array<number>(sizeOf([...output].map((letter) => sizes.get(letter)!))).fill(0);
  const count = sizeOf([...sizes.values()]);
  for (let flat = 0; flat < count; flat++) {
    let rest = flat;
    const at = new Map(
      letters.map((letter) => {
        const i = rest % sizes.get(letter)!;
        rest = Math.floor(rest / sizes.get(letter)!);
        return [letter, i];
      }),
    );
    result[place(output, at)]! += terms.reduce((product, term, t) => product * values[t]![place(term, at)]!, 1);
  }
  return result;
}

describe('einsum is its definition', () => {
  const shapes: Readonly<Record<string, readonly (readonly number[])[]>> = {
    'ij,jk->ik': [
      [2, 3],
      [3, 4],
    ],
    'bhld,bhsd->bhls': [
      [2, 2, 3, 4],
      [2, 2, 5, 4],
    ],
    'bhls,bhsd->blhd': [
      [2, 2, 3, 5],
      [2, 2, 5, 4],
    ],
    'ij->ji': [[2, 3]],
    'ij->': [[2, 3]],
    'ii->i': [[3, 3]],
    'ii->': [[3, 3]],
    'iij->j': [[3, 3, 2]],
    'i,j->ij': [[2], [3]],
    'i,i->': [[4], [4]],
    'ij,ij->ij': [
      [2, 3],
      [2, 3],
    ],
    'ij,jk,kl->il': [
      [2, 3],
      [3, 4],
      [4, 2],
    ],
    'i,ij,j->': [[2], [2, 3], [3]],
    'abc,cd,e->dae': [[2, 3, 4], [4, 2], [3]],
    'bi,bj,bk->bijk': [
      [2, 2],
      [2, 3],
      [2, 2],
    ],
    ',ij->ij': [[], [2, 2]],
  };
  test.each(Object.keys(shapes))('%s', async (equation) => {
    const tensors = shapes[equation]!.map(draw);
    expectClose(await read(einsum(equation, ...tensors)), await naiveEinsum(equation, tensors), 48);
  });

  test('spaces are allowed', async () => {
    expect(
      await read(
        einsum(
          ' ij , jk -> ik ',
          eye(2),
          tensor([
            [1, 2],
            [3, 4],
          ]),
        ),
      ),
    ).toEqual([1, 2, 3, 4]);
  });
});

describe('order statistics', () => {
  test("quantile is NumPy's linear one", async () => {
    const rows = [
      [3, 1, 2],
      [10, -1, 4],
    ];
    for (const q of [0, 0.1, 0.25, 0.5, 0.9, 1]) {
      const wanted = rows.map((row) => {
        const sorted = [...row].sort((a, b) => a - b);
        const h = (sorted.length - 1) * q;
        const low = Math.floor(h);
        return sorted[low]! + (h - low) * ((sorted[low + 1] ?? sorted[low]!) - sorted[low]!);
      });
      expectClose(await read(quantile(tensor(rows), q)), wanted);
      expectClose(await read(quantile(transpose(tensor(rows)), q, 0)), wanted);
    }
  });

  test('sort, with its indices, both ways', async () => {
    const x = tensor([3, 1, 2, 1]);
    const up = sort(x);
    const down = sort(x, { order: 'largest' });
    expect([await read(up.values), await read(up.indices), await read(down.values), await read(down.indices)]).toEqual([
      [1, 1, 2, 3],
      [1, 3, 2, 0],
      [3, 2, 1, 1],
      [0, 2, 1, 3],
    ]);
  });
});

describe('resize is its formula', () => {
  const x = draw([1, 1, 5]);
  const at = (values: readonly number[], centre: number): number => {
    const low = Math.min(Math.floor(centre), 4);
    const high = Math.min(low + 1, 4);
    return values[low]! * (1 - (centre - low)) + values[high]! * (centre - low);
  };
  test.each([1, 2, 3, 7, 10, 12])('to %d', async (m) => {
    const values = await read(x);
    const index = Array.from({ length: m }, (_, i) => i);
    expect(await read(resize(x, { size: [m] }))).toEqual(index.map((i) => values[Math.floor((i * 5) / m)]));
    expectClose(
      await read(resize(x, { size: [m], mode: 'bilinear' })),
      index.map((i) => at(values, Math.max(((i + 0.5) * 5) / m - 0.5, 0))),
    );
    expectClose(
      await read(resize(x, { size: [m], mode: 'bilinear', align: 'corners' })),
      index.map((i) => at(values, m === 1 ? 0 : (i * 4) / (m - 1))),
    );
  });

  test('axes are independent', async () => {
    const image = draw([1, 2, 3, 4]);
    const both = resize(image, { size: [5, 2], mode: 'bilinear' });
    expect(await read(both)).toEqual(
      await read(resize(resize(image, { size: [5, 4], mode: 'bilinear' }), { size: [5, 2], mode: 'bilinear' })),
    );
  });
});

describe('stable formulas', () => {
  test('softplus, logSigmoid and logSumExp at large magnitudes', async () => {
    expect(await read(softplus(tensor([-1000, 0, 1000])))).toEqual([0, Math.fround(Math.LN2), 1000]);
    expect(await read(logSigmoid(tensor([-1000, 0, 1000])))).toEqual([-1000, -Math.fround(Math.LN2), 0].map((v) => v + 0));
    expectClose(await read(logSumExp(tensor([1e4, 1e4]))), [1e4 + Math.LN2]);
    expectClose(
      await read(
        logSumExp(
          tensor([
            [0, 0],
            [1, 1],
          ]),
          { axes: 1, dims: 'keep' },
        ),
      ),
      [Math.LN2, 1 + Math.LN2],
    );
  });

  test('a small softplus keeps its digits, and so does its gradient', async () => {
    const far = [-87, -20, -12, 20];
    const near = (actual: readonly number[], expected: readonly number[]): void =>
      expected.forEach((value, i) => expect(actual[i]! / value).toBeCloseTo(1, 6));
    near(
      await read(softplus(tensor(far))),
      far.map((x) => Math.log1p(Math.exp(x))),
    );
    near(
      await read(logSigmoid(tensor(far))),
      far.map((x) => -Math.log1p(Math.exp(-x))),
    );
    near(
      await read(grad((x: Tensor) => sum(softplus(x)))(tensor(far))),
      far.map((x) => 1 / (1 + Math.exp(-x))),
    );
  });

  test('finite or not', async () => {
    expect(await read(isFinite(tensor([1, Infinity, -Infinity, NaN])))).toEqual([1, 0, 0, 0]);
  });

  test('variance and deviation, with and without correction', async () => {
    expect(
      await read(
        variance(
          tensor([
            [1, 3],
            [5, 5],
          ]),
          { axes: 1 },
        ),
      ),
    ).toEqual([1, 0]);
    expect(await read(variance(tensor([1, 3]), { correction: 1 }))).toEqual([2]);
    expect(await read(std(tensor([1, 5])))).toEqual([2]);
  });
});

describe('moving and making', () => {
  test.each<readonly [string, Tensor, readonly number[]]>([
    [
      'flip of both axes',
      flip(
        tensor([
          [1, 2],
          [3, 4],
        ]),
        [0, 1],
      ),
      [4, 3, 2, 1],
    ],
    ['roll forward', roll(range(4), 1), [3, 0, 1, 2]],
    ['roll back, more than once around', roll(range(4), -5), [1, 2, 3, 0]],
    ['roll by the whole size', roll(range(4), 4), [0, 1, 2, 3]],
    ['tile', tile(tensor([[1, 2]]), [2, 2]), [1, 2, 1, 2, 1, 2, 1, 2]],
    ['repeat', repeat(tensor([[1, 2]]), 2, 1), [1, 1, 2, 2]],
    ['stack on the last axis', stack([range(2), range(2, { start: 5 })], -1), [0, 5, 1, 6]],
    [
      'select',
      select(
        tensor([
          [1, 2],
          [3, 4],
        ]),
        1,
        -1,
      ),
      [2, 4],
    ],
    ['split by sizes', split(range(5), [2, 3])[1]!, [2, 3, 4]],
    [
      'swapAxes',
      swapAxes(
        tensor([
          [1, 2],
          [3, 4],
        ]),
        0,
        -1,
      ),
      [1, 3, 2, 4],
    ],
    [
      'diagonal',
      gatherDiagonal(
        tensor([
          [1, 2],
          [3, 4],
        ]),
      ),
      [1, 4],
    ],
    ['range', range(3, { start: 1, step: -2 }), [1, -1, -3]],
    ['linspace', linspace(0, 1, 3), [0, 0.5, 1]],
    ['eye', eye(2), [1, 0, 0, 1]],
    ['one-hot', oneHot(tensor([1], { dtype: 'int32' }), 3), [0, 1, 0]],
    ['clamp', clamp(tensor([-2, 0.5, 2]), { min: -1, max: 1 }), [-1, 0.5, 1]],
    ['clamp on one side', clamp(tensor([-2, 2]), { max: 1 }), [-2, 1]],
    ['lerp', lerp(tensor([0, 2]), tensor([4, 4]), 0.25), [1, 2.5]],
    ['reciprocal and rsqrt', mul(reciprocal(tensor([4])), rsqrt(tensor([4]))), [0.125]],
    ['matmul with an empty inner axis keeps its batch', matmul(ones([2, 1, 0]), ones([0, 1])), [0, 0]],
    ['max pooling of negative numbers at the border', maxPool(tensor([[[-5, -7, -3]]]), { kernel: 3, stride: 2, padding: 1 }), [-5, -3]],
  ])('%s', async (_, x, wanted) => expect(await read(x)).toEqual(wanted));

  test('attention is softmax(scale q k^T) v', async () => {
    const [q, k, v] = [draw([1, 1, 3, 4]), draw([1, 1, 5, 4]), draw([1, 1, 5, 2])];
    const weights = softmax(mul(matmul(q, k, { transposeB: true }), 0.5));
    expectClose(await read(attention({ q, k, v })), await read(matmul(weights, v)), 16);
  });
});
