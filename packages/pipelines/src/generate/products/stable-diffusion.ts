import { componentOf, type Checkpoint } from '../../checkpoint/checkpoint.ts';
import { loadAutoencoder, loadTextEncoder, loadTokenizer } from '../../checkpoint/load-encoder.ts';
import { loadNetwork, weightEvidence } from '../../checkpoint/load-network.ts';
import { repairScheduler } from '../../checkpoint/repair-scheduler.ts';
import { noiseOfScheduler } from '../../checkpoint/scheduler-noise.ts';
import { fromDiffusersConfig } from '@langevin/samplers/compat';
import { clipPrompts, lostNotes } from '../clip-prompts.ts';
import { pictureSide } from '../picture-side.ts';
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

async function openStableDiffusion(checkpoint: Checkpoint, { engine, prediction }: OpenOptions = {}): Promise<OpenProduct> {
  const unet = await loadNetwork(checkpoint, 'unet');
  const vae = await loadAutoencoder(checkpoint);
  const encoder = await loadTextEncoder(checkpoint, 'text_encoder');
  const tokenizer = await loadTokenizer(checkpoint, 'tokenizer');
  const filled = fromDiffusersConfig(componentOf(checkpoint, 'scheduler').config);
  const repaired = repairScheduler({ _class_name: filled.className, ...filled.config }, checkpoint.index!.className);
  const { noise, evidence } = noiseOfScheduler(repaired.config, prediction === undefined ? {} : { prediction });
  const prompts = clipPrompts({ tokenizer, encoder, norm: 'always', ...(engine && { engine }) });
  const factor = vae.module.info.factor[0]!;
  const { width, height, ...side } = pictureSide(unet, { factor, early: 64 });
  return Object.freeze({
    name: stableDiffusion.name,
    label: checkpoint.files.label,
    network: unet,
    autoencoder: vae,
    scheduler: repaired.config,
    noise,
    state: { channels: vae.module.info.channels, factor },
    usual: { size: { width, height }, steps: 50, guidance: 7.5 },
    multiple: factor,
    evidence: [
      ...checkpoint.evidence,
      ...[unet, vae, encoder].flatMap(weightEvidence),
      ...repaired.evidence,
      ...evidence,
      ...side.evidence,
    ],
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
    dispose: prompts.dispose,
  });
}

/** No text is the empty one. */
function textsOf(negatives: readonly (string | undefined)[]): readonly string[] {
  return negatives.map((text) => text ?? '');
}
