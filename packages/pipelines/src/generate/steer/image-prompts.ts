import { imagePromptName, imagePromptScaleName } from '@langevin/backbones';
import type { Conditions } from '@langevin/core';
import type { Image } from '@langevin/io';
import { inFloat32 } from '@langevin/nn';
import { compile, expandDims, mul, scalar, tensor, type Engine, type Tensor } from '@langevin/tensor';
import type { OpenImagePrompt } from './open-image-prompts.ts';

/** What one IP-Adapter is told, checked. */
export interface ImagePromptCall {
  /** One for each picture that is made. */
  readonly pictures: readonly Image[];
  readonly scale: number;
}

/** What the network is told of pictures: for the prompts, and in place of them. */
export interface ImagePromptConditions {
  readonly conditions: Conditions;
  readonly negatives: Conditions;
}

/**
 * Pictures to the tokens that the network attends to: from the features of the whole where the adapter is a plain one, whose opposite is
 * none, and from the parts of the picture, of the last but one layer, elsewhere, whose opposite is a grey picture. As in diffusers.
 */
export async function imagePromptConditions(
  adapters: readonly OpenImagePrompt[],
  calls: readonly ImagePromptCall[],
  onEngine: { readonly engine?: Engine },
): Promise<ImagePromptConditions> {
  const conditions: Record<string, Tensor> = {};
  const negatives: Record<string, Tensor> = {};
  for (const [i, { encoder, preparation, kind, projection }] of adapters.entries()) {
    const { pictures, scale } = calls[i]!;
    const tokens = compile(
      (encoderParams: unknown, projectionParams: unknown, pixels: Tensor) => {
        const encode = (of: Tensor): Tensor => {
          const { pooled, states } = encoder.module.apply(inFloat32(encoderParams), of);
          return expandDims(kind === 'plain' ? pooled : states.at(-2)!, [1]);
        };
        const projected = (features: Tensor): Tensor => projection.module.apply(inFloat32(projectionParams) as never, features);
        const features = encode(pixels);
        const opposite = kind === 'plain' ? mul(features, scalar(0)) : encode(mul(pixels, scalar(0)));
        return { shown: projected(features), opposite: projected(opposite) };
      },
      { name: 'image prompt', ...onEngine },
    );
    const { shown, opposite } = await tokens(encoder.params as never, projection.params as never, preparation.pixels(pictures) as never);
    await tokens.dispose();
    const scales = tensor(new Float32Array(pictures.length).fill(scale), { shape: [pictures.length] });
    for (const [told, value] of [
      [conditions, shown],
      [negatives, opposite],
    ] as const) {
      told[imagePromptName(i)] = value;
      told[imagePromptScaleName(i)] = scales;
    }
  }
  return { conditions, negatives };
}
