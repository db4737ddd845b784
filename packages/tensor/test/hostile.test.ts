import {
  cast,
  compile,
  data,
  flattenTree,
  full,
  mul,
  oneHot,
  range,
  realize,
  scalar,
  setDefaultEngine,
  split,
  sum,
  tensor,
  UserError,
  type Tensor,
} from '@langevin/tensor';
import { describe, expect, test } from 'vitest';

const foreign = (value: unknown): never => value as never;

function refusalOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    expect(error, String(error)).toBeInstanceOf(UserError);
    expect((error as Error).message.length).toBeLessThan(400);
    return (error as Error).message;
  }
  return 'accepted';
}

describe('what is no tensor is not made into one', () => {
  test.each([
    ['flags', [true, false], "dtype: 'bool'"],
    ['a flag', true, "dtype: 'bool'"],
    ['texts', ['1'], 'no number: "1"'],
    ['a text', 'abc', 'no number: "abc"'],
    ['null', null, 'null'],
    ['nothing', undefined, 'undefined'],
    ['nulls', [[1], [null]], 'null'],
    ['a hole', JSON.parse('[1, 2]').concat(new Array(1)) as unknown, 'undefined'],
    ['an object', {}, 'an object'],
    ['bigints', [1n], 'BigInt64Array'],
    ['numbers and bigints', [1, 2n], 'BigInt64Array'],
    ['a buffer', new ArrayBuffer(8), 'typed array'],
    ['a set', new Set([1]), 'an object'],
    ['a function', () => 1, 'a function'],
    ['a symbol', Symbol('x'), 'Symbol(x)'],
    ['a promise', Promise.resolve([1]), 'Await it'],
    ['tensors', [tensor([1])], 'stack()'],
    ['a tensor', tensor([1]), 'is one already'],
    ['something that has a length', { length: 1e12 }, 'an object'],
  ])('%s', (_, value, says) => {
    expect(refusalOf(() => tensor(foreign(value)))).toContain(says);
  });

  test.each([null, 'float32', 3])('options that are %s', (options) => {
    expect(refusalOf(() => tensor([1], foreign(options)))).toContain('options are an object');
  });

  test.each(['f32', '__proto__', 'constructor', null, 7, 'float64'])('a dtype that is %s', (dtype) => {
    const makers = [
      () => tensor([1], { dtype: foreign(dtype) }),
      () => scalar(1, foreign(dtype)),
      () => full([1], 1, foreign(dtype)),
      () => range(2, { dtype: foreign(dtype) }),
      () => cast(tensor([1]), foreign(dtype)),
    ];
    for (const make of makers) expect(refusalOf(make)).toContain('unknown dtype');
  });

  test('shapes and axes that are no lists, and classes that no memory holds', () => {
    for (const shape of ['2', 2, {}, null]) expect(refusalOf(() => full(foreign(shape), 1))).toContain('shape is no list');
    expect(refusalOf(() => sum(tensor([1]), { axes: foreign('x') }))).toContain('axes are no list');
    expect(refusalOf(() => oneHot(tensor([0, 1, 2], { dtype: 'int32' }), 1e9))).toContain('shape is too large');
    for (const parts of [1e9, 2 ** 40, 0, -1, Number.NaN])
      expect(refusalOf(() => split(tensor([1, 2]), parts))).toContain('parts do not fill');
    expect(refusalOf(() => oneHot(foreign(null), 2))).toContain('not a tensor');
  });
});

describe('what is no engine', () => {
  test.each([
    ['a promise of one', Promise.resolve({}), 'await it'],
    ['the function that makes one', () => Promise.resolve({}), 'call and await it'],
    ['a name', 'onnxruntime', 'resolves to'],
    ['null', null, 'resolves to'],
    ['an object', {}, 'resolves to'],
  ])('%s is refused where it is given', async (_, engine, says) => {
    const options = { engine: foreign(engine) };
    expect(refusalOf(() => compile((x: number) => x, options))).toContain(says);
    expect(refusalOf(() => setDefaultEngine(foreign(engine)))).toContain(says);
    const pending = sum(tensor([1, 2]));
    await expect(realize([pending], options)).rejects.toThrow(says);
    await expect(data(pending, options)).rejects.toBeInstanceOf(UserError);
  });

  test('and options of compile that it does not have are refused', () => {
    const f = (x: number): number => x;
    expect(refusalOf(() => compile(f, foreign({ donat: [0] })))).toContain('unknown option: donat. Did you mean "donate"?');
    expect(refusalOf(() => compile(f, foreign(null)))).toContain('options are an object');
    for (const donate of [0, 'x', [-1], [0.5], ['0']])
      expect(refusalOf(() => compile(f, { donate: foreign(donate) }))).toContain('donate is no list of positions');
  });

  test.each(['freeze', 'donate'] as const)('and arguments to %s that the call does not have', async (key) => {
    const f = compile((x: Tensor) => mul(x, 2), { [key]: [0, 7] });
    await expect(f(tensor([1]))).rejects.toThrow(`${key} names an argument that the call does not have: ${key}=7, arguments=1`);
    await expect(f.warm(tensor([1]))).rejects.toBeInstanceOf(UserError);
    expect(f.counters().traces).toBe(0);
  });

  test('and what is no function is not compiled', () => {
    for (const wrong of [null, undefined, 'f', {}]) expect(refusalOf(() => compile(foreign(wrong)))).toContain('no function to compile');
  });
});

test('trees that hold themselves or are deeper than the stack are refused', () => {
  const circle: Record<string, unknown> = {};
  circle['self'] = [circle];
  expect(refusalOf(() => flattenTree(circle))).toContain('holds itself');
  expect(refusalOf(() => flattenTree(Array.from({ length: 50_000 }).reduce<unknown>((inner) => [inner], 1)))).toContain('too deep');
});
