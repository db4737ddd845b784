import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import {
  add,
  avgPool,
  compile,
  conv,
  full,
  matmul,
  maxPool,
  mul,
  numbers,
  ones,
  pad,
  swapAxes,
  tensor,
  transpose,
  type Engine,
  type Tensor,
} from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** Graphs that are right and that ONNX Runtime's own optimiser changes or refuses; see engine/optimizers.ts. */
describe.each(['cpu', 'wasm'] as const)('what the optimiser of ONNX Runtime must not touch, on %s', (device) => {
  let engine: Engine;
  beforeAll(async () => void (engine = await onnxruntimeEngine({ device })));
  afterAll(() => engine.dispose());

  const border = (width: number): Tensor =>
    pad(
      full([1, 1, 2], -1),
      [
        [0, 0],
        [0, 0],
        [width, width],
      ],
      0,
    );

  test('zeros around negative numbers are zeros to a pooling, however wide', async () => {
    expect(await numbers(maxPool(border(1), { kernel: 2 }), { engine })).toEqual([0, 0]);
    expect(await numbers(maxPool(border(2), { kernel: 2 }), { engine })).toEqual([0, -1, 0]);
    expect(await numbers(avgPool(border(3), { kernel: 2 }), { engine })).toEqual([0, -0.5, -0.5, 0]);
  });

  test('compiled, and with padding of the pooling itself, which is -infinity', async () => {
    const pooled = compile(
      (x: Tensor) =>
        maxPool(
          pad(
            x,
            [
              [0, 0],
              [0, 0],
              [1, 1],
            ],
            0,
          ),
          { kernel: 3, padding: 1 },
        ),
      { engine },
    );
    expect(await numbers(await pooled(full([1, 1, 2], -1)), { engine })).toEqual([0, 0]);
    await pooled.dispose();
  });

  test('zeros around an image are the padding of a convolution, on top of its own', async () => {
    const x = tensor([[[1, 2]]]);
    const w = tensor([[[1, 10, 100]]]);
    const padded = pad(
      x,
      [
        [0, 0],
        [0, 0],
        [1, 2],
      ],
      0,
    );
    expect(await numbers(conv(padded, w), { engine })).toEqual([210, 21, 2]);
    expect(await numbers(conv(padded, w, { padding: 1 }), { engine })).toEqual([100, 210, 21, 2, 0]);
    // Ones are no padding, nor are channels.
    expect(
      await numbers(
        conv(
          pad(
            x,
            [
              [0, 0],
              [0, 0],
              [1, 1],
            ],
            1,
          ),
          w,
        ),
        { engine },
      ),
    ).toEqual([211, 121]);
    expect(
      await numbers(
        conv(
          pad(
            x,
            [
              [0, 0],
              [1, 0],
              [1, 0],
            ],
            0,
          ),
          ones([1, 2, 2]),
        ),
        { engine },
      ),
    ).toEqual([1, 3]);
  });

  test('a scaled operand that two products read, one of them scaled once more', async () => {
    const products = compile(
      (x: Tensor, c: Tensor, k: Tensor) => {
        const a = mul(x, 3);
        return [matmul(c, a, { transposeB: true }), matmul(mul(a, 0.5), k, { transposeB: true })];
      },
      { engine },
    );
    const one = ones([1, 2, 2]);
    const [first, second] = await products(one, one, one);
    expect(await numbers(first!, { engine })).toEqual([6, 6, 6, 6]);
    expect(await numbers(second!, { engine })).toEqual([3, 3, 3, 3]);
    await products.dispose();
  });
});

test('a product with a bias whose transposed operand is a result, too', async () => {
  const engine = await onnxruntimeEngine({ device: 'cpu' });
  const products = compile(
    (x: Tensor, y: Tensor, bias: Tensor) => {
      const right = transpose(y);
      return [add(matmul(transpose(x), right), bias), right];
    },
    { engine },
  );
  const [product, right] = await products(tensor([[1], [2]]), tensor([[3, 4]]), tensor([10]));
  expect(await numbers(product!, { engine })).toEqual([21]);
  expect(await numbers(right!, { engine })).toEqual([3, 4]);
  await products.dispose();
  await engine.dispose();
});

test.each([2, 3, 4])('operands of a product that were transposed for it, rank %i', async (rank) => {
  const engine = await onnxruntimeEngine({ device: 'cpu' });
  const lead = [2, 1].slice(0, rank - 2);
  const a = tensor(Float32Array.from({ length: 12 * 2 ** lead.length }, Math.sin).subarray(0, 6 * lead.reduce((x, y) => x * y, 1)), {
    shape: [...lead, 3, 2],
  });
  const b = tensor(Float32Array.from({ length: 12 * lead.reduce((x, y) => x * y, 1) }, Math.cos), { shape: [...lead, 4, 3] });
  for (const [fn, same] of [
    [() => matmul(swapAxes(a, -1, -2), swapAxes(b, -1, -2)), () => matmul(a, b, { transposeA: true, transposeB: true })],
    [() => matmul(swapAxes(b, -1, -2), swapAxes(swapAxes(b, -1, -2), -1, -2)), () => matmul(b, b, { transposeA: true })],
    [() => matmul(swapAxes(a, -1, -2), b, { transposeB: true }), () => matmul(a, b, { transposeA: true, transposeB: true })],
  ] as const) {
    expect(await numbers(fn(), { engine })).toEqual(await numbers(same(), { engine }));
  }
  await engine.dispose();
});

test('what the application switches off in the optimiser is switched off beside ours', async () => {
  const engine = await onnxruntimeEngine({
    device: 'cpu',
    session: { extra: { optimization: { disable_specified_optimizers: 'ReshapeFusion' } } },
  });
  expect(
    await numbers(
      maxPool(
        pad(
          full([1, 1, 2], -1),
          [
            [0, 0],
            [0, 0],
            [1, 1],
          ],
          0,
        ),
        { kernel: 2 },
      ),
      { engine },
    ),
  ).toEqual([0, 0]);
  await engine.dispose();
});

test('a scale by channel may be infinite', async () => {
  const engine = await onnxruntimeEngine({ device: 'cpu' });
  const scaled = compile((x: Tensor, scale: Tensor, bias: Tensor) => add(mul(x, scale), bias), { engine });
  const perChannel = (values: number[]): Tensor => tensor(values, { shape: [1, 2, 1] });
  const y = await scaled(
    tensor([
      [
        [1, 2],
        [3, 4],
      ],
    ]),
    perChannel([Infinity, 2]),
    perChannel([1, Infinity]),
  );
  expect(await numbers(y, { engine })).toEqual([Infinity, Infinity, Infinity, Infinity]);
  await engine.dispose();
});
