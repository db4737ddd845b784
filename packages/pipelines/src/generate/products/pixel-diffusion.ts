import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { latentModel } from '../parts/latent-model.ts';
import { loadParts } from '../parts/load-parts.ts';
import type { OpenOptions, OpenProduct, Product, PromptRequest } from '../product.ts';
import { classNames } from '../prompts/class-prompts.ts';

/**
 * A network over pixels without a text: DDPM (Ho et al. 2020, arXiv:2006.11239) and whatever is stored like it. One that knows classes is
 * told one in place of a prompt.
 */
export const pixelDiffusion: Product = Object.freeze({
  name: 'pixel-diffusion',
  summary: 'DDPM and its kind: a U-Net over pixels, without a prompt, or with the name or number of a class.',
  pipelines: ['DDPMPipeline', 'DDIMPipeline'],
  open: openPixelDiffusion,
});

/** A pipeline that takes this scheduler, whatever the file says. */
const SCHEDULERS: Readonly<Record<string, string>> = { DDIMPipeline: 'DDIMScheduler' };

async function openPixelDiffusion(checkpoint: Checkpoint, given: OpenOptions = {}): Promise<OpenProduct> {
  const { className, settings } = checkpoint.index!;
  const parts = await loadParts(checkpoint, { network: 'unet', encoders: [], autoencoder: 'none' }, given);
  const steps = className === 'DDIMPipeline' ? 50 : 1000;
  const model = await latentModel({ checkpoint, parts, given, name: 'pixel-diffusion', side: 32, steps, guidance: 1 });
  const { info } = parts.network.module;
  const names =
    info.conditions['label'] === undefined
      ? undefined
      : classNames(info, settings['id2label'], `${checkpoint.files.label}/model_index.json`);
  const scheduler = SCHEDULERS[className];
  return Object.freeze({
    ...model,
    ...(scheduler !== undefined && { scheduler: { ...model.scheduler, _class_name: scheduler } }),
    prompts: names ? 'taken' : 'none',
    clipSkip: 'refused',
    encodePrompts: ({ prompts, negatives }: PromptRequest) =>
      Promise.resolve({
        conditions: names ? { label: names.labels(prompts) } : {},
        ...(names && negatives && { negatives: { label: names.labels(negatives) } }),
        notes: [],
      }),
  });
}
