import {
  attention,
  conv,
  convTranspose,
  downsample,
  embedding,
  embeddingMlp,
  fourierFeatures,
  groupNorm,
  kaimingNormal,
  layerNorm,
  linear,
  normal,
  pixelAttention,
  resnetBlock,
  rmsNorm,
  sequential,
  activation,
  uniform,
  upsample,
  xavierNormal,
  xavierUniform,
  type Initializer,
  type Module,
  type ResnetBlockConfig,
} from '@langevin/nn';
import { tensor, type Generator, type Tensor } from '@langevin/tensor';

type Fresh = Pick<Module<unknown, never, unknown>, 'init'>;

/** Langevin's side of golden.layers. */
export const layers: Readonly<Record<string, Fresh>> = {
  linear: linear({ inputs: 5, outputs: 7 }),
  'linear-no-bias': linear({ inputs: 5, outputs: 7, bias: 'none' }),
  'conv-1d': conv({ inputs: 4, outputs: 6, kernel: 3, padding: 1, axes: 1 }),
  'conv-2d': conv({ inputs: 4, outputs: 6, kernel: 3, padding: 1 }),
  'conv-2d-grouped': conv({ inputs: 4, outputs: 6, kernel: [3, 2], groups: 2, bias: 'none' }),
  'conv-3d': conv({ inputs: 2, outputs: 3, kernel: [2, 3, 3] }),
  'conv-transpose-1d': convTranspose({ inputs: 4, outputs: 3, kernel: 4, axes: 1, stride: 2, padding: 1 }),
  'conv-transpose-2d': convTranspose({ inputs: 4, outputs: 6, kernel: 3, groups: 2 }),
  'group-norm': groupNorm({ groups: 4, channels: 8 }),
  'group-norm-plain': groupNorm({ groups: 2, channels: 8, affine: 'none' }),
  'layer-norm': layerNorm({ channels: 6 }),
  'rms-norm': rmsNorm({ channels: 6 }),
  embedding: embedding({ count: 9, size: 5 }),
  sequential: sequential(
    linear({ inputs: 5, outputs: 8 }),
    activation('silu'),
    layerNorm({ channels: 8 }),
    linear({ inputs: 8, outputs: 3 }),
  ),
  'self-attention': attention({ channels: 12, heads: 3 }),
  'cross-attention': attention({ channels: 12, heads: 3, contextChannels: 6, bias: 'none' }),
};

/** Langevin's side of golden.initializers. */
export const initializers: Readonly<Record<string, Initializer>> = {
  'xavier-uniform': xavierUniform(),
  'xavier-normal': xavierNormal(),
  'kaiming-normal': kaimingNormal(),
  normal: normal({ mean: 0.5, deviation: 0.02 }),
  uniform: uniform(-0.25, 0.75),
};

/** A block over the inputs of its golden case. */
export interface BlockCase<Params = unknown> {
  readonly init: (generator: Generator) => Params;
  readonly run: (params: Params, inputs: readonly Tensor[]) => Tensor;
}

function block<Params>(
  module: Pick<Module<Params, never, unknown>, 'init'>,
  run: (params: Params, inputs: readonly [Tensor, Tensor]) => Tensor,
): BlockCase {
  return {
    init: (generator) => module.init(generator),
    run: (params, inputs) => run(params as Params, inputs as readonly [Tensor, Tensor]),
  };
}

function resnet(config: Partial<ResnetBlockConfig> = {}): BlockCase {
  const module = resnetBlock({ inputs: 8, embedding: 6, groups: 4, ...config });
  return block(module, (params, [x, e]) => module.apply(params, x, { embedding: config.embedding === null ? null : e }));
}

const cross = attention({ channels: 12, heads: 3, contextChannels: 6, bias: 'none' });
const pixels = pixelAttention({ channels: 8, headSize: 4, groups: 4, epsilon: 1e-6, outputScale: 1.5 });
const down = downsample({ channels: 8 });
const downOneSided = downsample({ channels: 8, padding: 0 });
const up = upsample({ channels: 8 });
const mlp = embeddingMlp({ inputs: 6, outputs: 10 });
const fourier = fourierFeatures({ count: 5 });
const keep = tensor(Uint8Array.from([1, 1, 1, 0, 0, 1, 1, 1, 1, 1]), { shape: [2, 1, 1, 5], dtype: 'bool' });

/** Langevin's side of golden.blocks. */
export const blocks: Readonly<Record<string, BlockCase>> = {
  'cross-attention-masked': block(cross, (params, [x, context]) => cross.apply(params, x, { context, mask: keep })),
  'pixel-attention': block(pixels, (params, [x]) => pixels.apply(params, x)),
  'resnet-add': resnet({ outputs: 12 }),
  'resnet-scale-shift': resnet({ conditioning: 'scale-shift', outputScale: 1.25 }),
  'resnet-up': resnet({ resample: 'up' }),
  'resnet-down': resnet({ resample: 'down', conditioning: 'scale-shift' }),
  'resnet-unconditional': resnet({ embedding: null, activation: 'gelu' }),
  downsample: block(down, (params, [x]) => down.apply(params, x)),
  'downsample-one-sided': block(downOneSided, (params, [x]) => downOneSided.apply(params, x)),
  upsample: block(up, (params, [x]) => up.apply(params, x)),
  'embedding-mlp': block(mlp, (params, [x]) => mlp.apply(params, x)),
  'fourier-features': block(fourier, (params, [t]) => fourier.apply(params, t)),
};
