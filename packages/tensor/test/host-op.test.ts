import { beforeEach, describe, expect, test, vi } from 'vitest';
import {
  add,
  cacheCounters,
  checkpoint,
  compile,
  concat,
  data,
  deferred,
  dispose,
  errorKind,
  exp,
  grad,
  gradients,
  hostOp,
  item,
  jvp,
  mean,
  mul,
  numbers,
  realize,
  reshape,
  sin,
  square,
  stopGradient,
  sub,
  sum,
  tensor,
  traceGraph,
  transpose,
  vjp,
  type HostArray,
  type Tensor,
} from '@langevin/tensor';
import { referenceEngine } from '@langevin/tensor/testing';

let engine = referenceEngine();
beforeEach(() => (engine = referenceEngine()));
const read = (x: Tensor): Promise<number[]> => numbers(x, { engine });

const floats = (array: HostArray | undefined): Float32Array => array as Float32Array;

/** x^3 by host code, with a derivative made of ops. */
function cube(x: Tensor, onRun: () => void = () => undefined): Tensor {
  return hostOp({
    name: 'cube',
    inputs: [x],
    outputs: [x],
    run: async ([values]) => {
      onRun();
      return [floats(values).map((v) => v ** 3)];
    },
    gradient: ({ inputs: [t], cotangents: [g] }) => [mul(g!, mul(3, square(t!)))],
  })[0]!;
}

/** (a b, a + b), whose backward pass is host code as well, without a derivative of its own. */
function productAndSum(a: Tensor, b: Tensor): readonly Tensor[] {
  return hostOp({
    name: 'product and sum',
    inputs: [a, b],
    outputs: [a, a],
    run: ([x, y]) => [floats(x).map((v, i) => v * floats(y)[i]!), floats(x).map((v, i) => v + floats(y)[i]!)],
    gradient({ inputs: [x, y], cotangents }) {
      const given = cotangents.filter((g) => g !== undefined);
      return hostOp({
        name: 'product and sum, backwards',
        inputs: [x!, y!, ...given],
        outputs: [x!, y!],
        run: ([p, q, ...rest]) => {
          const product = cotangents[0] ? floats(rest[0]) : undefined;
          const total = cotangents[1] ? floats(rest[rest.length - 1]) : undefined;
          const at = (other: HostArray | undefined) => floats(other).map((v, i) => v * (product?.[i] ?? 0) + (total?.[i] ?? 0));
          return [at(q), at(p)];
        },
      });
    },
  });
}

/** Central differences of fourth order, of a function whose values are rounded to float32. */
async function differences(fn: (x: Tensor) => Tensor, at: readonly number[], step = 1 / 64): Promise<number[]> {
  const value = async (i: number, by: number): Promise<number> => item(fn(tensor(at.map((v, j) => (i === j ? v + by : v)))), { engine });
  const slopes: number[] = [];
  for (const i of at.keys())
    slopes.push(
      (8 * ((await value(i, step)) - (await value(i, -step))) - ((await value(i, 2 * step)) - (await value(i, -2 * step)))) / (12 * step),
    );
  return slopes;
}

async function expectSlopes(fn: (x: Tensor) => Tensor, at: readonly number[]): Promise<void> {
  const found = await read(grad(fn)(tensor([...at])));
  const wanted = await differences(fn, at);
  // Rounding to float32 of values of about 10 over a step of 1/64, and the step to the fourth power.
  found.forEach((g, i) => expect(Math.abs(g - wanted[i]!)).toBeLessThan(1e-4 * Math.max(1, Math.abs(wanted[i]!))));
}

describe('values', () => {
  test('of host code alone, before and after ops, and in a row', async () => {
    const x = tensor([1, 2, -3]);
    expect(await read(cube(x))).toEqual([1, 8, -27]);
    expect(await read(add(cube(mul(x, 2)), 1))).toEqual([9, 65, -215]);
    expect(await read(cube(cube(tensor([2]))))).toEqual([512]);
    expect(await read(add(cube(sub(cube(tensor([2])), 6)), cube(tensor([1]))))).toEqual([9]);
  });

  test('several outputs, of which some are read, with axes', async () => {
    const [product, total] = productAndSum(
      tensor([
        [1, 2],
        [3, 4],
      ]),
      tensor([
        [5, 6],
        [7, 8],
      ]),
    );
    expect(total!.shape).toEqual([2, 2]);
    expect(await read(transpose(total!))).toEqual([6, 10, 8, 12]);
    expect(await read(product!)).toEqual([5, 12, 21, 32]);
  });

  test('the code runs once for all readers and all later realisations', async () => {
    const ran = vi.fn();
    const y = cube(add(tensor([1, 2]), 0), ran);
    const [a, b] = [mul(y, 2), sum(y)];
    await realize([a, b, y], { engine });
    expect([await read(a), await read(b), await read(y), await read(add(y, 1))]).toEqual([[2, 16], [9], [1, 8], [2, 9]]);
    expect(ran).toHaveBeenCalledTimes(1);
    const z = cube(tensor([3]), ran);
    await Promise.all([read(add(z, 1)), read(add(z, 2))]);
    expect(await read(add(z, 3))).toEqual([30]);
    expect(ran).toHaveBeenCalledTimes(2);
  });

  test('realising what comes after leaves the history of what comes before', async () => {
    const x = tensor([2]);
    const inner = mul(x, x);
    const y = cube(inner);
    await realize([sum(y)], { engine });
    const [dx] = gradients([sum(mul(y, inner))], [x]);
    // x^8
    expect(await read(dx!)).toEqual([8 * 2 ** 7]);
  });

  test('nothing but views is computed twice, and other numbers compile nothing anew', async () => {
    const program = (k: number): Tensor => {
      const inner = exp(mul(tensor([0, 0]), k));
      return sum(mul(cube(inner), transpose(reshape(inner, [2]))));
    };
    const compiled = vi.spyOn(engine, 'compile');
    expect(await read(program(1))).toEqual([2]);
    expect(compiled.mock.calls.map(([graph]) => graph.nodes.map(({ op }) => op))).toEqual([
      ['mul', 'exp'],
      ['mul', 'sum'],
    ]);
    await read(program(3));
    expect(cacheCounters(engine)).toMatchObject({ compilations: 2, hits: 2 });
  });

  test('a deferred tensor is asked once, however many graphs read it', async () => {
    let calls = 0;
    const noise = deferred({ shape: [1], dtype: 'float32' }, () => new Float32Array([++calls]));
    expect(await read(sub(cube(add(noise, 0)), noise))).toEqual([0]);
    expect(calls).toBe(1);
  });

  test('host code owns the arrays it gets', async () => {
    const x = tensor([1, 2]);
    const [y] = hostOp({ name: 'rude', inputs: [x], outputs: [x], run: ([values]) => [floats(values).fill(7)] });
    expect(await read(add(y!, x))).toEqual([8, 9]);
    expect(await read(x)).toEqual([1, 2]);
  });

  test('integers, bytes and no elements', async () => {
    const [y, none] = hostOp({
      name: 'types',
      inputs: [tensor([1, 2], { dtype: 'int32' })],
      outputs: [{ shape: [2], dtype: 'uint8' }, { shape: [0, 3] }],
      run: ([values]) => [Uint8Array.from(values as Int32Array), new Float32Array(0)],
    });
    expect(await read(y!)).toEqual([1, 2]);
    expect(await read(concat([none!, tensor([[1, 2, 3]])]))).toEqual([1, 2, 3]);
  });

  test('disposing of a result, and of what it was made from', async () => {
    const x = tensor([2]);
    const y = cube(x);
    await realize([y], { engine });
    dispose(x);
    expect(await read(y)).toEqual([8]);
    dispose(y);
    await expect(read(add(y, 1))).rejects.toThrow('it was disposed');
    await expect(read(cube(x))).rejects.toThrow('it was disposed');
  });

  test('inside of a checkpoint', async () => {
    const ran = vi.fn();
    const x = tensor([1, 2]);
    const fn = checkpoint((t: Tensor) => square(cube(sin(t), ran)));
    const [dx] = gradients([sum(fn(x))], [x]);
    const [wanted] = gradients([sum(square(cube(sin(x))))], [x]);
    expect(await read(dx!)).toEqual(await read(wanted!));
    expect(ran).toHaveBeenCalledTimes(1);
  });
});

describe('derivatives', () => {
  test('closed forms', async () => {
    expect(await read(grad((t: Tensor) => sum(cube(t)))(tensor([1, 2, -3])))).toEqual([3, 12, 27]);
    expect(await read(grad((t: Tensor) => sum(cube(cube(t))))(tensor([1, 2])))).toEqual([9, 9 * 2 ** 8]);
  });

  test('by difference quotients: ops, host code, ops, host code', async () => {
    await expectSlopes((x) => mean(square(cube(sin(add(cube(mul(x, 0.75)), x))))), [0.3, -0.7, 1.1]);
  });

  test('by difference quotients: host code backwards, all outputs, one output, one tensor twice', async () => {
    const both = (x: Tensor): Tensor => {
      const [product, total] = productAndSum(sin(x), exp(x));
      return sum(mul(product!, square(total!)));
    };
    await expectSlopes(both, [0.3, -0.7, 1.1]);
    await expectSlopes((x) => sum(square(productAndSum(sin(x), mul(x, x))[0]!)), [0.3, -0.7, 1.1]);
    await expectSlopes((x) => sum(square(productAndSum(sin(x), mul(x, x))[1]!)), [0.3, -0.7, 1.1]);
    await expectSlopes((x) => sum(exp(productAndSum(x, x)[0]!)), [0.3, -0.7, 1.1]);
  });

  test('the value and its gradient, realised together, run the code once', async () => {
    const ran = vi.fn();
    const x = tensor([0.5]);
    const y = cube(exp(x), ran);
    const loss = sum(square(y));
    const [dx] = gradients([loss], [x]);
    await realize([loss, dx!], { engine });
    expect(ran).toHaveBeenCalledTimes(1);
    expect(await item(dx!, { engine })).toBeCloseTo(6 * Math.exp(3), 3);
  });

  test('that nobody asks for need no rule; a rule may say zero; integers have none', async () => {
    const x = tensor([2]);
    const [plain] = hostOp({ name: 'plain', inputs: [stopGradient(x)], outputs: [x], run: ([v]) => [floats(v)] });
    expect(await read(grad((t: Tensor) => sum(mul(t, plain!)))(x))).toEqual([2]);
    const [zero] = hostOp({
      name: 'zero',
      inputs: [x, tensor([1], { dtype: 'int32' })],
      outputs: [x],
      run: ([v]) => [floats(v)],
      gradient: () => [undefined, undefined],
    });
    expect(await read(gradients([sum(zero!)], [x])[0]!)).toEqual([0]);
  });

  test('gradients of gradients and jvp where the rule is made of ops', async () => {
    const second = grad((t: Tensor) => sum(grad((u: Tensor) => sum(cube(u)))(t)));
    expect(await read(second(tensor([1, 2])))).toEqual([6, 12]);
    const { tangent } = jvp((t: Tensor) => cube(t), [tensor([1, 2])], [tensor([10, 10])]);
    expect(await read(tangent)).toEqual([30, 120]);
    const { value, pullback } = vjp((t: Tensor) => cube(t), tensor([2]));
    const [pulled] = pullback(tensor([2]));
    expect([await read(value), await read(pulled)]).toEqual([[8], [24]]);
  });

  test('are refused where they do not exist', () => {
    const x = tensor([1]);
    const [y] = hostOp({ name: 'stone', inputs: [x], outputs: [x], run: ([v]) => [floats(v)] });
    const message = '[tensor/hostOp] host code has no gradient rule: name=stone. Give it a gradient, or wrap its inputs in stopGradient().';
    expect(() => gradients([sum(y!)], [x])).toThrow(message);
    const both = (t: Tensor): Tensor => productAndSum(t, t)[0]!;
    expect(() => jvp(both, [x], [x])).toThrow(
      'name=product and sum, backwards. Give it a gradient, or wrap its inputs in stopGradient(). jvp() and gradients of gradients '
        + 'need rules',
    );
    expect(() => grad((t: Tensor) => sum(grad((u: Tensor) => sum(both(u)))(t)))(x)).toThrow('name=product and sum, backwards.');
    try {
      gradients([sum(y!)], [x]);
    } catch (error) {
      expect(errorKind(error)).toBe('unsupported');
    }
  });
});

describe('errors name the op', () => {
  const x = tensor([1, 2]);
  const broken = (run: () => readonly HostArray[] | Promise<readonly HostArray[]>): Tensor =>
    hostOp({ name: 'broken', inputs: [x], outputs: [x], run })[0]!;

  test('of the host code, which is tried again', async () => {
    const cause = new Error('no light');
    let first = true;
    const y = broken(async () => {
      if (!first) return [new Float32Array(2)];
      first = false;
      throw cause;
    });
    const error: unknown = await read(add(y, 1)).catch((thrown: unknown) => thrown);
    expect((error as Error).message).toBe('[tensor/hostOp] host code failed: name=broken. no light');
    expect((error as Error).cause).toBe(cause);
    expect(errorKind(error)).toBe('user');
    expect(await read(add(y, 1))).toEqual([1, 1]);
  });

  test('of results that do not fit', async () => {
    await expect(read(broken(() => []))).rejects.toThrow('[tensor/hostOp] host code gave 0 results: name=broken, outputs=1.');
    await expect(read(broken(() => [new Int32Array(2)]))).rejects.toThrow('output 0 is Int32Array of 2, expected float32[2]');
    await expect(read(broken(() => [new Float32Array(3)]))).rejects.toThrow('output 0 is Float32Array of 3, expected float32[2]');
    expect(() => hostOp({ name: 'broken', inputs: [], outputs: [], run: () => [] })).toThrow('host code has no outputs: name=broken');
    expect(() => hostOp({ name: 'broken', inputs: [], outputs: [{ shape: [-1] }], run: () => [] })).toThrow('hostOp broken');
  });

  test('of gradient rules that do not fit', () => {
    const wrong = (gradient: () => readonly (Tensor | undefined)[]): Tensor =>
      sum(hostOp({ name: 'wrong', inputs: [x], outputs: [x], run: ([v]) => [v!], gradient })[0]!);
    expect(() => gradients([wrong(() => [])], [x])).toThrow('gradient rule gave 0 cotangents: name=wrong, inputs=1');
    expect(() => gradients([wrong(() => [tensor([1])])], [x])).toThrow('name=wrong, input 0 is float32[2], its cotangent float32[1]');
  });

  test('compile and traceGraph refuse, and say what to do', async () => {
    const step = compile((t: Tensor) => add(cube(t), 1), { engine });
    await expect(step(x)).rejects.toThrow(
      '[tensor/compile] host code cannot be part of a compiled graph: name=cube. Compile what comes before and after it',
    );
    expect(() => traceGraph((t) => cube(t!), [x])).toThrow('name=cube');
    const after = compile((t: Tensor) => add(t, 1), { engine });
    expect(await read(await after(cube(x)))).toEqual([2, 9]);
  });

  test('an abort reaches the host code, comes out as it is, and leaves the op as it was', async () => {
    const controller = new AbortController();
    const [y] = hostOp({
      name: 'slow',
      inputs: [x],
      outputs: [x],
      run: ([v], { signal }) =>
        new Promise((resolve, reject) => {
          if (!signal) return resolve([v!]);
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    });
    const waiting = data(add(y!, 1), { engine, signal: controller.signal });
    await new Promise((resolve) => setTimeout(resolve, 1));
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow(/^enough$/);
    await expect(data(add(y!, 1), { engine, signal: controller.signal })).rejects.toThrow(/^enough$/);
    expect(await read(add(y!, 1))).toEqual([2, 3]);
  });
});
