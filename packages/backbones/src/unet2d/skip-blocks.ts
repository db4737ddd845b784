import { add, concat, silu, type Generator, type Tensor } from '@langevin/tensor';
import {
  constant,
  conv,
  defineModule,
  firDoubled,
  firHalved,
  groupNorm,
  resnetBlock,
  scoped,
  type ConvParams,
  type Module,
  type NormParams,
  type ResnetBlockConfig,
  type ResnetBlockParams,
} from '@langevin/nn';
import type { SharedResnet } from '../unet/blocks.ts';
import type { Flow } from '../unet/flow.ts';
import { pixelPart, stages, type StagesParams } from '../unet/stages.ts';

/** Sums with shortcuts keep their variance. */
const SCALE = Math.SQRT2;
/** Of the attention, whatever the configuration says. */
const ATTENTION_GROUPS = 32;
/** Channels of the picture that runs beside the features, which diffusers fixes. */
const PICTURE = 3;

const groupsOf = (channels: number): number => Math.min(Math.floor(channels / 4), 32);

interface SkipLevel {
  readonly inputs: number;
  readonly outputs: number;
  readonly resnet: SharedResnet;
  /** Features of each attention head; undefined for a block without attention. */
  readonly headSize: number | undefined;
  /** Whether the level below or above is another one. */
  readonly ends: 'here' | 'resampled';
}

/** Residual blocks of NCSN++: their norms have groups of their own. */
const skipResnet = (shared: SharedResnet, sizes: { readonly inputs: number; readonly outputs: number }): ResnetBlockConfig => ({
  ...shared,
  ...sizes,
  groups: groupsOf(sizes.inputs),
  groupsOut: groupsOf(sizes.outputs),
  outputScale: SCALE,
});

const attentionOf = ({ outputs, headSize, resnet }: SkipLevel) =>
  headSize === undefined
    ? undefined
    : pixelPart({
        channels: outputs,
        headSize,
        groups: ATTENTION_GROUPS,
        epsilon: resnet.epsilon ?? 1e-6,
        outputScale: SCALE,
        lastInit: resnet.lastInit ?? 'uniform',
      });

/** Names of diffusers. */
export interface SkipDownBlockParams extends StagesParams {
  readonly resnet_down?: ResnetBlockParams;
  readonly skip_conv?: ConvParams;
}

/** What comes out of a block on the way down: features, what the way up will want, and the picture at their size. */
export interface Down {
  readonly x: Tensor;
  readonly skips: readonly Tensor[];
  readonly picture: Tensor;
}

/** Features go through the blocks, and a picture beside them: it is the input, made smaller, and is added to the features. */
export type PicturedDownBlock<P> = Module<P, readonly [flow: Flow, picture: Tensor], Down>;

/** `SkipDownBlock2D` and `AttnSkipDownBlock2D` of diffusers, of NCSN++ with `progressive_input='residual'`. */
export function skipDownBlock(config: SkipLevel & { readonly layers: number }): PicturedDownBlock<SkipDownBlockParams> {
  const { inputs, outputs, resnet, layers } = config;
  const inner = stages(
    Array.from({ length: layers }, (_, i) => ({
      resnet: skipResnet(resnet, { inputs: i === 0 ? inputs : outputs, outputs }),
      attention: attentionOf(config),
    })),
  );
  const isEnd = config.ends === 'here';
  const down = scoped(
    'resnet_down',
    resnetBlock({ ...skipResnet(resnet, { inputs: outputs, outputs }), resample: 'fir-down', shortcut: 'always' }),
  );
  const skipConv = scoped('skip_conv', conv({ inputs: PICTURE, outputs, kernel: 1 }));
  return defineModule({
    init: (generator: Generator): SkipDownBlockParams => ({
      ...inner.init(generator),
      ...(!isEnd && { resnet_down: down.init(generator), skip_conv: skipConv.init(generator) }),
    }),
    apply(params: SkipDownBlockParams, flow: Flow, picture: Tensor) {
      const skips: Tensor[] = [];
      let x = flow.x;
      for (let i = 0; i < inner.count; i++) skips.push((x = inner.run(params, i, { ...flow, x })));
      if (isEnd) return { x, skips, picture };
      const smaller = firHalved(picture);
      x = add(skipConv.apply(params.skip_conv!, smaller), down.apply(params.resnet_down!, x, flow));
      return { x, skips: [...skips, x], picture: smaller };
    },
  });
}

/** Names of diffusers. */
export interface SkipUpBlockParams extends StagesParams {
  readonly resnet_up?: ResnetBlockParams;
  readonly skip_conv?: ConvParams;
  readonly skip_norm?: NormParams;
}

/** What comes out of a block on the way up; no picture before the first block that makes one. */
export interface Up {
  readonly x: Tensor;
  readonly picture: Tensor | undefined;
}

/** What stands beside the features on the way up. */
export interface Beside {
  /** From the way down, the last one first taken. */
  readonly skips: readonly Tensor[];
  readonly picture: Tensor | undefined;
}

/** The picture of the way up is the sum of what each level says of it, made larger. */
export type PicturedUpBlock<P> = Module<P, readonly [flow: Flow, beside: Beside], Up> & {
  readonly skipCount: number;
};

/** `SkipUpBlock2D` and `AttnSkipUpBlock2D` of diffusers, of NCSN++ with `progressive='output_skip'`. */
export function skipUpBlock(config: SkipLevel & { readonly skips: readonly number[] }): PicturedUpBlock<SkipUpBlockParams> {
  const { inputs, outputs, resnet, skips, headSize } = config;
  const last = skips.length - 1;
  const resnets = stages(
    skips.map((skip, i) => {
      const from = i === 0 ? inputs : outputs;
      const sizes = skipResnet(resnet, { inputs: from + skip, outputs });
      // diffusers divides only one of the two by 4 where there is attention.
      return {
        resnet: headSize === undefined ? sizes : { ...sizes, groups: Math.min(from + Math.floor(skip / 4), 32) },
        // One attention, behind all residual blocks.
        attention: i === last ? attentionOf(config) : undefined,
      };
    }),
  );
  const isEnd = config.ends === 'here';
  const up = scoped(
    'resnet_up',
    resnetBlock({ ...skipResnet(resnet, { inputs: outputs, outputs }), resample: 'fir-up', shortcut: 'always' }),
  );
  // A network that starts at zero gives nothing here either.
  const zero = resnet.lastInit === 'zero' ? { weightInit: constant(0), biasInit: constant(0) } : {};
  const skipConv = scoped('skip_conv', conv({ inputs: outputs, outputs: PICTURE, kernel: 3, padding: 1, ...zero }));
  const skipNorm = groupNorm({ channels: outputs, groups: groupsOf(outputs), epsilon: resnet.epsilon ?? 1e-6 });
  const module = defineModule({
    init: (generator: Generator): SkipUpBlockParams => ({
      ...resnets.init(generator),
      ...(!isEnd && {
        resnet_up: up.init(generator),
        skip_conv: skipConv.init(generator),
        skip_norm: skipNorm.init(generator),
      }),
    }),
    apply(params: SkipUpBlockParams, flow: Flow, { skips: skipTensors, picture }: Beside) {
      let x = flow.x;
      for (let i = 0; i < resnets.count; i++) x = resnets.run(params, i, { ...flow, x: concat([x, skipTensors[last - i]!], 1) });
      const larger = picture && firDoubled(picture);
      if (isEnd) return { x, picture: larger };
      const told = skipConv.apply(params.skip_conv!, silu(skipNorm.apply(params.skip_norm!, x)));
      return { x: up.apply(params.resnet_up!, x, flow), picture: larger ? add(larger, told) : told };
    },
  });
  return Object.freeze({ ...module, skipCount: resnets.count });
}
