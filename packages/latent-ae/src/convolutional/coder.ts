import { conv, defineModule, groupNorm, scoped, type ConvParams, type Layer, type NormParams } from '@langevin/nn';
import { silu, type Generator, type Tensor } from '@langevin/tensor';
import { level, type LevelConfig, type LevelParams } from './level.ts';
import { midBlock, type MidBlockParams } from './mid-block.ts';

export interface CoderConfig extends LevelConfig {
  readonly inputs: number;
  readonly outputs: number;
  /** Channels of each level, from the largest picture to the smallest. */
  readonly channels: readonly number[];
  readonly layers: number;
  readonly attention: 'pixels' | 'none';
}

/** Names of diffusers' `Encoder`. */
export interface EncoderParams {
  readonly conv_in: ConvParams;
  readonly down_blocks: readonly LevelParams[];
  readonly mid_block: MidBlockParams;
  readonly conv_norm_out: NormParams;
  readonly conv_out: ConvParams;
}

/** Names of diffusers' `Decoder`. */
export interface DecoderParams {
  readonly conv_in: ConvParams;
  readonly mid_block: MidBlockParams;
  readonly up_blocks: readonly LevelParams[];
  readonly conv_norm_out: NormParams;
  readonly conv_out: ConvParams;
}

/** Pictures [N, inputs, H, W] to features [N, outputs, h, w], where each level but the last halves the sides: diffusers' `Encoder`. */
export function encoder({ inputs, outputs, channels, layers, attention, ...shared }: CoderConfig): Layer<EncoderParams> {
  const last = channels.length - 1;
  const blocks = channels.map((size, i) =>
    scoped(
      `down_blocks.${i}`,
      level({ inputs: channels[Math.max(0, i - 1)]!, outputs: size, layers, resample: i === last ? 'none' : 'down', ...shared }),
    ),
  );
  const convIn = scoped('conv_in', conv({ inputs, outputs: channels[0]!, kernel: 3, axes: shared.axes ?? 2, padding: 1 }));
  const middle = scoped('mid_block', midBlock({ channels: channels[last]!, attention, ...shared }));
  const out = head({ inputs: channels[last]!, outputs, ...shared });
  return defineModule({
    init: (generator: Generator): EncoderParams => ({
      conv_in: convIn.init(generator),
      down_blocks: blocks.map((block) => block.init(generator)),
      mid_block: middle.init(generator),
      ...out.init(generator),
    }),
    apply(params: EncoderParams, x: Tensor) {
      const h = blocks.reduce((state, block, i) => block.apply(params.down_blocks[i]!, state), convIn.apply(params.conv_in, x));
      return out.apply(params, middle.apply(params.mid_block, h));
    },
  });
}

/** Features [N, inputs, h, w] to pictures [N, outputs, H, W], where each level but the last doubles the sides: diffusers' `Decoder`. */
export function decoder({ inputs, outputs, channels, layers, attention, ...shared }: CoderConfig): Layer<DecoderParams> {
  const upwards = [...channels].reverse();
  const last = upwards.length - 1;
  const blocks = upwards.map((size, i) =>
    scoped(
      `up_blocks.${i}`,
      // One residual block more than on the way down.
      level({ inputs: upwards[Math.max(0, i - 1)]!, outputs: size, layers: layers + 1, resample: i === last ? 'none' : 'up', ...shared }),
    ),
  );
  const convIn = scoped('conv_in', conv({ inputs, outputs: upwards[0]!, kernel: 3, axes: shared.axes ?? 2, padding: 1 }));
  const middle = scoped('mid_block', midBlock({ channels: upwards[0]!, attention, ...shared }));
  const out = head({ inputs: upwards[last]!, outputs, ...shared });
  return defineModule({
    init: (generator: Generator): DecoderParams => ({
      conv_in: convIn.init(generator),
      up_blocks: blocks.map((block) => block.init(generator)),
      mid_block: middle.init(generator),
      ...out.init(generator),
    }),
    apply(params: DecoderParams, z: Tensor) {
      const h = middle.apply(params.mid_block, convIn.apply(params.conv_in, z));
      return out.apply(
        params,
        blocks.reduce((state, block, i) => block.apply(params.up_blocks[i]!, state), h),
      );
    },
  });
}

/** Norm, activation, convolution. Whatever the configuration says of activations, diffusers ends with this one. */
function head({ inputs, outputs, groups, epsilon, axes = 2 }: LevelConfig & { readonly inputs: number; readonly outputs: number }) {
  const norm = scoped('conv_norm_out', groupNorm({ channels: inputs, groups, epsilon }));
  const out = scoped('conv_out', conv({ inputs, outputs, kernel: 3, axes, padding: 1 }));
  return defineModule({
    init: (generator: Generator) => ({ conv_norm_out: norm.init(generator), conv_out: out.init(generator) }),
    apply: (params: { readonly conv_norm_out: NormParams; readonly conv_out: ConvParams }, x: Tensor) =>
      out.apply(params.conv_out, silu(norm.apply(params.conv_norm_out, x))),
  });
}
