import type { Generator, Tensor } from '@langevin/tensor';
import {
  pixelAttention,
  resnetBlock,
  scoped,
  type Mode,
  type PixelAttentionConfig,
  type PixelAttentionParams,
  type ResnetBlockConfig,
  type ResnetBlockParams,
} from '@langevin/nn';

/** Names of diffusers. */
export interface StagesParams {
  readonly resnets: readonly ResnetBlockParams[];
  readonly attentions?: readonly PixelAttentionParams[];
}

/** Residual blocks, each with attention behind it where wanted: what down, middle and up blocks have in common. */
export interface Stages {
  readonly count: number;
  readonly init: (generator: Generator) => StagesParams;
  /** Run the stage at `index`. */
  readonly run: (
    params: StagesParams,
    index: number,
    inputs: { readonly x: Tensor; readonly embedding: Tensor; readonly mode: Mode | undefined },
  ) => Tensor;
}

export function stages(
  configs: readonly { readonly resnet: ResnetBlockConfig; readonly attention?: PixelAttentionConfig | undefined }[],
): Stages {
  let attentionCount = 0;
  const parts = configs.map(({ resnet, attention }, i) => {
    const place = attention ? attentionCount++ : -1;
    return {
      resnet: scoped(`resnets.${i}`, resnetBlock(resnet)),
      attention: attention && { place, module: scoped(`attentions.${place}`, pixelAttention(attention)) },
    };
  });
  return {
    count: parts.length,
    init(generator) {
      const resnets: ResnetBlockParams[] = [];
      const attentions: PixelAttentionParams[] = [];
      // Draws alternate, as in diffusers' constructors.
      for (const { resnet, attention } of parts) {
        resnets.push(resnet.init(generator));
        if (attention) attentions.push(attention.module.init(generator));
      }
      return attentions.length > 0 ? { attentions, resnets } : { resnets };
    },
    run(params, index, { x, embedding, mode }) {
      const { resnet, attention } = parts[index]!;
      const h = resnet.apply(params.resnets[index]!, x, { embedding, mode });
      return attention ? attention.module.apply(params.attentions![attention.place]!, h, mode) : h;
    },
  };
}
