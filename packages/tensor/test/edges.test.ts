import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  abs,
  atan,
  attention,
  clamp,
  cumsum,
  div,
  einsum,
  erf,
  exp,
  gradients,
  lengthOf,
  less,
  log,
  logSigmoid,
  logSoftmax,
  logSumExp,
  max,
  maxPool,
  mean,
  min,
  mul,
  numbers,
  pow,
  quantile,
  relu,
  sigmoid,
  slice,
  softmax,
  softplus,
  sort,
  sqrt,
  square,
  std,
  sum,
  tanh,
  tensor,
  variance,
  where,
  type Tensor,
} from '@langevin/tensor';
import { referenceEngine } from '@langevin/tensor/testing';

interface Values {
  readonly shape: readonly number[];
  readonly values: readonly (number | string)[];
}

interface Golden {
  readonly tolerance: number;
  readonly cases: Readonly<
    Record<string, { readonly inputs: readonly Values[]; readonly value: Values; readonly gradients: readonly Values[] }>
  >;
}

const golden = JSON.parse(readFileSync(new URL('golden/edges.json', import.meta.url), 'utf8')) as Golden;

const rows = { axes: 1 };
const first = (x: Tensor): Tensor => slice(x, { [-1]: { stop: 1 } });

/** The same functions, by the names of the golden cases. */
const functions: Readonly<Record<string, (...x: readonly Tensor[]) => Tensor>> = {
  abs: (x) => abs(x!),
  sqrt: (x) => sqrt(x!),
  log: (x) => log(x!),
  exp: (x) => exp(x!),
  atan: (x) => atan(x!),
  erf: (x) => erf(x!),
  tanh: (x) => tanh(x!),
  sigmoid: (x) => sigmoid(x!),
  softplus: (x) => softplus(x!),
  logSigmoid: (x) => logSigmoid(x!),
  relu: (x) => relu(x!),
  clamp: (x) => clamp(x!, { min: 0, max: 1 }),
  'pow by tensors': (x, y) => pow(x!, y!),
  'pow 0': (x) => pow(x!, 0),
  'pow 1': (x) => pow(x!, 1),
  'pow 0.5': (x) => pow(x!, 0.5),
  div: (x, y) => div(x!, y!),
  std: (x) => std(x!, { ...rows, correction: 1 }),
  variance: (x) => variance(x!, { ...rows, correction: 1 }),
  length: (x) => lengthOf(sum(square(x!), rows)),
  max: (x) => max(x!, rows),
  min: (x) => min(x!, rows),
  sort: (x) => mul(sort(x!).values, tensor([1, 2, 3])),
  'sort with NaN': (x) => sort(x!).values,
  quantile: (x) => quantile(x!, 0.5),
  'quantile of NaN': (x) => quantile(x!, 0.3),
  logSumExp: (x) => logSumExp(x!, rows),
  softmax: (x) => first(softmax(x!)),
  logSoftmax: (x) => first(logSoftmax(x!)),
  'where, log untaken': (x) => where({ if: less(0, x!), then: log(x!), else: 0 }),
  diagonal: (x) => einsum('ii->i', x!),
  'mean of none': (x) => mean(slice(x!, { 0: { stop: 0 } })),
  cumsum: (x) => cumsum(x!),
  maxPool: (x) => maxPool(x!, { kernel: 2 }),
  'masked attention': (q, k, v) => attention({ q: q!, k: k!, v: v!, mask: tensor([0, 0, 1, 0], { shape: [2, 2], dtype: 'bool' }) }),
};

const SPECIAL: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, '-inf': -Infinity };
const read = ({ values }: Values): number[] => values.map((v) => (typeof v === 'string' ? SPECIAL[v]! : v));

async function compare(found: Tensor, wanted: Values): Promise<void> {
  expect(found.shape).toEqual(wanted.shape);
  const values = await numbers(found, { engine: referenceEngine({ precision: 'float32' }) });
  const expected = read(wanted);
  const scale = Math.max(1, ...expected.filter(Number.isFinite).map(Math.abs));
  const wrong = values.flatMap((v, i) => {
    const e = expected[i]!;
    return Object.is(v, e) || Math.abs(v - e) <= golden.tolerance * scale ? [] : [`element ${i}: ${v} for ${e}`];
  });
  expect(wrong).toEqual([]);
}

test('every golden case has its function', () => {
  expect(Object.keys(functions)).toEqual(Object.keys(golden.cases));
});

describe('at edges, as PyTorch', () => {
  test.each(Object.entries(golden.cases))('%s', async (name, { inputs, value, gradients: wanted }) => {
    const xs = inputs.map((x) => tensor(read(x), { shape: x.shape }));
    const y = functions[name]!(...xs);
    const slopes = gradients([sum(y)], xs);
    await compare(y, value);
    for (const [i, slope] of slopes.entries()) await compare(slope, wanted[i]!);
  });
});
