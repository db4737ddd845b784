import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { latentModel } from '../parts/latent-model.ts';
import { loadParts } from '../parts/load-parts.ts';
import type { OpenOptions, OpenProduct, Product, PromptRequest } from '../product.ts';
import { classNames } from '../prompts/class-prompts.ts';

/** Pictures of classes: a prompt is the name or the number of one (Peebles and Xie 2023, arXiv:2212.09748). */
export const ditProduct: Product = Object.freeze({
  name: 'dit',
  summary: 'DiT: a transformer that is told a class, by its name or number in place of a prompt, and an autoencoder with 4 channels.',
  pipelines: ['DiTPipeline'],
  open: openDit,
});

async function openDit(checkpoint: Checkpoint, given: OpenOptions = {}): Promise<OpenProduct> {
  const parts = await loadParts(checkpoint, { network: 'transformer', encoders: [] }, given);
  const model = await latentModel({ checkpoint, parts, given, name: 'dit', side: 32, steps: 50, guidance: 4 });
  const names = classNames(parts.network.module.info, checkpoint.index!.settings['id2label'], `${checkpoint.files.label}/model_index.json`);
  return Object.freeze({
    ...model,
    clipSkip: 'refused',
    encodePrompts: async ({ prompts, negatives }: PromptRequest) => ({
      conditions: { label: names.labels(prompts) },
      ...(negatives && { negatives: { label: names.labels(negatives) } }),
      notes: [],
    }),
  });
}
