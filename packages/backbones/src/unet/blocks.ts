import { concat, InternalError, type Generator, type Tensor } from '@langevin/tensor';
import {
  defineModule,
  downsample,
  resnetBlock,
  scoped,
  upsample,
  type Module,
  type PixelAttentionParams,
  type ResampleParams,
  type ResnetBlockConfig,
  type ResnetBlockParams,
} from '@langevin/nn';
import { addFeatures } from './add-features.ts';
import type { Flow } from './flow.ts';
import { stages, type AttentionPart, type StagesParams } from './stages.ts';

/** How a block changes height and width at its end. */
export type ResampleKind = 'none' | 'conv' | 'resnet';

/** All that residual blocks of one level share. */
export type SharedResnet = Omit<ResnetBlockConfig, 'inputs' | 'outputs' | 'resample'>;

interface LevelConfig<A> {
  /** Channels that come in. */
  readonly inputs: number;
  readonly outputs: number;
  readonly resnet: SharedResnet;
  /** The attention behind the residual block at an index; undefined for a block without. */
  readonly attention: ((index: number) => AttentionPart<A>) | undefined;
  readonly resample: ResampleKind;
}

export interface DownBlockConfig<A> extends LevelConfig<A> {
  /** Residual blocks. */
  readonly layers: number;
  /** Of a convolution that halves. */
  readonly padding: 0 | 1;
}

export interface DownBlockParams<A = PixelAttentionParams> extends StagesParams<A> {
  readonly downsamplers?: readonly (ResampleParams | ResnetBlockParams)[];
}

/** What goes through a block on the way down. */
export interface DownFlow extends Flow {
  /** Added to what the last stage gives: the features of a T2I-Adapter. */
  readonly residual?: Tensor | undefined;
  /** For messages. */
  readonly residualName?: string;
}

/** Blocks of one level on the way down; gives the result and what the way up will want. */
export type DownBlock<A = PixelAttentionParams> = Module<
  DownBlockParams<A>,
  readonly [flow: DownFlow],
  { readonly x: Tensor; readonly skips: readonly Tensor[] }
>;

type Resampler = Module<ResampleParams | ResnetBlockParams, readonly [flow: Flow, size?: readonly number[]], Tensor>;

function convDown(config: { readonly channels: number; readonly padding: 0 | 1 }): Resampler {
  const layer = downsample(config);
  return defineModule({
    init: layer.init,
    apply: (params: ResampleParams | ResnetBlockParams, { x }: Flow) => layer.apply(params as ResampleParams, x),
  });
}

function convUp(config: { readonly channels: number }): Resampler {
  const layer = upsample(config);
  return defineModule({
    init: layer.init,
    apply: (params: ResampleParams | ResnetBlockParams, { x }: Flow, size?: readonly number[]) =>
      layer.apply(params as ResampleParams, x, size),
  });
}

function resnetResampler(config: ResnetBlockConfig): Resampler {
  const block = resnetBlock(config);
  return defineModule({
    init: block.init,
    apply: (params: ResampleParams | ResnetBlockParams, flow: Flow) => block.apply(params as ResnetBlockParams, flow.x, flow),
  });
}

/** `DownBlock2D` of diffusers, and those of its relatives that only have another attention. */
export function downBlock<A>({ inputs, outputs, resnet, attention, ...config }: DownBlockConfig<A>): DownBlock<A> {
  const inner = stages(
    Array.from({ length: config.layers }, (_, i) => ({
      resnet: { ...resnet, inputs: i === 0 ? inputs : outputs, outputs },
      attention: attention?.(i),
    })),
  );
  const made =
    config.resample === 'conv'
      ? convDown({ channels: outputs, padding: config.padding })
      : resnetResampler({ ...resnet, inputs: outputs, resample: 'down' });
  const down = config.resample === 'none' ? undefined : scoped('downsamplers.0', made);
  return defineModule({
    init: (generator: Generator): DownBlockParams<A> => ({
      ...inner.init(generator),
      ...(down && { downsamplers: [down.init(generator)] }),
    }),
    apply(params: DownBlockParams<A>, { residual, residualName = 'residual', ...flow }: DownFlow) {
      const skips: Tensor[] = [];
      let h = flow.x;
      // A block without attention takes the residual behind its resampling, as diffusers has it.
      const last = attention === undefined && down ? -1 : inner.count - 1;
      for (let i = 0; i < inner.count; i++) {
        h = inner.run(params, i, { ...flow, x: h });
        if (i === last) h = addFeatures(h, residual, residualName);
        skips.push(h);
      }
      if (down) {
        h = down.apply(params.downsamplers![0]!, { ...flow, x: h });
        if (last === -1) h = addFeatures(h, residual, residualName);
        skips.push(h);
      }
      return { x: h, skips };
    },
  });
}

export interface UpBlockConfig<A> extends LevelConfig<A> {
  /** Channels of the skips that each residual block takes, in order. */
  readonly skips: readonly number[];
}

export interface UpBlockParams<A = PixelAttentionParams> extends StagesParams<A> {
  readonly upsamplers?: readonly (ResampleParams | ResnetBlockParams)[];
}

/** What goes through a block on the way up. */
export interface UpFlow extends Flow {
  /** Height and width after the block. @default twice those before */
  readonly size?: readonly number[] | undefined;
}

/** Blocks of one level on the way up; takes `skips.length` tensors from the end of the list. */
export type UpBlock<A = PixelAttentionParams> = Module<UpBlockParams<A>, readonly [flow: UpFlow, skips: readonly Tensor[]], Tensor> & {
  readonly skipCount: number;
};

/** `UpBlock2D` of diffusers, and those of its relatives that only have another attention. */
export function upBlock<A>({ inputs, skips, outputs, resnet, attention, resample }: UpBlockConfig<A>): UpBlock<A> {
  const inner = stages(
    skips.map((skip, i) => ({
      resnet: { ...resnet, inputs: (i === 0 ? inputs : outputs) + skip, outputs },
      attention: attention?.(i),
    })),
  );
  const made = resample === 'conv' ? convUp({ channels: outputs }) : resnetResampler({ ...resnet, inputs: outputs, resample: 'up' });
  const up = resample === 'none' ? undefined : scoped('upsamplers.0', made);
  const module = defineModule({
    init: (generator: Generator): UpBlockParams<A> => ({ ...inner.init(generator), ...(up && { upsamplers: [up.init(generator)] }) }),
    apply(params: UpBlockParams<A>, { size, ...flow }: UpFlow, skipTensors: readonly Tensor[]) {
      if (skipTensors.length !== inner.count)
        throw new InternalError(`[backbones/unet] skips do not match: given=${skipTensors.length}, wanted=${inner.count}.`);
      let h = flow.x;
      for (let i = 0; i < inner.count; i++) {
        const skip = skipTensors[inner.count - 1 - i]!;
        h = inner.run(params, i, { ...flow, x: concat([h, skip], 1) });
      }
      return up ? up.apply(params.upsamplers![0]!, { ...flow, x: h }, size) : h;
    },
  });
  return Object.freeze({ ...module, skipCount: inner.count });
}
