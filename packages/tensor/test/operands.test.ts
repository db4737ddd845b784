import * as langevin from '@langevin/tensor';
import { ones, scalar, tensor, Tensor, tensorsOf, UserError } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';

/** Each op with arguments that it takes: what is a tensor there has to be one, and the rest has to be refused or taken, never to crash. */
const x = ones([1, 2, 4, 4]);
const matrix = ones([3, 3]);
const vector = ones([2]);
const truth = langevin.less(matrix, 2);
const indices = tensor([0, 1], { dtype: 'int32' });
const places = tensor(new Int32Array(9), { shape: [3, 3] });
const heads = ones([1, 2, 3, 4]);

const unary: readonly string[] = [
  'abs', 'atan', 'ceil', 'cos', 'erf', 'exp', 'floor', 'isFinite', 'lengthOf', 'log', 'logSigmoid', 'neg', 'onesLike', 'reciprocal', 'relu',
  'round', 'rsqrt', 'sigmoid', 'sign', 'silu', 'sin', 'softplus', 'sqrt', 'square', 'stopGradient', 'tanh', 'zerosLike',
]; // prettier-ignore
const binary: readonly string[] = [
  'add', 'div', 'equal', 'greater', 'greaterEqual', 'less', 'lessEqual', 'maximum', 'minimum', 'mul', 'notEqual', 'pow', 'sub',
]; // prettier-ignore
const reductions: readonly string[] = ['max', 'mean', 'min', 'std', 'sum', 'variance', 'logSumExp'];
const alongAxis: readonly string[] = ['argMax', 'logSoftmax', 'softmax'];

const OPS: Readonly<Record<string, readonly unknown[]>> = {
  ...Object.fromEntries(unary.map((name) => [name, [matrix]])),
  ...Object.fromEntries(binary.map((name) => [name, [matrix, matrix]])),
  ...Object.fromEntries(reductions.map((name) => [name, [matrix, { axes: [0], dims: 'keep' }]])),
  ...Object.fromEntries(alongAxis.map((name) => [name, [matrix, 1]])),
  attention: [{ q: heads, k: heads, v: heads, mask: scalar(0), scale: 1 }],
  avgPool: [x, { kernel: 2, stride: 2, padding: 0 }],
  barrier: [matrix, scalar(1)],
  broadcastTo: [matrix, [2, 3, 3]],
  cast: [matrix, 'int32'],
  clamp: [matrix, { min: 0, max: 1 }],
  concat: [[matrix, matrix], 0],
  conv: [x, ones([2, 2, 3, 3]), { stride: 1, padding: 1, dilation: 1, groups: 1, bias: vector }],
  convTranspose: [x, ones([2, 2, 3, 3]), { stride: [1, 1], padding: [1, 1], bias: vector, outputPadding: 0 }],
  cumsum: [matrix, { axis: 0, direction: 'reverse' }],
  einsum: ['ab,bc->ac', matrix, matrix],
  expandDims: [matrix, 0],
  eye: [3],
  flatten: [x, 1, 2],
  flip: [matrix, 0],
  full: [[2], 1, 'float32'],
  gather: [matrix, indices, 0],
  gatherDiagonal: [matrix, 0, 1],
  gatherElements: [matrix, places, 0],
  gelu: [matrix, { approximation: 'tanh' }],
  gradients: [[langevin.sum(matrix)], [matrix], { cotangents: [scalar(1)] }],
  groupNorm: [x, { groups: 1, scale: vector, bias: vector, epsilon: 1e-5 }],
  layerNorm: [matrix, { scale: ones([3]), bias: ones([3]), epsilon: 1e-5 }],
  lerp: [matrix, matrix, 0.5],
  linspace: [0, 1, 3],
  logicalAnd: [truth, truth],
  logicalNot: [truth],
  logicalOr: [truth, truth],
  matmul: [matrix, matrix, { transposeA: true, transposeB: false }],
  maxPool: [x, { kernel: [2, 2], stride: [2, 2], padding: [[0, 0], [0, 0]] }], // prettier-ignore
  normalize: [matrix, { axes: 1, epsilon: 1e-5 }],
  oneHot: [indices, 3],
  ones: [[2], 'float32'],
  pad: [vector, [[1, 1]], 0],
  quantile: [matrix, 0.5, 0],
  range: [3, { start: 0, step: 1, dtype: 'int32' }],
  repeat: [matrix, 2, 0],
  reshape: [matrix, [9]],
  resize: [x, { size: [8, 8], mode: 'nearest', align: 'edges' }],
  rmsNorm: [matrix, { scale: ones([3]), epsilon: 1e-6 }],
  roll: [matrix, 1, 0],
  scalar: [1, 'float32'],
  scatterAdd: [ones([2, 3]), indices, { axis: 0, size: 3 }],
  scatterElementsAdd: [matrix, places, { axis: 0, size: 3 }],
  select: [matrix, 0, 1],
  slice: [matrix, { 0: { start: 0, stop: 2, step: 1 } }],
  sort: [matrix, { axis: 0, order: 'largest' }],
  split: [matrix, [1, 2], 0],
  squeeze: [ones([1, 2]), 0],
  stack: [[matrix, matrix], 0],
  straightThrough: [matrix, matrix],
  swapAxes: [matrix, 0, 1],
  tensor: [[1, 2], { shape: [2], dtype: 'float32' }],
  tile: [matrix, [1, 2]],
  topK: [matrix, 2, { axis: 0, order: 'largest' }],
  transpose: [matrix, [1, 0]],
  where: [{ if: truth, then: matrix, else: matrix }],
  zeros: [[2], 'float32'],
};

/** Where a number stands for a tensor. */
const TAKES_NUMBERS = new Set([...binary, 'lerp', 'where', 'isFinite', 'reciprocal', 'relu']);

const wrong = (): Readonly<Record<string, unknown>> => ({
  null: null,
  undefined,
  'a promise': Promise.resolve(matrix),
  'a list': [1, 2],
  'a list of lists': [[1], [null]],
  'a typed array': new Float32Array(4),
  'an object': {},
  'a tensor in shape only': { shape: [Number.NaN], dtype: 'float32', rank: 1, size: Number.NaN },
  'a text': 'x',
  'a flag': true,
  'a bigint': 2n,
  'a function': () => matrix,
  'a symbol': Symbol('x'),
  NaN: Number.NaN,
  'minus one and a half': -1.5,
  'a date': new Date(0),
});

type Path = readonly (string | number)[];

/** Every place in the arguments: the positions, and what is in lists and options there. */
function placesIn(value: unknown, path: Path = []): Path[] {
  if (value instanceof Tensor || typeof value !== 'object' || value === null) return [path];
  const inner = Object.entries(value).flatMap(([key, item]) => placesIn(item, [...path, Array.isArray(value) ? Number(key) : key]));
  return path.length === 0 ? inner : [path, ...inner];
}

function replaced(value: unknown, [key, ...rest]: Path, by: unknown): unknown {
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.map((item, i) => (i === key ? replaced(item, rest, by) : (item as unknown)));
  return { ...(value as object), [key]: replaced((value as Record<string, unknown>)[key], rest, by) };
}

const at = (value: unknown, path: Path): unknown => path.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], value);

const call = (name: string, args: unknown): unknown =>
  (langevin as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!(...(args as unknown[]));

/** What an op says to arguments: the refusal, or undefined where it takes them; anything that is neither fails the test. */
function refusal(name: string, args: unknown): string | undefined {
  let result: unknown;
  try {
    result = call(name, args);
  } catch (error) {
    expect(error, `${name}: ${String((error as Error).stack)}`).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(/^\[tensor\/\S.*\] /);
    return (error as Error).message;
  }
  for (const found of tensorsOf(result)) expect(found.shape.every(Number.isInteger), `${name}: ${String(found)}`).toBe(true);
  return undefined;
}

describe.each(Object.entries(OPS))('%s', (name, args) => {
  test('takes what it is made for', () => {
    expect(refusal(name, args)).toBeUndefined();
  });

  test.each(placesIn(args).map((path) => [path.join('.'), path] as const))('argument %s', (_, path) => {
    const right = at(args, path);
    for (const [kind, value] of Object.entries(wrong())) {
      const said = refusal(name, replaced(args, path, value));
      if (!(right instanceof Tensor)) continue;
      const isOptional = value === undefined && path.length > 1 && !(name === 'where' || name === 'concat' || name === 'stack');
      const stands = typeof value === 'number' && TAKES_NUMBERS.has(name);
      if (!isOptional && !stands) expect(said ?? 'taken', `${name}(${path.join('.')}: ${kind})`).toContain('is not a tensor');
    }
  });
});

const isRecord = (arg: unknown): boolean => typeof arg === 'object' && arg !== null && !Array.isArray(arg) && !(arg instanceof Tensor);
const optionsOf = Object.entries(OPS).flatMap(([name, args]) => args.flatMap((arg, i) => (isRecord(arg) ? [[name, i] as const] : [])));

test.each(optionsOf)('%s refuses options that it does not have', (name, i) => {
  const args = OPS[name]!;
  expect(
    refusal(
      name,
      args.map((arg, j) => (j === i ? { ...(arg as object), padd: 1 } : arg)),
    ),
  ).toMatch(name === 'slice' ? 'axis is out of range' : /unknown option: padd\..* Known: /);
});

test('options that are one of some names are none but those', () => {
  const { cumsum, gelu, resize, sort, sum, topK } = langevin;
  const wrongly = 'kept' as never;
  for (const call of [
    () => sum(matrix, { dims: wrongly }),
    () => gelu(matrix, { approximation: wrongly }),
    () => sort(matrix, { order: wrongly }),
    () => topK(matrix, 1, { order: wrongly }),
    () => cumsum(matrix, { direction: wrongly }),
    () => resize(x, { size: [8, 8], mode: wrongly }),
    () => resize(x, { size: [8, 8], align: wrongly }),
  ])
    expect(call).toThrow(/is none of its choices: \w+="kept"\..* Give \w+ or \w+\./);
});

describe('what takes a tensor, but is no op', () => {
  const { data, dispose, float32Data, grad, hostOp, item, jvp, numbers, realize, valueAndGrad, vjp } = langevin;
  const double = (t: Tensor): Tensor => langevin.mul(langevin.sum(t), 2);
  const calls: Readonly<Record<string, (value: never) => unknown>> = {
    data,
    dispose,
    float32Data,
    item,
    numbers,
    realize: (value) => realize([value]),
    'realize a list': (value) => realize(value),
    'grad by': (value) => grad(double)(value),
    'grad of': (value) => grad(() => value)(matrix),
    'valueAndGrad of': (value) => valueAndGrad(() => ({ loss: value }))(matrix),
    'vjp of': (value) => vjp((t: Tensor) => [t, value], matrix).pullback(value),
    'jvp at': (value) => jvp(double, [value], [matrix]),
    'jvp along': (value) => jvp(double, [matrix], [value]),
    'hostOp inputs': (value) => hostOp({ name: 'f', inputs: [value], outputs: [{ shape: [1] }], run: () => [] }),
    hostOp: (value) => hostOp(value),
  };

  test.each(Object.entries(calls))('%s', async (_, take) => {
    for (const [kind, value] of Object.entries(wrong())) {
      let said: unknown = `accepts ${kind}`;
      try {
        await take(value as never);
      } catch (error) {
        said = error;
      }
      expect(said, `${kind}: ${String((said as Error).stack)}`).toBeInstanceOf(UserError);
    }
  });
});

test('every op that is exported is in the table', () => {
  const others = new Set([
    // values and their forms
    'Tensor', 'allocateHost', 'deferred', 'fromFile', 'fromBfloat16Bits', 'fromFloat16Bits', 'hostFromNumbers', 'hostView', 'isFloating',
    'isHostArray', 'itemSize', 'numbersFromHost', 'toBfloat16Bits', 'toFloat16Bits', 'isFileSlice', 'isMappable', 'errorKind',
    'InternalError', 'UnsupportedError', 'UserError', 'broadcastShapes', 'checkShape', 'normalizeAxes', 'normalizeAxis', 'sameShape',
    'showShape', 'sizeOf',
    'stridesOf', 'flattenTree', 'mapTensors', 'namedTensors', 'tensorsOf', 'shownValue', 'checkChoice', 'checkListeners',
    'readOptions', 'checkNumber', 'isWithin', 'shapeOf',
    // running, engines, derivatives and graphs
    'data', 'dispose', 'float32Data', 'isStored', 'item', 'numbers', 'realize', 'compile', 'defaultEngine', 'setDefaultEngine',
    'cacheCounters', 'checkConstantIndices', 'checkIndices', 'indexOutOfRange', 'indexRangeOf', 'indexUses', 'debugLevel', 'didYouMean',
    'grad', 'jvp',
    'valueAndGrad', 'vjp', 'checkpoint', 'printGraph', 'verifyGraph', 'traceGraph', 'named', 'hostOp',
    // numbers, matrices and generators on the host
    'logistic', 'median', 'determinant', 'inverse', 'logDeterminant', 'solve', 'cholesky', 'symmetricEigen', 'weightedSum',
    'torchGenerator', 'philoxGenerator', 'counterGenerator', 'generatorFromState', 'seedSequence', 'brownianTree',
  ]); // prettier-ignore
  const functions = Object.entries(langevin).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []));
  expect(functions.filter((name) => !(name in OPS) && !others.has(name))).toEqual([]);
});
