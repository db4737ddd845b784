import { add, attention, clamp, mul, reshape, scalar, slice, transpose, type Generator, type Tensor } from '@langevin/tensor';
import {
  defineModule,
  doubled,
  dropout,
  halved,
  mpConv,
  mpLinear,
  mpSilu,
  mpSum,
  pixelNorm,
  scoped,
  type Mode,
  type Module,
  type MpLayerParams,
} from '@langevin/nn';
import type { Edm2Config } from './config.ts';

export interface Edm2BlockParams {
  /** Where the channels change. */
  readonly conv_skip?: MpLayerParams;
  readonly conv1: MpLayerParams;
  readonly emb: MpLayerParams;
  /** []: how much the embedding scales features; 0 at first, where it does not. */
  readonly emb_gain: Tensor;
  readonly conv2: MpLayerParams;
  readonly qkv?: MpLayerParams;
  readonly proj?: MpLayerParams;
}

export interface Edm2BlockConfig {
  readonly inputs: number;
  readonly outputs: number;
  readonly embedding: number;
  /** Blocks on the way down bring pixels to unit magnitude first. */
  readonly way: 'down' | 'up';
  readonly resample: 'none' | 'half' | 'double';
  readonly attends: boolean;
  readonly network: Edm2Config;
}

export interface Edm2Flow {
  readonly x: Tensor;
  readonly embedding: Tensor;
  readonly mode: Mode | undefined;
}

/** A block from features [N, inputs, H, W] and an embedding [N, E] to [N, outputs, H', W']. */
export type Edm2Block = Module<Edm2BlockParams, readonly [flow: Edm2Flow], Tensor>;

const RESAMPLED = { none: (x: Tensor): Tensor => x, half: halved, double: doubled };

/** Residual block, then attention: Karras et al. 2024 (arXiv:2312.02696), appendix B, configuration G. */
export function edm2Block({ inputs, outputs, embedding, way, resample, attends, network }: Edm2BlockConfig): Edm2Block {
  const branch = way === 'down' ? outputs : inputs;
  const skip = inputs === outputs ? undefined : scoped('conv_skip', mpConv({ inputs, outputs, kernel: 1 }));
  const conv1 = scoped('conv1', mpConv({ inputs: branch, outputs, kernel: 3 }));
  const emb = scoped('emb', mpLinear({ inputs: embedding, outputs }));
  const conv2 = scoped('conv2', mpConv({ inputs: outputs, outputs, kernel: 3 }));
  const drop = dropout(network.dropout);
  const attend = attends ? attending(outputs, network) : undefined;
  const skipped = (params: Edm2BlockParams, x: Tensor): Tensor => (skip === undefined ? x : skip.apply(params.conv_skip!, x));
  return defineModule({
    init: (generator: Generator): Edm2BlockParams => ({
      ...(skip && { conv_skip: skip.init(generator) }),
      conv1: conv1.init(generator),
      emb: emb.init(generator),
      emb_gain: scalar(0),
      conv2: conv2.init(generator),
      ...attend?.init(generator),
    }),
    apply(params: Edm2BlockParams, { x, embedding: embedded, mode }: Edm2Flow) {
      let h = RESAMPLED[resample](x);
      if (way === 'down') h = pixelNorm(skipped(params, h));
      const y = conv1.apply(params.conv1, mpSilu(h));
      const scale = add(mul(emb.apply(params.emb, embedded), params.emb_gain), 1);
      const told = drop.apply({}, mpSilu(mul(y, reshape(scale, [scale.shape[0]!, outputs, 1, 1]))), mode);
      const residual = conv2.apply(params.conv2, told);
      if (way === 'up') h = skipped(params, h);
      h = mpSum(h, residual, network.residualShare);
      if (attend) h = attend.apply(params, h);
      return clamp(h, { min: -network.clip, max: network.clip });
    },
  });
}

type AttendingParams = Pick<Edm2BlockParams, 'qkv' | 'proj'>;

/** Attention among pixels by the angles between queries and keys, which have unit magnitude, as values do. */
function attending(
  channels: number,
  { attentionHeadDim: size, attentionShare }: Edm2Config,
): Module<AttendingParams, readonly [x: Tensor], Tensor> {
  const qkv = scoped('qkv', mpConv({ inputs: channels, outputs: 3 * channels, kernel: 1 }));
  const proj = scoped('proj', mpConv({ inputs: channels, outputs: channels, kernel: 1 }));
  const heads = channels / size;
  return defineModule({
    init: (generator: Generator): AttendingParams => ({ qkv: qkv.init(generator), proj: proj.init(generator) }),
    apply(params: AttendingParams, x: Tensor) {
      const [n, , height, width] = x.shape as readonly [number, number, number, number];
      const all = qkv.apply(params.qkv!, x);
      const [q, k, v] = [0, 1, 2].map((part) => {
        const own = slice(all, { 1: { start: part * channels, stop: (part + 1) * channels } });
        return transpose(pixelNorm(reshape(own, [n, heads, size, height * width]), 2), [0, 1, 3, 2]);
      }) as [Tensor, Tensor, Tensor];
      const gathered = reshape(transpose(attention({ q, k, v }), [0, 1, 3, 2]), x.shape);
      return mpSum(x, proj.apply(params.proj!, gathered), attentionShare);
    },
  });
}
