import {
  attention as attentionLayer,
  conv,
  convTranspose,
  embedding,
  fromStateDict,
  groupNorm,
  layerNorm,
  linear,
  rmsNorm,
  type Layer,
} from '@langevin/nn';
import {
  abs,
  add,
  atan,
  attention,
  avgPool,
  cast,
  cos,
  cumsum,
  div,
  einsum,
  erf,
  exp,
  gather,
  gatherElements,
  gelu,
  log,
  logSigmoid,
  logSoftmax,
  logSumExp,
  matmul,
  max,
  maximum,
  maxPool,
  mul,
  pow,
  quantile,
  relu,
  reshape,
  resize,
  sigmoid,
  silu,
  softmax,
  softplus,
  sort,
  sqrt,
  std,
  sub,
  tanh,
  topK,
  torchGenerator,
  type Tensor,
} from '@langevin/tensor';
import type { CaseFunction } from './golden.ts';

/** A layer whose parameters come from the state dict of the case. */
function layer<Params>(module: Layer<Params>): CaseFunction {
  return ({ params, inputs }) => module.apply(fromStateDict(module.init(torchGenerator(0)), new Map(Object.entries(params))), inputs['x']!);
}

const plain =
  (fn: (x: Tensor) => Tensor): CaseFunction =>
  ({ inputs }) =>
    fn(inputs['x']!);

const attend: CaseFunction = ({ inputs: { q, k, v, mask } }) =>
  attention({ q: q!, k: k!, v: v!, mask: mask?.dtype === 'int32' ? cast(mask, 'bool') : mask });

function multiHead(contextChannels: number): CaseFunction {
  const module = attentionLayer({ channels: 8, heads: 2, contextChannels });
  return ({ params, inputs: { x, context, mask } }) => {
    const tree = fromStateDict(module.init(torchGenerator(0)), new Map(Object.entries(params)));
    // PyTorch's mask is [N heads, L, S].
    return module.apply(tree, x!, context && mask ? { context, mask: reshape(mask, [-1, 2, mask.shape[1]!, mask.shape[2]!]) } : {});
  };
}

const square = { kernel: 3, padding: 1 } as const;

/** Langevin's side of every case of golden/layers.json. */
export const layerCases: Readonly<Record<string, CaseFunction>> = {
  linear: layer(linear({ inputs: 7, outputs: 5 })),
  'linear-tokens': layer(linear({ inputs: 6, outputs: 5, bias: 'none' })),
  embedding: ({ params, inputs }) => embedding({ count: 6, size: 4 }).apply({ weight: params['weight']! }, inputs['indices']!),
  conv1d: layer(conv({ inputs: 4, outputs: 6, axes: 1, stride: 2, ...square })),
  conv2d: layer(conv({ inputs: 3, outputs: 4, ...square })),
  'conv2d-1x1': layer(conv({ inputs: 4, outputs: 6, kernel: 1 })),
  'conv2d-strided': layer(conv({ inputs: 3, outputs: 4, stride: 2, ...square })),
  'conv2d-dilated': layer(conv({ inputs: 3, outputs: 4, kernel: 3, padding: 2, dilation: 2, bias: 'none' })),
  'conv2d-uneven': layer(conv({ inputs: 2, outputs: 3, kernel: [2, 5], stride: [1, 2], padding: [0, 2], dilation: [2, 1] })),
  'conv2d-grouped': layer(conv({ inputs: 6, outputs: 4, groups: 2, ...square })),
  'conv2d-depthwise': layer(conv({ inputs: 4, outputs: 4, groups: 4, ...square })),
  conv3d: layer(conv({ inputs: 2, outputs: 3, kernel: [2, 3, 3], stride: [1, 2, 1], padding: [0, 1, 1] })),
  'conv-transpose1d': layer(convTranspose({ inputs: 4, outputs: 3, axes: 1, kernel: 4, stride: 2, padding: 1 })),
  'conv-transpose2d': layer(convTranspose({ inputs: 3, outputs: 4, stride: 2, outputPadding: 1, ...square })),
  'conv-transpose2d-grouped': layer(convTranspose({ inputs: 4, outputs: 4, groups: 2, ...square })),
  'group-norm': layer(groupNorm({ channels: 6, groups: 3 })),
  'instance-norm': layer(groupNorm({ channels: 4, groups: 4 })),
  'layer-norm': layer(layerNorm({ channels: 8, epsilon: 1e-6 })),
  'rms-norm': layer(rmsNorm({ channels: 8 })),
  softmax: plain((x) => softmax(x)),
  'softmax-channels': plain((x) => softmax(x, 1)),
  'log-softmax': plain((x) => logSoftmax(x)),
  attention: attend,
  'attention-mask': attend,
  'attention-bool-mask': attend,
  'multi-head-self': multiHead(8),
  'multi-head-cross': multiHead(6),
  gelu: plain((x) => gelu(x)),
  'gelu-tanh': plain((x) => gelu(x, { approximation: 'tanh' })),
  silu: plain(silu),
  relu: plain(relu),
  sigmoid: plain(sigmoid),
  tanh: plain(tanh),
  erf: plain(erf),
  softplus: plain(softplus),
  'log-sigmoid': plain(logSigmoid),
  'max-pool': plain((x) => maxPool(x, { kernel: 3, stride: 2, padding: 1 })),
  'avg-pool': plain((x) => avgPool(x, { kernel: 2 })),
  'avg-pool-padded': plain((x) => avgPool(x, { kernel: 3, stride: 2, padding: 1 })),
  'nearest-double': plain((x) => resize(x, { size: [8, 6] })),
  'nearest-odd': plain((x) => resize(x, { size: [7, 4] })),
  bilinear: plain((x) => resize(x, { size: [7, 9], mode: 'bilinear' })),
  'bilinear-corners': plain((x) => resize(x, { size: [7, 3], mode: 'bilinear', align: 'corners' })),
  cumsum: plain((x) => cumsum(x, { axis: 1 })),
  'top-k': plain((x) => topK(x, 3).values),
  sort: plain((x) => sort(x, { axis: 1 }).values),
  quantile: plain((x) => quantile(x, 0.3)),
  'log-sum-exp': plain((x) => logSumExp(x, { axes: -1 })),
  'standard-deviation': plain((x) => std(x, { axes: 1, correction: 1 })),
  largest: plain((x) => max(x, { axes: [0, 2] })),
  'gather-elements': ({ inputs }) => gatherElements(inputs['x']!, inputs['indices']!, 1),
  'gather-rows': ({ inputs }) => gather(inputs['x']!, inputs['indices']!, 1),
  einsum: ({ inputs: { a, b, c } }) => einsum('bqd,bkd,ke->bqe', a!, b!, c!),
  'matmul-broadcast': ({ inputs: { a, b } }) => matmul(a!, b!),
  arithmetic({ inputs }) {
    const a = inputs['a']!;
    const b = inputs['b']!;
    const first = sub(mul(sqrt(b), exp(div(a, b))), pow(maximum(a, b), 3));
    return sub(add(first, mul(log(b), cos(a))), mul(abs(a), atan(a)));
  },
};
