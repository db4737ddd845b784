// Values
export { Tensor, type Operand } from './tensor.ts';
export {
  allocateHost,
  dtypes,
  fromBfloat16Bits,
  fromFloat16Bits,
  hostFromNumbers,
  hostView,
  isFloating,
  isHostArray,
  itemSize,
  numbersFromHost,
  toBfloat16Bits,
  toFloat16Bits,
  type DType,
  type HostArray,
  type HostArrays,
} from './dtype.ts';
export { errorKind, InternalError, UnsupportedError, UserError, type ErrorKind, type ErrorOptions } from './errors.ts';
export {
  broadcastShapes,
  checkShape,
  MAX_ELEMENTS,
  normalizeAxes,
  normalizeAxis,
  sameShape,
  showShape,
  sizeOf,
  stridesOf,
  type Shape,
} from './shape.ts';
export { flattenTree, mapTensors, namedTensors, tensorsOf, type FlatTree, type Leaf, type Tree } from './tree.ts';
export {
  deferred,
  eye,
  fromFile,
  full,
  linspace,
  ones,
  onesLike,
  range,
  scalar,
  tensor,
  zeros,
  zerosLike,
  type RangeOptions,
  type TensorOptions,
} from './ops/create.ts';

// Running
export { data, dispose, float32Data, isStored, item, numbers, realize, type RealizeOptions } from './engine/realize.ts';
export { compile, type CompileCounters, type CompiledFunction, type CompileOptions, type Untraced } from './compile.ts';
export { defaultEngine, setDefaultEngine } from './engine/default-engine.ts';
export { cacheCounters, type CacheCounters } from './engine/cache.ts';
export type { Engine, EngineBuffer, Executable, RunOptions } from './engine/engine.ts';
export {
  checkConstantIndices,
  checkIndices,
  indexOutOfRange,
  indexRangeOf,
  indexUses,
  type IndexRange,
  type IndexUse,
} from './engine/indices.ts';
export { debugLevel } from './debug.ts';
export { didYouMean } from './did-you-mean.ts';

// Derivatives
export { gradients, type GradientsOptions } from './autodiff/gradients.ts';
export { grad, jvp, valueAndGrad, vjp, type Loss } from './autodiff/transforms.ts';
export { checkpoint } from './autodiff/checkpoint.ts';
export { barrier, stopGradient, straightThrough } from './ops/schedule.ts';

// Graphs
export {
  isFileSlice,
  isMappable,
  type FileSlice,
  type Graph,
  type GraphConstant,
  type GraphNode,
  type ValueId,
  type ValueInfo,
} from './graph/graph.ts';
export type {
  AxisParams,
  CompositeName,
  CompositeParams,
  ConvParams,
  NoParams,
  OpName,
  OpParams,
  PoolParams,
  PrimitiveName,
  PrimitiveParams,
  ReduceParams,
} from './graph/primitives.ts';
export { compositeNames, primitiveNames } from './ops/definitions.ts';
export { printGraph } from './graph/print.ts';
export { verifyGraph } from './graph/verify.ts';
export { traceGraph } from './graph/trace.ts';
export { named } from './graph/node.ts';

// Ops
export {
  abs,
  atan,
  cast,
  ceil,
  clamp,
  cos,
  erf,
  exp,
  floor,
  log,
  neg,
  reciprocal,
  relu,
  round,
  rsqrt,
  sigmoid,
  sign,
  sin,
  sqrt,
  square,
  tanh,
} from './ops/unary.ts';
export { shapeOf } from './ops/operands.ts';
export { add, div, lerp, maximum, minimum, mul, pow, sub } from './ops/binary.ts';
export {
  equal,
  greater,
  greaterEqual,
  isFinite,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  notEqual,
  where,
} from './ops/compare.ts';
export { argMax, cumsum, max, min } from './ops/reduce.ts';
export { sum, type ReduceOptions } from './ops/sum.ts';
export { lengthOf, logSumExp, mean, std, variance, type VarianceOptions } from './ops/statistics.ts';
export { broadcastTo, expandDims, flatten, reshape, squeeze, swapAxes, transpose } from './ops/shaping.ts';
export { concat, flip, pad, repeat, roll, select, slice, split, stack, tile, type Range } from './ops/slicing.ts';
export { gather, gatherElements, oneHot, scatterAdd, scatterElementsAdd } from './ops/indexing.ts';
export { quantile, sort, topK, type OrderOptions } from './ops/sorting.ts';
export { matmul, type MatmulOptions } from './ops/matmul.ts';
export { einsum } from './ops/einsum.ts';
export { gatherDiagonal } from './ops/diagonal.ts';
export { conv, convTranspose, type ConvOptions, type ConvTransposeOptions, type Padding } from './ops/conv.ts';
export { avgPool, maxPool, type PoolOptions } from './ops/pool.ts';
export { resize, type ResizeOptions } from './ops/resize.ts';
export {
  groupNorm,
  layerNorm,
  logSoftmax,
  normalize,
  rmsNorm,
  softmax,
  type AffineOptions,
  type GroupNormOptions,
  type NormOptions,
} from './ops/normalize.ts';
export { gelu, logSigmoid, silu, softplus } from './ops/activation.ts';
export { attention, type AttentionOperands } from './ops/attention.ts';
export { hostOp, type HostContext, type HostGradientContext, type HostOpOptions } from './ops/host-op.ts';

// Numbers on the host
export { checkNumber, isWithin, shownValue, type NumberRange } from './check-number.ts';
export { checkChoice, checkListeners, readOptions } from './read-options.ts';
export { logistic } from './host/logistic.ts';
export { median } from './host/median.ts';

// Small matrices on the host, in float64
export { determinant, inverse, logDeterminant, solve } from './host/lu.ts';
export { cholesky } from './host/cholesky.ts';
export { symmetricEigen, type SymmetricEigen } from './host/eigen.ts';
export { MAX_MATRIX_SIZE, type SquareMatrix } from './host/matrix.ts';

// Float32 arrays on the host
export { weightedSum, type SumStep } from './host/weighted-sum.ts';

// Random numbers
export * from './random/index.ts';
