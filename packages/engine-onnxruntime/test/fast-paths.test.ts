import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import {
  add,
  attention,
  avgPool,
  broadcastTo,
  compile,
  conv,
  gelu,
  groupNorm,
  layerNorm,
  matmul,
  mean,
  mul,
  numbers,
  reshape,
  silu,
  softmax,
  square,
  sum,
  tensor,
  valueAndGrad,
  type Engine,
  type Tensor,
} from '@langevin/tensor';
import { referenceEngine } from '@langevin/tensor/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/**
 * The kit's shapes are small. Those here are large enough for the fused gradients, the blocked convolutions and the resizing kernels
 * to be chosen, and the float64 reference still takes no time.
 */
let engine: Engine;
const reference = referenceEngine();
beforeAll(async () => void (engine = await onnxruntimeEngine({ device: 'cpu', threads: 2 })));
afterAll(() => engine.dispose());

function wave(shape: readonly number[], frequency: number): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => Math.fround(Math.sin(i * frequency))),
    { shape },
  );
}

const largest = (values: readonly number[]): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

type Fn = (params: readonly Tensor[]) => Tensor;

/** Value and gradients by every operand agree with the float64 reference, relative to the largest element of each. */
async function agrees(fn: Fn, operands: readonly Tensor[], terms: number): Promise<void> {
  const weighted = (params: readonly Tensor[]) => {
    const y = fn(params);
    return mean(mul(y, wave(y.shape, 0.77)));
  };
  const run = async (on: Engine): Promise<number[][]> => {
    const { value, grad } = await compile((...params: readonly Tensor[]) => valueAndGrad(weighted)(params), { engine: on })(...operands);
    const y = await compile((...params: readonly Tensor[]) => fn(params), { engine: on })(...operands);
    return Promise.all([value, ...grad, y].map((result) => numbers(result, { engine: on })));
  };
  const [found, wanted] = [await run(engine), await run(reference)];
  found.forEach((list, i) => {
    const scale = largest([...wanted[i]!, i === 0 ? 1 : 0]);
    const worst = largest(list.map((v, j) => v - wanted[i]![j]!));
    // Each of the terms of a sum is rounded once on the way, and errors of random sign add up like its root; 32 of those.
    expect(worst / scale, `result ${i}`).toBeLessThan(32 * Math.sqrt(terms) * 2 ** -24);
  });
}

describe('fast paths of the CPU engine agree with the definitions', () => {
  test.each([
    ['3x3', { n: 8, c: 16, o: 32, k: 3, options: { padding: 1 } }],
    ['3x3 without borders', { n: 8, c: 16, o: 16, k: 3, options: {} }],
    ['strided', { n: 8, c: 16, o: 16, k: 3, options: { padding: 1, stride: 2 } }],
    ['dilated', { n: 8, c: 16, o: 16, k: 3, options: { padding: 2, dilation: 2 } }],
    ['1x1', { n: 8, c: 16, o: 32, k: 1, options: {} }],
    ['batch that is no block', { n: 3, c: 16, o: 16, k: 3, options: { padding: 1 } }],
    ['channels that are no block', { n: 8, c: 12, o: 16, k: 3, options: { padding: 1 } }],
    ['few inputs', { n: 8, c: 3, o: 16, k: 3, options: { padding: 1 } }],
    ['few outputs', { n: 8, c: 16, o: 3, k: 3, options: { padding: 1 } }],
    ['few outputs without borders', { n: 16, c: 16, o: 5, k: 3, options: {} }],
  ] as const)('convolution, %s', (_, { n, c, o, k, options }) =>
    agrees(
      ([x, w, b]) => conv(x!, w!, { ...options, bias: b! }),
      [wave([n, c, 9, 11], 0.37), wave([o, c, k, k], 0.91), wave([o], 0.53)],
      c * k * k + n * 99,
    ),
  );

  test('convolution with bias and residual', () =>
    agrees(
      ([x, w, b]) => add(conv(x!, w!, { padding: 1, bias: b! }), x!),
      [wave([8, 16, 8, 8], 0.37), wave([16, 16, 3, 3], 0.91), wave([16], 0.53)],
      1000,
    ));

  test('group norm and silu', () =>
    agrees(
      ([x, s, b]) => silu(groupNorm(x!, { groups: 4, scale: s!, bias: b! })),
      [wave([4, 16, 8, 8], 0.37), wave([16], 0.91), wave([16], 0.53)],
      1024,
    ));

  test('layer norm', () =>
    agrees(
      ([x, s, b]) => gelu(layerNorm(x!, { scale: s!, bias: b! })),
      [wave([6, 10, 64], 0.37), wave([64], 0.91), wave([64], 0.53)],
      1024,
    ));

  test('attention', () =>
    agrees(
      ([q, k, v]) => attention({ q: q!, k: k!, v: v! }),
      [wave([2, 3, 40, 16], 0.37), wave([2, 3, 48, 16], 0.41), wave([2, 3, 48, 16], 0.53)],
      1024,
    ));

  test('softmax', () => agrees(([x]) => softmax(x!), [wave([8, 64], 0.37)], 64));

  test('nearest-neighbour resizing and its gradient, average pooling and its gradient', async () => {
    const twice = (x: Tensor): Tensor => reshape(broadcastTo(reshape(x, [4, 8, 8, 1, 8, 1]), [4, 8, 8, 2, 8, 2]), [4, 8, 16, 16]);
    await agrees(([x]) => twice(x!), [wave([4, 8, 8, 8], 0.37)], 4);
    await agrees(([x]) => avgPool(x!, { kernel: 2 }), [wave([4, 8, 16, 16], 0.37)], 4);
    await agrees(([x]) => broadcastTo(x!, [64, 32, 3]), [wave([64, 1, 3], 0.37)], 32);
    await agrees(([x]) => broadcastTo(x!, [2048, 5]), [wave([2048, 1], 0.37)], 5);
    await agrees(([x]) => sum(x!, { axes: [0, 1] }), [wave([40, 8, 32], 0.37)], 320);
    await agrees(([x]) => sum(square(x!), { axes: [1, 3] }), [wave([16, 4, 32, 3], 0.37)], 12);
  });
});

test('attention over a thousand tokens, which is computed by tiles', async () => {
  const [q, k, v] = [wave([1, 2, 1024, 8], 0.37), wave([1, 2, 1024, 8], 0.41), wave([1, 2, 1024, 8], 0.53)];
  const run = (on: Engine) =>
    compile((...x: readonly Tensor[]) => attention({ q: x[0]!, k: x[1]!, v: x[2]! }), { engine: on })(q, k, v).then((y) =>
      numbers(y, { engine: on }),
    );
  const [found, wanted] = [await run(engine), await run(reference)];
  const worst = Math.max(...found.map((x, i) => Math.abs(x - wanted[i]!)));
  expect(worst).toBeLessThan(32 * Math.sqrt(1024) * 2 ** -24);
});

test('a product by the transpose of many rows, which is a blocked convolution', async () => {
  const [a, b] = [wave([1024, 200], 0.37), wave([1024, 194], 0.41)];
  const run = (on: Engine) =>
    compile((...x: readonly Tensor[]) => matmul(x[0]!, x[1]!, { transposeA: true }), { engine: on })(a, b).then((y) =>
      numbers(y, { engine: on }),
    );
  const [found, wanted] = [await run(engine), await run(reference)];
  expect(largest(found.map((x, i) => x - wanted[i]!)) / largest(wanted)).toBeLessThan(32 * Math.sqrt(1024) * 2 ** -24);
});
