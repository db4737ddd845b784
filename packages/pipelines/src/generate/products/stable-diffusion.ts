import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { latentModel } from '../parts/latent-model.ts';
import { layersLeftOut } from '../prompt-options.ts';
import { loadParts, textOf } from '../parts/load-parts.ts';
import { releasing } from '../parts/releasing.ts';
import type { OpenOptions, OpenProduct, Product, PromptRequest } from '../product.ts';
import { clipPrompts, plansOf, textsOf } from '../prompts/clip-prompts.ts';

/**
 * Stable Diffusion 1 and 2: one text encoder of CLIP, whose tokens a U-Net attends to; no prompt is an empty one (Rombach et al. 2022).
 */
export const stableDiffusion: Product = Object.freeze({
  name: 'stable-diffusion',
  summary: 'Stable Diffusion 1 and 2: CLIP, a U-Net with cross-attention, an autoencoder with 4 channels.',
  pipelines: [
    'StableDiffusionPipeline',
    'StableDiffusionImg2ImgPipeline',
    'StableDiffusionInpaintPipeline',
    'StableDiffusionControlNetPipeline',
    'StableDiffusionControlNetImg2ImgPipeline',
    'StableDiffusionAdapterPipeline',
    'LatentConsistencyModelPipeline',
  ],
  open: openStableDiffusion,
});

async function openStableDiffusion(checkpoint: Checkpoint, given: OpenOptions = {}): Promise<OpenProduct> {
  const parts = await loadParts(checkpoint, { network: 'unet', encoders: ['text_encoder'] }, given);
  const distilled = checkpoint.index!.className === 'LatentConsistencyModelPipeline';
  const usual = distilled ? { steps: 4, guidance: 8.5 } : { steps: 50, guidance: 7.5 };
  const model = await latentModel({ checkpoint, parts, given, name: 'stable-diffusion', side: 64, ...usual });
  const text = textOf(parts, 'text_encoder');
  const prompts = clipPrompts({ text, norm: 'always', ...(given.engine && { engine: given.engine }) });
  return Object.freeze({
    ...model,
    clipSkip: 'taken',
    promptForms: 'taken',
    encodePrompts: async ({ prompts: texts, negatives, form, ...rest }: PromptRequest) => {
      const { positive, negative, windows, notes } = plansOf([prompts], {
        prompts: texts,
        negatives: negatives && textsOf(negatives),
        form,
      });
      const skip = layersLeftOut(rest, 0);
      const { text: own } = await prompts.encode(positive[0]!, { skip: skip.prompt, windows });
      const other = negative && (await prompts.encode(negative[0]!, { skip: skip.negative, windows }));
      return { conditions: { text: own }, ...(other && { negatives: { text: other.text } }), notes };
    },
    ...releasing(model, [prompts]),
  });
}
