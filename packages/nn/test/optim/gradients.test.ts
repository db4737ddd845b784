import { addGradients, clipByGlobalNorm, clipByValue, globalNorm, meanGradients } from '@langevin/nn';
import { grad, item, mean, mul, numbers, slice, square, sub, tensor, type Tensor } from '@langevin/tensor';
import { describe, expect, it } from 'vitest';
import { flat, onCpu } from '../engine.ts';

onCpu();

const tree = { a: tensor([3]), b: [tensor([[0, 4]]), tensor([12])] };

describe('global norm', () => {
  it('is that of all elements together', async () => {
    expect(await item(globalNorm(tree))).toBeCloseTo(13, 6);
    expect(await item(globalNorm({}))).toBe(0);
  });

  it('has a gradient of zero at zero, as in PyTorch', async () => {
    const slope = grad((w: Tensor) => globalNorm({ w }));
    expect(await numbers(slope(tensor([0, 0])))).toEqual([0, 0]);
    expect(await numbers(slope(tensor([3, 4])))).toEqual([expect.closeTo(0.6, 6), expect.closeTo(0.8, 6)]);
  });

  it('clips to the maximum and reports the norm before', async () => {
    const { grads, norm } = clipByGlobalNorm(tree, 1.3);
    expect(await item(norm)).toBeCloseTo(13, 6);
    expect(await item(globalNorm(grads))).toBeCloseTo(1.3, 6);
    const values = await flat(grads);
    values.forEach((x, i) => expect(x).toBeCloseTo([0.3, 0, 0.4, 1.2][i]!, 6));
  });

  it('leaves shorter gradients exactly as they are', async () => {
    expect(await flat(clipByGlobalNorm(tree, 14).grads)).toEqual([3, 0, 4, 12]);
  });

  it('does not touch integers', async () => {
    const { grads } = clipByGlobalNorm({ w: tensor([6]), index: tensor([2, 3], { dtype: 'int32' }) }, 3);
    const [w, ...index] = await flat(grads);
    expect(w).toBeCloseTo(3, 5);
    expect(index).toEqual([2, 3]);
  });

  it('rejects a maximum of zero', () => {
    expect(() => clipByGlobalNorm(tree, 0)).toThrow('[nn/clipByGlobalNorm] maxNorm is out of range: maxNorm=0.');
    // As float32 they are 0 or infinity: the gradients would be 0 or NaN.
    for (const limit of [1e-320, 1e-40, 1e39]) {
      expect(() => clipByGlobalNorm(tree, limit)).toThrow('maxNorm is out of range');
      expect(() => clipByValue(tree, limit)).toThrow('limit is out of range');
    }
  });
});

it('clips by value', async () => {
  expect(await flat(clipByValue({ a: tensor([-7, 0.5, 7]) }, 2))).toEqual([-2, 0.5, 2]);
});

describe('accumulation', () => {
  const x = tensor([1, 2, 3, 4, 5, 6]);
  const y = tensor([2, 1, 0, 3, 5, 9]);
  const loss = (params: { w: Tensor }, xs: Tensor, ys: Tensor): Tensor => mean(square(sub(mul(params.w, xs), ys)));
  const params = { w: tensor(new Float32Array([0.7]), { shape: [] }) };

  it('of three parts of a batch is the gradient of the whole', async () => {
    const part = (t: Tensor, i: number): Tensor => slice(t, { 0: { start: 2 * i, stop: 2 * i + 2 } });
    const parts = [0, 1, 2].map((i) => grad(loss)(params, part(x, i), part(y, i)));
    const [whole] = await flat(grad(loss)(params, x, y));
    const [accumulated] = await flat(meanGradients(parts));
    // By hand: mean of 2 x (w x - y).
    const expected = [1, 2, 3, 4, 5, 6].reduce((sum, xi, i) => sum + (2 * xi * (0.7 * xi - [2, 1, 0, 3, 5, 9][i]!)) / 6, 0);
    expect(whole).toBeCloseTo(expected, 4);
    expect(accumulated).toBeCloseTo(expected, 4);
  });

  it('adds trees of one structure', async () => {
    expect(await flat(addGradients({ a: tensor([1]) }, { a: tensor([2]) }))).toEqual([3]);
    expect(() => addGradients<Record<string, Tensor>>({ a: tensor([1]) }, { b: tensor([2]) })).toThrow('first difference at "a"');
  });

  it('rejects nothing to average', () => {
    expect(() => meanGradients([])).toThrow('[nn/meanGradients] nothing to average');
  });
});
