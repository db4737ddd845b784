import { activations, conv, defineModule, scoped, type ActivationName, type ConvParams, type Layer } from '@langevin/nn';
import { add, mul, silu, split, type Generator, type Tensor } from '@langevin/tensor';
import { linearAttention, type LinearAttentionConfig, type LinearAttentionParams } from './linear-attention.ts';
import { channelNorm, type ChannelNormKind, type ChannelNormParams } from './norm.ts';

export interface DcBlockConfig extends Omit<LinearAttentionConfig, 'norm'> {
  readonly type: 'ResBlock' | 'EfficientViTBlock';
  readonly norm: ChannelNormKind;
  readonly activation: ActivationName;
}

/** Names of diffusers. */
export interface DcResBlockParams {
  readonly conv1: ConvParams;
  readonly conv2: ConvParams;
  readonly norm: ChannelNormParams;
}

/** Names of diffusers' `GLUMBConv`. */
export interface GatedConvParams {
  readonly conv_inverted: ConvParams;
  readonly conv_depth: ConvParams;
  readonly conv_point: ConvParams;
  readonly norm: ChannelNormParams;
}

/** Names of diffusers. */
export interface EfficientVitBlockParams {
  readonly attn: LinearAttentionParams;
  readonly conv_out: GatedConvParams;
}

/** One block of a level. */
export const dcBlock = (config: DcBlockConfig): Layer<DcResBlockParams> | Layer<EfficientVitBlockParams> =>
  config.type === 'ResBlock' ? resBlock(config) : efficientVitBlock(config);

/** Two convolutions and a norm, added to the input. */
function resBlock({ channels, norm, activation }: DcBlockConfig): Layer<DcResBlockParams> {
  const first = scoped('conv1', conv({ inputs: channels, outputs: channels, kernel: 3, padding: 1 }));
  const second = scoped('conv2', conv({ inputs: channels, outputs: channels, kernel: 3, padding: 1, bias: 'none' }));
  const last = scoped('norm', channelNorm(norm, channels));
  const act = activations[activation];
  return defineModule({
    init: (generator: Generator): DcResBlockParams => ({
      conv1: first.init(generator),
      conv2: second.init(generator),
      norm: last.init(generator),
    }),
    apply: (params: DcResBlockParams, x: Tensor) =>
      add(last.apply(params.norm, second.apply(params.conv2, act(first.apply(params.conv1, x)))), x),
  });
}

/** Linear attention, then a gated convolution. */
function efficientVitBlock({ channels, headSize, scales, norm }: DcBlockConfig): Layer<EfficientVitBlockParams> {
  const attention = scoped('attn', linearAttention({ channels, headSize, scales, norm }));
  const gated = scoped('conv_out', gatedConv(channels));
  return defineModule({
    init: (generator: Generator): EfficientVitBlockParams => ({ attn: attention.init(generator), conv_out: gated.init(generator) }),
    apply: (params: EfficientVitBlockParams, x: Tensor) => gated.apply(params.conv_out, attention.apply(params.attn, x)),
  });
}

/** Four times the channels, twice: a 3x3 window of each, one half gated by the other. Added to the input: `GLUMBConv` of diffusers. */
function gatedConv(channels: number): Layer<GatedConvParams> {
  const wide = 8 * channels;
  const inverted = scoped('conv_inverted', conv({ inputs: channels, outputs: wide, kernel: 1 }));
  const depth = scoped('conv_depth', conv({ inputs: wide, outputs: wide, kernel: 3, padding: 1, groups: wide }));
  const point = scoped('conv_point', conv({ inputs: wide / 2, outputs: channels, kernel: 1, bias: 'none' }));
  const last = scoped('norm', channelNorm('rms_norm', channels));
  return defineModule({
    init: (generator: Generator): GatedConvParams => ({
      conv_inverted: inverted.init(generator),
      conv_depth: depth.init(generator),
      conv_point: point.init(generator),
      norm: last.init(generator),
    }),
    apply(params: GatedConvParams, x: Tensor) {
      const h = depth.apply(params.conv_depth, silu(inverted.apply(params.conv_inverted, x)));
      const [value, gate] = split(h, 2, 1) as [Tensor, Tensor];
      return add(last.apply(params.norm, point.apply(params.conv_point, mul(value, silu(gate)))), x);
    },
  });
}
