import type { Generator, Tensor } from '@langevin/tensor';
import {
  defineModule,
  flowWithin,
  pixelAttention,
  resnetBlock,
  scoped,
  transformer2d,
  type Module,
  type PixelAttentionConfig,
  type PixelAttentionParams,
  type ResnetBlockConfig,
  type ResnetBlockParams,
  type Transformer2dConfig,
  type Transformer2dParams,
} from '@langevin/nn';
import type { Flow } from './flow.ts';

/** Attention of any kind over the features of a flow. */
export type AttentionPart<A> = Module<A, readonly [flow: Flow], Tensor>;

/** Among the pixels. */
export function pixelPart(config: PixelAttentionConfig): AttentionPart<PixelAttentionParams> {
  const layer = pixelAttention(config);
  return defineModule({ init: layer.init, apply: (params: PixelAttentionParams, { x, mode }: Flow) => layer.apply(params, x, mode) });
}

/** Among the pixels, and from them to a context. */
export function transformerPart(config: Transformer2dConfig): AttentionPart<Transformer2dParams> {
  const block = transformer2d(config);
  return defineModule({ init: block.init, apply: (params: Transformer2dParams, { x, ...flow }: Flow) => block.apply(params, x, flow) });
}

/** Names of diffusers. */
export interface StagesParams<A = PixelAttentionParams> {
  readonly resnets: readonly ResnetBlockParams[];
  readonly attentions?: readonly A[];
}

/** A residual block, and attention behind it where wanted. */
export interface StageConfig<A> {
  readonly resnet: ResnetBlockConfig;
  readonly attention?: AttentionPart<A> | undefined;
}

/** Stages one after another: what down, middle and up blocks have in common. */
export interface Stages<A> {
  readonly count: number;
  readonly init: (generator: Generator) => StagesParams<A>;
  /** Run the stage at `index`. */
  readonly run: (params: StagesParams<A>, index: number, flow: Flow) => Tensor;
}

export function stages<A>(configs: readonly StageConfig<A>[]): Stages<A> {
  let attentionCount = 0;
  const parts = configs.map(({ resnet, attention }, i) => {
    const place = attention ? attentionCount++ : -1;
    return {
      resnet: scoped(`resnets.${i}`, resnetBlock(resnet)),
      attention: attention && { place, module: scoped(`attentions.${place}`, attention) },
    };
  });
  return {
    count: parts.length,
    init(generator) {
      const resnets: ResnetBlockParams[] = [];
      const attentions: A[] = [];
      // Draws alternate, as in diffusers' constructors.
      for (const { resnet, attention } of parts) {
        resnets.push(resnet.init(generator));
        if (attention) attentions.push(attention.module.init(generator));
      }
      return attentions.length > 0 ? { attentions, resnets } : { resnets };
    },
    run(params, index, flow) {
      const { resnet, attention } = parts[index]!;
      const h = resnet.apply(params.resnets[index]!, flow.x, flow);
      if (!attention) return h;
      return attention.module.apply(params.attentions![attention.place]!, {
        ...flowWithin(flow, `attentions.${attention.place}`),
        x: h,
      });
    },
  };
}
