import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { latentModel } from '../parts/latent-model.ts';
import { loadParts, textOf } from '../parts/load-parts.ts';
import { releasing } from '../parts/releasing.ts';
import type { OpenOptions, OpenProduct, Product, PromptRequest } from '../product.ts';
import { clipPrompts, lostNotes, textsOf } from '../prompts/clip-prompts.ts';

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
    encodePrompts: async ({ prompts: texts, negatives, clipSkip = 0 }: PromptRequest) => {
      const positive = await prompts.encode(texts, clipSkip);
      // diffusers leaves layers out for the prompt alone.
      const negative = negatives && (await prompts.encode(textsOf(negatives), 0));
      return {
        conditions: { text: positive.text },
        ...(negative && { negatives: { text: negative.text } }),
        notes: lostNotes([...positive.lost, ...(negative?.lost ?? [])], text.tokenizer.length),
      };
    },
    ...releasing(model, [prompts]),
  });
}
