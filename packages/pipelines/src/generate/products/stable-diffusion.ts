import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { loadTextEncoder, loadTokenizer } from '../../checkpoint/load-encoder.ts';
import { clipPrompts, lostNotes, textsOf } from '../clip-prompts.ts';
import { latentModel, weightsOf } from '../latent-model.ts';
import type { OpenOptions, OpenProduct, Product, PromptRequest } from '../product.ts';

/**
 * Stable Diffusion 1 and 2: one text encoder of CLIP, whose tokens a U-Net attends to; no prompt is an empty one (Rombach et al. 2022).
 */
export const stableDiffusion: Product = Object.freeze({
  name: 'stable-diffusion',
  summary: 'Stable Diffusion 1 and 2: CLIP, a U-Net with cross-attention, an autoencoder with 4 channels.',
  pipelines: ['StableDiffusionPipeline', 'StableDiffusionImg2ImgPipeline'],
  open: openStableDiffusion,
});

async function openStableDiffusion(checkpoint: Checkpoint, options: OpenOptions = {}): Promise<OpenProduct> {
  const model = await latentModel(checkpoint, {
    ...options,
    name: 'stable-diffusion',
    network: 'unet',
    side: 64,
    steps: 50,
    guidance: 7.5,
  });
  const encoder = await loadTextEncoder(checkpoint, 'text_encoder');
  const tokenizer = await loadTokenizer(checkpoint, 'tokenizer');
  const prompts = clipPrompts({ tokenizer, encoder, norm: 'always', ...(options.engine && { engine: options.engine }) });
  return Object.freeze({
    ...model,
    evidence: [...model.evidence, ...weightsOf(encoder)],
    encodePrompts: async ({ prompts: texts, negatives, clipSkip = 0 }: PromptRequest) => {
      const positive = await prompts.encode(texts, clipSkip);
      // diffusers leaves layers out for the prompt alone.
      const negative = negatives && (await prompts.encode(textsOf(negatives), 0));
      return {
        conditions: { text: positive.text },
        ...(negative && { negatives: { text: negative.text } }),
        notes: lostNotes([...positive.lost, ...(negative?.lost ?? [])], tokenizer.length),
      };
    },
    dispose: async () => {
      await prompts.dispose();
      await model.dispose();
    },
  });
}
