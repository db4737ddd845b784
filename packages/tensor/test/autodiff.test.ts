import { describe, expect, test } from 'vitest';
import {
  add,
  cast,
  checkpoint,
  concat,
  exp,
  gather,
  grad,
  gradients,
  jvp,
  log,
  matmul,
  maximum,
  mean,
  mul,
  normalize,
  numbers,
  ones,
  pow,
  range,
  realize,
  relu,
  round,
  scalar,
  silu,
  sin,
  slice,
  square,
  stopGradient,
  straightThrough,
  sub,
  sum,
  tanh,
  tensor,
  topK,
  valueAndGrad,
  vjp,
  zerosLike,
  type Tensor,
} from '@langevin/tensor';
import { referenceEngine } from '@langevin/tensor/testing';

// Products and sums of small integers and halves are exact in float32, so most of these can be compared exactly.
const engine = referenceEngine();
const read = (x: Tensor): Promise<number[]> => numbers(x, { engine });

describe('reverse mode', () => {
  test('closed forms', async () => {
    const x = tensor([1, 2, 3]);
    expect(await read(grad((t: Tensor) => sum(mul(t, mul(t, t))))(x))).toEqual([3, 12, 27]);
    expect(await read(grad((t: Tensor) => sum(log(t)))(tensor([1, 2, 4])))).toEqual([1, 0.5, 0.25]);
  });

  test('matrices: d tr(A^T X B) / dX = A B^T', async () => {
    const a = tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const b = tensor([
      [1, 0],
      [2, -1],
      [0, 3],
    ]);
    const dx = grad((x: Tensor) => sum(mul(a, matmul(x, b))))(ones([3, 3]));
    expect(await read(dx)).toEqual(await read(matmul(a, b, { transposeB: true })));
  });

  test('trees, results beside the loss, further arguments', async () => {
    const step = valueAndGrad((p: { w: Tensor; deep: { b: Tensor } }, x: Tensor) => {
      const y = add(mul(p.w, x), p.deep.b);
      return { loss: sum(square(y)), y };
    });
    const { value, grad: found } = step({ w: tensor([2]), deep: { b: tensor([1]) } }, tensor([3]));
    expect([await read(value.loss), await read(value.y), await read(found.w), await read(found.deep.b)]).toEqual([[49], [7], [42], [14]]);
  });

  test('a tensor that occurs twice is differentiated at each place', async () => {
    const x = tensor([3]);
    const found = grad(([a, b]: readonly [Tensor, Tensor]) => sum(mul(a, square(b))))([x, x]);
    expect([await read(found[0]), await read(found[1])]).toEqual([[9], [18]]);
  });

  test('integer leaves get zeros, unused leaves too', async () => {
    const found = grad((p: { x: Tensor; ids: Tensor; other: Tensor }) => sum(gather(p.x, p.ids)))({
      x: tensor([1, 2, 3]),
      ids: tensor([0, 0, 2], { dtype: 'int32' }),
      other: ones([2]),
    });
    expect([await read(found.x), await read(found.ids), await read(found.other)]).toEqual([
      [2, 0, 1],
      [0, 0, 0],
      [0, 0],
    ]);
    expect(found.ids.dtype).toBe('int32');
  });

  test('gradients by an intermediate value', async () => {
    const x = tensor([2]);
    const y = mul(x, x);
    const z = mul(y, y);
    const [dy, dx] = gradients([sum(z)], [y, x]);
    expect([await read(dy!), await read(dx!)]).toEqual([[8], [32]]);
  });

  test('gradients of a value by itself, and of values it does not reach', async () => {
    const x = tensor([2]);
    const [self, none] = gradients([sum(x)], [x, tensor([1, 1])]);
    expect([await read(self!), await read(none!)]).toEqual([[1], [0, 0]]);
  });

  test('vjp of several results', async () => {
    const { value, pullback } = vjp(
      (x: Tensor, y: Tensor) => ({ product: mul(x, y), parts: [add(x, y), sub(x, y)] }),
      tensor([2, 3]),
      tensor([5, 7]),
    );
    const [dx, dy] = pullback({ product: tensor([1, 10]), parts: [tensor([100, 0]), tensor([0, 1000])] });
    expect(await read(value.product)).toEqual([10, 21]);
    expect([await read(dx), await read(dy)]).toEqual([
      [105, 1070],
      [102, -970],
    ]);
  });

  test('vjp by one result of an op with three', async () => {
    // d mean = 1/n; the inverse deviation of [-1, 1] is 1/sqrt(1 + epsilon).
    const x = tensor([[-1, 1]]);
    expect(await read(grad((t: Tensor) => sum(normalize(t, { epsilon: 3 }).mean))(x))).toEqual([0.5, 0.5]);
    expect(await read(grad((t: Tensor) => sum(normalize(t, { epsilon: 3 }).inverseDeviation))(x))).toEqual([1 / 16, -1 / 16]);
  });

  test('third derivatives', async () => {
    const cube = (t: Tensor): Tensor => sum(pow(t, 4));
    const third = grad((t: Tensor) => sum(grad((u: Tensor) => sum(grad(cube)(u)))(t)));
    expect(await read(third(tensor([2])))).toEqual([48]);
  });

  test('kinks: relu and maximum at ties', async () => {
    expect(await read(grad((t: Tensor) => sum(relu(t)))(tensor([-1, 0, 1])))).toEqual([0, 0, 1]);
    const found = grad(([a, b]: readonly [Tensor, Tensor]) => sum(maximum(a, b)))([tensor([1, 2]), tensor([1, 3])]);
    expect([await read(found[0]), await read(found[1])]).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  test('integer results stop the gradient', async () => {
    const found = grad((t: Tensor) => sum(mul(cast(topK(t, 1).indices, 'float32'), t)))(tensor([1, 3, 2]));
    expect(await read(found)).toEqual([1, 1, 1]);
  });
});

describe('stopping and replacing gradients', () => {
  test('stopGradient', async () => {
    expect(await read(grad((t: Tensor) => sum(mul(stopGradient(t), t)))(tensor([3])))).toEqual([3]);
    expect(await read(stopGradient(tensor([3])))).toEqual([3]);
  });

  test('straightThrough takes the value of one and the gradient of the other', async () => {
    const quantised = (t: Tensor): Tensor => straightThrough(round(t), t);
    expect(await read(quantised(tensor([0.75, 2.25])))).toEqual([1, 2]);
    expect(await read(grad((t: Tensor) => sum(square(quantised(t))))(tensor([0.75, 2.25])))).toEqual([2, 4]);
  });
});

describe('forward mode', () => {
  const f = (x: Tensor, y: Tensor): Tensor => mul(sin(mul(x, y)), exp(y));
  const x = tensor([0.5, -1, 2]);
  const y = tensor([1, 0.25, -0.5]);
  const dx = tensor([1, -2, 0.5]);
  const dy = tensor([-0.5, 1, 3]);

  test('agrees with the closed form', async () => {
    const { tangent } = jvp(f, [x, y], [dx, dy]);
    const [xs, ys, us, vs] = await Promise.all([x, y, dx, dy].map(read));
    const wanted = xs!.map((a, i) => {
      const b = ys![i]!;
      return Math.exp(b) * (Math.cos(a * b) * (b * us![i]! + a * vs![i]!) + Math.sin(a * b) * vs![i]!);
    });
    (await read(tangent)).forEach((t, i) => expect(Math.abs(t - wanted[i]!)).toBeLessThan(4 * 2 ** -24 * Math.abs(wanted[i]!) + 2 ** -26));
  });

  test('agrees with reverse mode: <J u, w> = <u, J^T w>', async () => {
    const w = tensor([1, 0.5, -2]);
    const { tangent } = jvp(f, [x, y], [dx, dy]);
    const [gx, gy] = vjp(f, x, y).pullback(w);
    const left = (await read(sum(mul(tangent, w))))[0]!;
    const right = (await read(add(sum(mul(gx, dx)), sum(mul(gy, dy)))))[0]!;
    expect(Math.abs(left - right)).toBeLessThan(8 * 2 ** -24 * Math.abs(left));
  });

  test('trees and integer leaves', async () => {
    const ids = tensor([1, 0], { dtype: 'int32' });
    const { value, tangent } = jvp(
      (p: { t: Tensor; ids: Tensor }) => ({ y: square(gather(p.t, p.ids)), ids: p.ids }),
      [{ t: tensor([2, 3]), ids }],
      [{ t: tensor([1, 10]), ids: zerosLike(ids) }],
    );
    expect([await read(value.y), await read(tangent.y), await read(tangent.ids)]).toEqual([
      [9, 4],
      [60, 4],
      [0, 0],
    ]);
  });

  test('Hessian-vector products, forward over reverse, of x^T A x + sum x^3', async () => {
    const a = tensor([
      [2, 1],
      [1, 3],
    ]);
    const loss = (t: Tensor): Tensor => add(sum(mul(t, sum(mul(a, t), { axes: 1 }))), sum(mul(t, square(t))));
    const { tangent } = jvp(grad(loss), [tensor([1, 2])], [tensor([1, -1])]);
    // (2 A + 6 diag x) v
    expect(await read(tangent)).toEqual([4 + 6 - 2, 2 - 6 - 12]);
  });

  test('forward over forward', async () => {
    const first = (t: Tensor): Tensor => jvp((u: Tensor) => mul(u, square(u)), [t], [ones([1])]).tangent;
    expect(await read(jvp(first, [tensor([2])], [ones([1])]).tangent)).toEqual([12]);
  });
});

describe('checkpoint', () => {
  const w = tensor([
    [0.5, -1],
    [0.25, 2],
  ]);
  const body = (x: Tensor): Tensor => silu(matmul(tanh(matmul(x, w)), w));
  const x = tensor([
    [1, 2],
    [-0.5, 0.25],
  ]);

  test('an empty result has a gradient of zero', async () => {
    const block = checkpoint((t: Tensor) => slice(square(t), { 0: { stop: 0 } }));
    expect(await numbers(grad((t: Tensor) => sum(block(t)))(tensor([1, 2])), { engine })).toEqual([0, 0]);
    const beside = checkpoint((t: Tensor) => ({ none: slice(t, { 0: { stop: 0 } }), some: square(t) }));
    const both = (t: Tensor): Tensor => {
      const { none, some } = beside(t);
      return add(sum(none), sum(some));
    };
    expect(await numbers(grad(both)(tensor([1, 2])), { engine })).toEqual([2, 4]);
  });

  test('value and gradient have the same bits, closures included', async () => {
    const loss = (f: (t: Tensor) => Tensor) => (p: { x: Tensor; w: Tensor }) => mean(square(f(p.x)));
    const closing = (p: { x: Tensor; w: Tensor }, wrap: typeof checkpoint | undefined): Tensor => {
      const block = (t: Tensor): Tensor => silu(matmul(tanh(matmul(t, p.w)), p.w));
      return loss(wrap ? wrap(block) : block)(p);
    };
    const plain = grad((p: { x: Tensor; w: Tensor }) => closing(p, undefined))({ x, w });
    const saved = grad((p: { x: Tensor; w: Tensor }) => closing(p, checkpoint))({ x, w });
    expect(await read(saved.x)).toEqual(await read(plain.x));
    expect(await read(saved.w)).toEqual(await read(plain.w));
    expect((await read(saved.w)).some((v) => v !== 0)).toBe(true);
  });

  test('nested', async () => {
    const nested = checkpoint((t: Tensor) => body(checkpoint(body)(t)));
    const gradientOf = (f: (t: Tensor) => Tensor): Promise<number[]> => read(grad((t: Tensor) => sum(f(t)))(x));
    expect(await gradientOf(nested)).toEqual(await gradientOf((t) => body(body(t))));
  });

  test('several results in a tree, of which one is used', async () => {
    const block = checkpoint((t: Tensor) => ({ a: mul(t, 2), rest: [square(t), t] as const }));
    expect(await read(grad((t: Tensor) => sum(block(t).rest[0]))(tensor([3])))).toEqual([6]);
    expect(
      await read(
        grad((t: Tensor) => {
          const { a, rest } = block(t);
          return sum(add(mul(a, rest[0]), rest[1]));
        })(tensor([3])),
      ),
    ).toEqual([55]);
  });

  test('integer arguments', async () => {
    const look = checkpoint((table: Tensor, ids: Tensor) => square(gather(table, ids)));
    expect(await read(grad((t: Tensor) => sum(look(t, tensor([1, 1], { dtype: 'int32' }))))(tensor([2, 3])))).toEqual([0, 12]);
  });

  test('second derivatives', async () => {
    const second = (f: (t: Tensor) => Tensor): Promise<number[]> =>
      read(grad((t: Tensor) => sum(square(grad((u: Tensor) => sum(f(u)))(t))))(x));
    const [saved, plain] = [await second(checkpoint(body)), await second(body)];
    saved.forEach((v, i) => expect(Math.abs(v - plain[i]!)).toBeLessThanOrEqual(2 ** -22 * Math.max(1, Math.abs(plain[i]!))));
  });

  test('realised results are still those of the body', async () => {
    const y = checkpoint(body)(x);
    await realize([y], { engine });
    expect(await read(y)).toEqual(await read(body(x)));
  });
});

test('gradients of concatenated and sliced parameters stay exact', async () => {
  const found = grad(([a, b]: readonly [Tensor, Tensor]) => sum(mul(concat([a, b]), cast(range(4), 'float32'))))([ones([1]), ones([3])]);
  expect([await read(found[0]), await read(found[1])]).toEqual([[0], [1, 2, 3]]);
});

test('a scalar given as a number is not differentiated', async () => {
  expect(await read(grad((t: Tensor) => mul(t, 3))(scalar(2)))).toEqual([3]);
});
