import {
  binaryCrossEntropyWithLogits,
  cosineLoss,
  cosineSimilarity,
  crossEntropyLoss,
  gaussianKl,
  gaussianNllLoss,
  huberLoss,
  klDivergence,
  maeLoss,
  mseLoss,
  pseudoHuberLoss,
  smoothL1Loss,
} from '@langevin/nn';
import { grad, item, log, softmax, tensor, zeros, type Tensor } from '@langevin/tensor';
import { describe, expect, it } from 'vitest';
import { flat, onCpu } from '../engine.ts';

onCpu();

const p = tensor([1, 2, 4]);
const t = tensor([1, 0, 7]);
const near = async (x: Tensor, expected: number, digits = 6): Promise<void> => expect(await item(x)).toBeCloseTo(expected, digits);

describe('distances', () => {
  it('mean, sum and none', async () => {
    await near(mseLoss(p, t), 13 / 3);
    await near(mseLoss(p, t, { reduction: 'sum' }), 13);
    expect(await flat(mseLoss(p, t, { reduction: 'none' }))).toEqual([0, 4, 9]);
    await near(maeLoss(p, t), 5 / 3);
  });

  it('huber and its relatives are parabola inside, line outside', async () => {
    expect(await flat(huberLoss(p, t, { delta: 2.5, reduction: 'none' }))).toEqual([0, 2, 2.5 * (3 - 1.25)]);
    expect(await flat(smoothL1Loss(p, t, { beta: 2, reduction: 'none' }))).toEqual([0, 1, 2]);
    const d = [0, 2, 3].map((x) => Math.sqrt(x * x + 16) - 4);
    (await flat(pseudoHuberLoss(p, t, { c: 4, reduction: 'none' }))).forEach((x, i) => expect(x).toBeCloseTo(d[i]!, 6));
  });

  it('pseudo-huber keeps its digits near zero', async () => {
    const loss = await item(pseudoHuberLoss(tensor([1e-4]), tensor([0]), { c: 1 }));
    expect(loss / 0.5e-8).toBeCloseTo(1, 5);
  });

  it('the gradient of huber is the clamped difference', async () => {
    const g = grad((x: Tensor) => huberLoss(x, zeros([5]), { reduction: 'sum' }))(tensor([-3, -0.5, 0, 0.25, 8]));
    expect(await flat(g)).toEqual([-1, -0.5, 0, 0.25, 1]);
  });

  it('cosine is 1, 0 and -1 for parallel, orthogonal and opposite vectors, and finite at zero', async () => {
    const a = tensor([
      [1, 0],
      [1, 0],
      [1, 0],
      [0, 0],
    ]);
    const b = tensor([
      [5, 0],
      [0, 2],
      [-3, 0],
      [1, 1],
    ]);
    expect(await flat(cosineSimilarity(a, b))).toEqual([1, 0, -1, 0]);
    await near(cosineLoss(a, b), 1);
    const g = await flat(grad((x: Tensor) => cosineLoss(x, b))(a));
    expect(g.every(Number.isFinite)).toBe(true);
  });
});

describe('classification', () => {
  it('cross entropy of even logits is log C', async () => {
    await near(crossEntropyLoss(zeros([4, 10]), tensor([0, 3, 9, 5], { dtype: 'int32' })), Math.log(10));
    await near(crossEntropyLoss(zeros([4, 10]), tensor([0, 3, 9, 5], { dtype: 'int32' }), { labelSmoothing: 0.3 }), Math.log(10));
  });

  it('its gradient is softmax - one-hot, and indices equal one-hot probabilities', async () => {
    const logits = tensor([[1, -2, 0.5]]);
    const hard = await flat(grad((x: Tensor) => crossEntropyLoss(x, tensor([2], { dtype: 'int32' })))(logits));
    const soft = await flat(grad((x: Tensor) => crossEntropyLoss(x, tensor([[0, 0, 1]])))(logits));
    const probability = await flat(softmax(logits));
    probability.forEach((q, i) => {
      expect(hard[i]).toBeCloseTo(q - (i === 2 ? 1 : 0), 6);
      expect(soft[i]).toBeCloseTo(hard[i]!, 6);
    });
  });

  it('survives huge logits', async () => {
    const logits = tensor([[1000, -1000]]);
    await near(crossEntropyLoss(logits, tensor([0], { dtype: 'int32' })), 0);
    await near(crossEntropyLoss(logits, tensor([1], { dtype: 'int32' })), 2000);
    expect(await flat(binaryCrossEntropyWithLogits(tensor([1000, -1000]), tensor([1, 1]), { reduction: 'none' }))).toEqual([0, 1000]);
  });

  it('keeps the digits that logits of any size leave to the loss', async () => {
    await near(crossEntropyLoss(tensor([[1e8, 1e8]]), tensor([1], { dtype: 'int32' })), Math.LN2);
    const sure = await flat(binaryCrossEntropyWithLogits(tensor([20, 12, -15]), tensor([1, 1, 0]), { reduction: 'none' }));
    [20, 12, 15].forEach((x, i) => expect(sure[i]! / Math.log1p(Math.exp(-x))).toBeCloseTo(1, 6));
  });

  it('binary cross entropy has the gradient sigmoid(x) - t, at 0 too', async () => {
    const g = await flat(grad((x: Tensor) => binaryCrossEntropyWithLogits(x, tensor([1, 0, 0.25]), { reduction: 'sum' }))(zeros([3])));
    expect(g).toEqual([-0.5, 0.5, 0.25]);
  });
});

describe('distributions', () => {
  it('KL of equal Gaussians is 0, of shifted ones d^2 / 2', async () => {
    const q = { mean: tensor([2, 2]), logVariance: zeros([2]) };
    await near(gaussianKl(q, q), 0);
    await near(gaussianKl(q, { mean: tensor([5, 2]), logVariance: zeros([2]) }, { reduction: 'sum' }), 4.5);
    await near(gaussianKl(q, undefined, { reduction: 'sum' }), 4);
  });

  it('KL of N(0, v) to the standard normal is (v - log v - 1) / 2, either way of writing it', async () => {
    const q = { mean: zeros([1]), logVariance: log(tensor([3])) };
    const expected = (3 - Math.log(3) - 1) / 2;
    await near(gaussianKl(q), expected);
    await near(gaussianKl(q, { mean: zeros([1]), logVariance: zeros([1]) }), expected);
  });

  it('negative log likelihood of N(0, 1) at 2 with its constant', async () => {
    await near(
      gaussianNllLoss({ mean: zeros([1]), variance: tensor([1]) }, tensor([2]), { constant: 'with' }),
      2 + Math.log(2 * Math.PI) / 2,
    );
  });

  it('negative log likelihood has a gradient in a variance below epsilon', async () => {
    const [g] = await flat(
      grad((variance: Tensor) => gaussianNllLoss({ mean: zeros([1]), variance }, tensor([1]), { epsilon: 0.5 }))(tensor([0.1])),
    );
    // (1 / v - d^2 / v^2) / 2 at v = 0.5
    expect(g).toBeCloseTo((2 - 4) / 2, 6);
  });

  it('KL of probabilities counts empty classes as 0', async () => {
    const q = tensor([0.5, 0.25, 0.25]);
    const target = tensor([0.5, 0.5, 0]);
    await near(klDivergence(log(q), target, { reduction: 'sum' }), 0.5 * Math.log(2));
    const g = await flat(grad((x: Tensor) => klDivergence(x, target, { reduction: 'sum' }))(log(q)));
    g.forEach((x, i) => expect(x).toBeCloseTo([-0.5, -0.5, 0][i]!, 7));
  });
});

describe('errors', () => {
  it.each([
    [() => mseLoss(zeros([4]), zeros([4, 1])), '[nn/mseLoss] shapes differ: prediction=[4], target=[4, 1]. Losses do not broadcast'],
    [() => huberLoss(p, t, { delta: 0 }), '[nn/huberLoss] threshold is not positive: value=0.'],
    [() => pseudoHuberLoss(p, t, { c: -1 }), 'c=-1'],
    [() => crossEntropyLoss(zeros([2, 3]), zeros([2])), 'target does not fit: logits=[2, 3], target=float32[2]'],
    [() => crossEntropyLoss(zeros([2, 3]), zeros([2], 'int32'), { labelSmoothing: 1 }), 'labelSmoothing=1'],
    [() => gaussianNllLoss({ mean: p, variance: p }, t, { epsilon: 0 }), 'epsilon=0'],
  ])('case %#', (make, message) => {
    expect(make).toThrow(message);
  });
});
