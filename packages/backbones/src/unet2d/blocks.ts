import { concat, InternalError, type Generator, type Tensor } from '@langevin/tensor';
import {
  defineModule,
  downsample,
  resnetBlock,
  scoped,
  upsample,
  type Mode,
  type Module,
  type PixelAttentionConfig,
  type ResampleParams,
  type ResnetBlockConfig,
  type ResnetBlockParams,
} from '@langevin/nn';
import { stages, type StagesParams } from './stages.ts';

/** What all blocks of one network share. */
export interface SharedConfig {
  readonly resnet: Omit<ResnetBlockConfig, 'inputs' | 'outputs' | 'resample'>;
  readonly attention: Omit<PixelAttentionConfig, 'channels'>;
}

/** How a block changes height and width at its end. */
export type ResampleKind = 'none' | 'conv' | 'resnet';

export interface DownBlockConfig {
  readonly inputs: number;
  readonly outputs: number;
  /** Residual blocks. */
  readonly layers: number;
  readonly attention: 'none' | 'pixels';
  readonly resample: ResampleKind;
  /** Of a convolution that halves. */
  readonly padding: 0 | 1;
  readonly shared: SharedConfig;
}

export interface DownBlockParams extends StagesParams {
  readonly downsamplers?: readonly (ResampleParams | ResnetBlockParams)[];
}

/** Where a block stands: what flows through it and what conditions it. */
export interface Flow {
  readonly x: Tensor;
  /** [N, E] */
  readonly embedding: Tensor;
  readonly mode: Mode | undefined;
}

/** Blocks of one level on the way down; gives the result and what the way up will want. */
export type DownBlock = Module<DownBlockParams, readonly [flow: Flow], { readonly x: Tensor; readonly skips: readonly Tensor[] }>;

type Resampler = Module<ResampleParams | ResnetBlockParams, readonly [flow: Flow], Tensor>;

function downsampler({ resample, outputs, padding, shared }: DownBlockConfig): Resampler | undefined {
  if (resample === 'none') return undefined;
  return resample === 'conv'
    ? convResampler(downsample({ channels: outputs, padding }))
    : resnetResampler({ ...shared.resnet, inputs: outputs, resample: 'down' });
}

function convResampler(layer: ReturnType<typeof downsample>): Resampler {
  return defineModule({
    init: layer.init,
    apply: (params: ResampleParams | ResnetBlockParams, { x }: Flow) => layer.apply(params as ResampleParams, x),
  });
}

function resnetResampler(config: ResnetBlockConfig): Resampler {
  const block = resnetBlock(config);
  return defineModule({
    init: block.init,
    apply: (params: ResampleParams | ResnetBlockParams, { x, embedding, mode }: Flow) =>
      block.apply(params as ResnetBlockParams, x, { embedding, mode }),
  });
}

/** `DownBlock2D` and `AttnDownBlock2D` of diffusers. */
export function downBlock(config: DownBlockConfig): DownBlock {
  const { inputs, outputs, layers, attention, shared } = config;
  const inner = stages(
    Array.from({ length: layers }, (_, i) => ({
      resnet: { ...shared.resnet, inputs: i === 0 ? inputs : outputs, outputs },
      attention: attention === 'none' ? undefined : { ...shared.attention, channels: outputs },
    })),
  );
  const made = downsampler(config);
  const down = made && scoped('downsamplers.0', made);
  return defineModule({
    init: (generator: Generator): DownBlockParams => ({ ...inner.init(generator), ...(down && { downsamplers: [down.init(generator)] }) }),
    apply(params: DownBlockParams, { x, embedding, mode }: Flow) {
      const skips: Tensor[] = [];
      let h = x;
      for (let i = 0; i < inner.count; i++) skips.push((h = inner.run(params, i, { x: h, embedding, mode })));
      if (down) skips.push((h = down.apply(params.downsamplers![0]!, { x: h, embedding, mode })));
      return { x: h, skips };
    },
  });
}

export interface UpBlockConfig {
  /** Channels that come from below. */
  readonly inputs: number;
  /** Channels of the skips that each residual block takes, in order. */
  readonly skips: readonly number[];
  readonly outputs: number;
  readonly attention: 'none' | 'pixels';
  readonly resample: ResampleKind;
  readonly shared: SharedConfig;
}

export interface UpBlockParams extends StagesParams {
  readonly upsamplers?: readonly (ResampleParams | ResnetBlockParams)[];
}

/** Blocks of one level on the way up; takes `skips.length` tensors from the end of the list. */
export type UpBlock = Module<UpBlockParams, readonly [flow: Flow, skips: readonly Tensor[]], Tensor> & { readonly skipCount: number };

/** `UpBlock2D` and `AttnUpBlock2D` of diffusers. */
export function upBlock(config: UpBlockConfig): UpBlock {
  const { inputs, skips, outputs, attention, resample, shared } = config;
  const inner = stages(
    skips.map((skip, i) => ({
      resnet: { ...shared.resnet, inputs: (i === 0 ? inputs : outputs) + skip, outputs },
      attention: attention === 'none' ? undefined : { ...shared.attention, channels: outputs },
    })),
  );
  const made =
    resample === 'conv'
      ? convResampler(upsample({ channels: outputs }))
      : resnetResampler({ ...shared.resnet, inputs: outputs, resample: 'up' });
  const up = resample === 'none' ? undefined : scoped('upsamplers.0', made);
  const module = defineModule({
    init: (generator: Generator): UpBlockParams => ({ ...inner.init(generator), ...(up && { upsamplers: [up.init(generator)] }) }),
    apply(params: UpBlockParams, { x, embedding, mode }: Flow, skipTensors: readonly Tensor[]) {
      if (skipTensors.length !== inner.count)
        throw new InternalError(`[backbones/unet2d] skips do not match: given=${skipTensors.length}, wanted=${inner.count}.`);
      let h = x;
      for (let i = 0; i < inner.count; i++) {
        const skip = skipTensors[inner.count - 1 - i]!;
        h = inner.run(params, i, { x: concat([h, skip], 1), embedding, mode });
      }
      return up ? up.apply(params.upsamplers![0]!, { x: h, embedding, mode }) : h;
    },
  });
  return Object.freeze({ ...module, skipCount: inner.count });
}
