import { describe, expect, test } from 'vitest';
import {
  add,
  attention,
  avgPool,
  broadcastTo,
  cast,
  concat,
  conv,
  convTranspose,
  einsum,
  errorKind,
  expandDims,
  full,
  gather,
  gatherElements,
  grad,
  gradients,
  groupNorm,
  jvp,
  logicalAnd,
  matmul,
  max,
  maxPool,
  mean,
  mul,
  named,
  normalize,
  ones,
  pad,
  quantile,
  range,
  reshape,
  resize,
  scalar,
  scatterAdd,
  select,
  sin,
  slice,
  split,
  squeeze,
  stopGradient,
  straightThrough,
  sum,
  tensor,
  tile,
  topK,
  transpose,
  UserError,
  where,
  zeros,
} from '@langevin/tensor';

/** The message of the UserError that a call throws. */
function messageOf(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    expect(errorKind(error)).toBe('user');
    return (error as UserError).message;
  }
  throw new Error('nothing was thrown');
}

const cases: readonly (readonly [name: string, body: () => unknown, message: string])[] = [
  [
    'matmul of unequal inner sizes',
    () => matmul(ones([8, 77, 768]), ones([512, 320])),
    '[tensor/matmul] inner sizes differ: a=[616, 768], b=[512, 320], 768 != 512. Transpose or reshape one operand.',
  ],
  [
    'matmul, transposed',
    () => matmul(ones([2, 3]), ones([3, 4]), { transposeB: true }),
    '[tensor/matmul] inner sizes differ: a=[2, 3], b=[3, 4] transposed, 3 != 4. Transpose or reshape one operand.',
  ],
  [
    'matmul of integers',
    () => matmul(range(4), range(4)),
    '[tensor/matmul] dtypes do not multiply: a=int32, b=int32. Both must be the same float; cast() one.',
  ],
  [
    'matmul of a vector',
    () => matmul(ones([3]), ones([3, 2])),
    '[tensor/matmul] operand is not a matrix: a=[3], b=[3, 2]. Add an axis with expandDims().',
  ],
  [
    'broadcasting',
    () => add(ones([2, 3]), ones([2, 4])),
    '[tensor/add] shapes do not broadcast: a=[2, 3], b=[2, 4], axis -1 has 3 and 4. Sizes must be equal or 1; reshape or slice one '
      + 'operand.',
  ],
  ['mixed dtypes', () => mul(ones([2]), range(2)), '[tensor/mul] dtypes differ: a=float32, b=int32. cast() one of them.'],
  [
    'a fraction for an integer',
    () => add(range(2), 0.5),
    '[tensor/dtype] value is not a valid int32: value=0.5. Give an integer in [-2147483648, 2147483647] or choose another dtype.',
  ],
  [
    'arithmetic on bools',
    () => add(cast(ones([2]), 'bool'), cast(ones([2]), 'bool')),
    "[tensor/add] dtype has no arithmetic: dtype=bool. cast(x, 'float32') first.",
  ],
  ['a float function of integers', () => sin(range(2)), "[tensor/sin] dtype is not a float: dtype=int32. cast(x, 'float32') first."],
  ['mean of integers', () => mean(range(4)), "[tensor/mean] dtype is not a float: dtype=int32. cast(x, 'float32') first."],
  [
    'logic on floats',
    () => logicalAnd(ones([2]), ones([2])),
    "[tensor/logicalAnd] operand is not bool: dtype=float32. Compare it, or cast(x, 'bool').",
  ],
  [
    'a condition that is no bool',
    () => where({ if: ones([2]), then: 1, else: 0 }),
    "[tensor/where] operand is not bool: dtype=float32. Compare it, or cast(x, 'bool').",
  ],
  [
    'concat',
    () => concat([ones([2, 3]), ones([2, 4])]),
    '[tensor/concat] tensors do not fit along axis 0: tensors[0]=float32[2, 3], tensors[1]=float32[2, 4]. All other sizes and the '
      + 'dtype must agree.',
  ],
  ['concat of nothing', () => concat([]), '[tensor/concat] nothing to join: tensors=[]. Give at least one tensor.'],
  [
    'channels of a convolution',
    () => conv(ones([1, 3, 8, 8]), ones([4, 2, 3, 3])),
    '[tensor/conv] channels do not fit: x has 3, w=[4, 2, 3, 3] with groups=1 wants 2. w is [O, C/groups, ...kernel].',
  ],
  [
    'kernel larger than the image',
    () => conv(ones([1, 1, 2, 2]), ones([1, 1, 3, 3])),
    '[tensor/conv] kernel is larger than the padded input: x=[1, 1, 2, 2], w=[1, 1, 3, 3]. Pad more.',
  ],
  [
    'ranks of a convolution',
    () => conv(ones([1, 2, 4]), ones([1, 2, 3, 3])),
    '[tensor/conv] ranks do not fit: x=[1, 2, 4], w=[1, 2, 3, 3], strides=[1], padding=[[0,0]], groups=1. x is [N, C, ...spatial], '
      + 'w is [O, C/groups, ...kernel].',
  ],
  [
    'bias of a convolution',
    () => conv(ones([1, 1, 2, 2]), ones([3, 1, 1, 1]), { bias: ones([2]) }),
    '[tensor/conv] bias does not fit: bias=[2], result=[1, 3, 2, 2]. bias is [3].',
  ],
  [
    'transposed convolution padded away',
    () => convTranspose(ones([1, 1, 1, 1]), ones([1, 1, 2, 2]), { padding: 1 }),
    '[tensor/convTranspose] sizes do not fit: x=[1, 1, 1, 1], w=[1, 1, 2, 2], spatial=[0, 0]. x must be [N, 1, 1, 1].',
  ],
  [
    'indices that are floats',
    () => gather(ones([3, 2]), ones([2])),
    "[tensor/gather] indices are not int32: dtype=float32. cast(indices, 'int32').",
  ],
  [
    'indices of another shape',
    () => gatherElements(ones([3, 2]), tensor([[0]], { dtype: 'int32' }), 0),
    '[tensor/gatherElements] indices do not fit: x=[3, 2], indices=[1, 1], axis=0. All other sizes must agree.',
  ],
  [
    'scatter axis',
    () => scatterAdd(ones([3]), range(3), { axis: 2, size: 4 }),
    '[tensor/scatterAdd] axis is out of range: axis=2, rank=1. Give an integer in [-1, 0].',
  ],
  [
    'reshape',
    () => reshape(ones([2, 3]), [4]),
    '[tensor/reshape] number of elements differs: x=[2, 3] has 6, shape=[4] has 4. Change the shape; one size may be -1.',
  ],
  [
    'reshape with an unknown that does not divide',
    () => reshape(ones([2, 3]), [4, -1]),
    '[tensor/reshape] -1 cannot be resolved: x=[2, 3], shape=[4, -1]. Use -1 once, with sizes that divide 6.',
  ],
  [
    'transpose',
    () => transpose(ones([2, 3]), [0, 0]),
    '[tensor/transpose] not a permutation of the axes: permutation=[0, 0], x=[2, 3]. Name every axis once.',
  ],
  [
    'axis out of range',
    () => sum(ones([2]), { axes: 1 }),
    '[tensor/sum] axis is out of range: axis=1, rank=1. Give an integer in [-1, 0].',
  ],
  ['axis twice', () => sum(ones([2, 2]), { axes: [0, -2] }), '[tensor/sum] axes repeat: axes=[0, 0]. Name each axis once.'],
  [
    'broadcastTo something smaller',
    () => broadcastTo(ones([2, 3]), [3]),
    '[tensor/broadcastTo] shape is smaller than the tensor: x=[2, 3], shape=[3]. Sizes of x must equal those of shape or be 1.',
  ],
  [
    'slice',
    () => slice(ones([3]), { 0: { stop: 4 } }),
    '[tensor/slice] range leaves the axis: axis=0, start=0, stop=4, x=[3]. Give 0 <= start <= stop <= 3.',
  ],
  [
    'slice with step 0',
    () => slice(ones([3]), { 0: { step: 0 } }),
    '[tensor/slice] range leaves the axis: axis=0, start=0, size=Infinity, step=0, x=[3]. Keep start + (size - 1) * step < 3.',
  ],
  ['select', () => select(ones([3]), 0, 3), '[tensor/select index] axis is out of range: axis=3, rank=3. Give an integer in [-3, 2].'],
  [
    'pad',
    () => pad(ones([2, 2]), [[1, 1]]),
    '[tensor/pad] padding does not fit: padding=[1, 1], x=[2, 2]. Give [before, after] >= 0 for every axis.',
  ],
  ['split', () => split(ones([5]), 2), '[tensor/split] parts do not fill the axis: parts=2, size=5. Their sum must be 5.'],
  ['squeeze', () => squeeze(ones([2, 1]), 0), '[tensor/squeeze] axis is not of size 1: axis=0, x=[2, 1]. Use reshape or a reduction.'],
  ['tile', () => tile(ones([2]), [2, 2]), '[tensor/tile] repeats do not fit: repeats=[2, 2], x=[2]. Give one count for each axis.'],
  ['expandDims', () => expandDims(ones([2]), 3), '[tensor/expandDims] axis is out of range: axis=3, rank=2. Give an integer in [-2, 1].'],
  [
    'max of nothing',
    () => max(zeros([2, 0]), { axes: 1 }),
    '[tensor/max] nothing to reduce: an axis of [2, 0] has size 0. Check the shape first.',
  ],
  ['topK', () => topK(ones([3]), 4), '[tensor/topK] k is out of range: k=4, size of axis 0 is 3. Give an integer in [1, 3].'],
  ['quantile', () => quantile(ones([3]), 1.5), '[tensor/quantile] q is out of range: q=1.5. Pass a number in 0..1.'],
  [
    'attention',
    () => attention({ q: ones([1, 2, 3, 4]), k: ones([1, 2, 5, 3]), v: ones([1, 2, 5, 4]) }),
    '[tensor/attention] shapes do not fit: q=[1, 2, 3, 4], k=[1, 2, 5, 3], v=[1, 2, 5, 4]. q is [B, H, L, D], k [B, H, S, D], v '
      + '[B, H, S, E], all of one dtype.',
  ],
  [
    'attention mask',
    () => attention({ q: ones([1, 1, 2, 2]), k: ones([1, 1, 3, 2]), v: ones([1, 1, 3, 2]), mask: ones([1, 3], 'int32') }),
    '[tensor/attention] mask does not fit: mask=int32[1, 3], logits=[1, 1, 2, 3]. It must broadcast to the logits, as float32 '
      + '(added) or bool (true keeps).',
  ],
  [
    'group norm',
    () => groupNorm(ones([1, 4, 2]), { groups: 3, scale: ones([4]), bias: ones([4]) }),
    '[tensor/groupNorm] sizes do not fit: x=[1, 4, 2], groups=3, epsilon=0.00001, scale=[4], bias=[4]. x is [N, C, ...] with C divisible '
      + 'by groups; scale and bias are [C], epsilon >= 0.',
  ],
  [
    'normalize',
    () => normalize(ones([2]), { axes: 2 }),
    '[tensor/normalize] cannot normalise: x=float32[2], axes=2, epsilon=0.00001. x is a float with at least that many axes, epsilon >= 0.',
  ],
  [
    'pooling window',
    () => maxPool(ones([1, 1, 2, 2]), { kernel: 3 }),
    '[tensor/maxPool] window does not fit: x=[1, 1, 2, 2], kernel=[3, 3], strides=[3, 3], padding=[[0,0],[0,0]]. Padding must be '
      + 'smaller than the kernel, the kernel no larger than the padded input.',
  ],
  [
    'pooling padding of another rank',
    () => avgPool(ones([1, 1, 2, 2]), { kernel: 2, padding: [[1, 1]] }),
    '[tensor/avgPool] window does not fit: x=[1, 1, 2, 2], kernel=[2, 2], strides=[2, 2], padding=[[1,1]]. Padding must be smaller '
      + 'than the kernel, the kernel no larger than the padded input.',
  ],
  [
    'resize',
    () => resize(ones([1, 1, 2, 2]), { size: [4] }),
    '[tensor/resize] size does not fit: size=[4], x=[1, 1, 2, 2]. Give a positive integer for each spatial axis.',
  ],
  [
    'einsum that does not parse',
    () => einsum('ij,jk', ones([2, 2]), ones([2, 2])),
    `[tensor/einsum] equation does not parse for 2 operands: equation="ij,jk". Write 'ab,bc->ac': one term for each operand, `
      + 'letters of the result once.',
  ],
  [
    'einsum sizes',
    () => einsum('ij,jk->ik', ones([2, 3]), ones([2, 2])),
    '[tensor/einsum] operand does not fit its term: equation="ij,jk->ik", term="jk", operand=[2, 2]. Each letter has one size everywhere.',
  ],
  [
    'einsum letter',
    () => einsum('ij->ix', ones([2, 3])),
    '[tensor/einsum] result names an unknown letter: letter=x, equation="ij->ix". It must occur in an operand.',
  ],
  [
    'ragged lists',
    () => tensor([[1, 2], [3]]),
    '[tensor/tensor] nested lists are ragged at depth 1: expected shape [2, 2]. Give every row the same length.',
  ],
  [
    'too little data',
    () => tensor([1, 2], { shape: [3] }),
    '[tensor/tensor] data does not fill the shape: shape=[3] has 3 elements, data has 2. Change one of them.',
  ],
  [
    'a typed array without a dtype',
    () => tensor(new Uint16Array(2)),
    '[tensor/tensor] typed array does not hold the dtype: array=Uint16Array, dtype=none given. float32 wants Float32Array, float16 '
      + 'and bfloat16 Uint16Array, int32 Int32Array, int64 BigInt64Array, uint8 and bool Uint8Array.',
  ],
  ['a shape of fractions', () => zeros([1.5]), '[tensor/full] shape has an invalid size: shape=[1.5]. Sizes are integers >= 0.'],
  [
    'a shape beyond all bounds',
    () => full([2 ** 16, 2 ** 16], 1),
    '[tensor/full] shape is too large: shape=[65536, 65536] has 4294967296 elements, at most 2147483647. Split the tensor.',
  ],
  [
    'gradient by an integer',
    () => gradients([scalar(1)], [range(2)]),
    '[tensor/gradients] cannot differentiate by an integer: x=Tensor(int32[2], host). Only floats have gradients.',
  ],
  [
    'gradient of a vector',
    () => grad((x: ReturnType<typeof ones>) => mul(x, x))(ones([2])),
    '[tensor/gradients] value is not a float scalar: y=Tensor(float32[2], mul). Reduce it with mean() or sum(), or give cotangents.',
  ],
  [
    'cotangent of another shape',
    () => gradients([ones([2])], [scalar(1)], { cotangents: [ones([3])] }),
    '[tensor/gradients] cotangent does not fit: y=Tensor(float32[2], broadcastTo), cotangent=Tensor(float32[3], broadcastTo). '
      + 'Shape and dtype must be those of y.',
  ],
  [
    'tangents of another structure',
    () => jvp((x: { a: ReturnType<typeof ones> }) => x.a, [{ a: scalar(1) }], [{ b: scalar(1) } as never]),
    '[tensor/jvp] tangents do not have the structure of the primals: primals have 1 leaves. Give one tangent for each.',
  ],
  [
    'straight-through of two dtypes',
    () => straightThrough(range(2), ones([2])),
    '[tensor/straightThrough] dtypes differ: x=int32, surrogate=float32. cast() one of them.',
  ],
];

describe('what was wrong, with the value, and what to do', () => {
  test.each(cases)('%s', (_, body, message) => {
    expect(messageOf(body)).toBe(message);
  });
});

test('named scopes are part of the message', () => {
  const body = (): unknown => named('unet', () => named('down.0', () => add(ones([2]), ones([3]))));
  expect(messageOf(body)).toBe(
    '[tensor/add] shapes do not broadcast: a=[2], b=[3], axis -1 has 2 and 3. Sizes must be equal or 1; reshape or slice one '
      + 'operand. Traced at unet.down.0.',
  );
});

test('a scope ends with its body, also when that throws', () => {
  expect(() =>
    named('lost', () => {
      throw new Error('x');
    }),
  ).toThrow('x');
  expect(messageOf(() => add(ones([2]), ones([3])))).not.toContain('Traced');
});

test('error kinds survive a second copy of the class', () => {
  expect(errorKind(new UserError('[x] y'))).toBe('user');
  expect(errorKind(Object.assign(new Error(), { [Symbol.for('langevin.error')]: true, kind: 'internal' }))).toBe('internal');
  expect(errorKind(new Error('plain'))).toBeUndefined();
  expect(errorKind(undefined)).toBeUndefined();
});

test('tensors print what they are', () => {
  expect(String(add(ones([2]), 1))).toBe('Tensor(float32[2], add)');
  expect(String(stopGradient(scalar(1)))).toBe('Tensor(float32[], reshape)');
});
