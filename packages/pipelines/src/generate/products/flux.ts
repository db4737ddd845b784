import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { latentModel } from '../parts/latent-model.ts';
import { loadParts, textOf } from '../parts/load-parts.ts';
import { releasing } from '../parts/releasing.ts';
import { shiftedTimesteps } from '../parts/shifted-timesteps.ts';
import type { OpenOptions, OpenProduct, Product, PromptRequest } from '../product.ts';
import { clipPrompts, lostNotes, textsOf } from '../prompts/clip-prompts.ts';
import { t5Prompts } from '../prompts/t5-prompts.ts';

/** Flux.1: tokens of T5, the whole text by CLIP, a transformer on a flow (Black Forest Labs 2024). */
export const fluxProduct: Product = Object.freeze({
  name: 'flux',
  summary: 'Flux.1-dev and Flux.1-schnell: CLIP and T5, a transformer on a flow, an autoencoder with 16 channels.',
  pipelines: ['FluxPipeline', 'FluxImg2ImgPipeline'],
  open: openFlux,
});

/** Tokens of T5, as many as diffusers takes, or those that the tokenizer has room for. */
const T5_TOKENS = 512;

async function openFlux(checkpoint: Checkpoint, given: OpenOptions = {}): Promise<OpenProduct> {
  const parts = await loadParts(checkpoint, { network: 'transformer', encoders: ['text_encoder', 'text_encoder_2'] }, given);
  const isTold = parts.network.module.info.conditions['guidance'] !== undefined;
  // The one that is told no guidance was distilled to few steps, and is not guided.
  const usual = isTold ? { steps: 28, guidance: 3.5 } : { steps: 4, guidance: 1 };
  const model = await latentModel({ checkpoint, parts, given, name: 'flux', side: 128, ...usual });
  const onEngine = given.engine ? { engine: given.engine } : {};
  const clip = clipPrompts({ text: textOf(parts, 'text_encoder'), norm: 'always', ...onEngine });
  const read = textOf(parts, 'text_encoder_2');
  const t5 = t5Prompts({ text: read, length: Math.min(T5_TOKENS, read.tokenizer.length), filling: 'read', ...onEngine });

  const encode = async (texts: readonly string[]) => {
    const { text, lost } = await t5.encode(texts);
    const { pooled } = await clip.encodeOne(texts, 0);
    // What CLIP takes is a short form of what T5 reads: only what T5 cuts is lost.
    return { conditions: { text, pooled }, lost };
  };

  return Object.freeze({
    ...model,
    partialStep: 'run',
    setTimesteps: shiftedTimesteps({ pixels: model.multiple, levels: 'even' }),
    clipSkip: 'refused',
    encodePrompts: async ({ prompts, negatives }: PromptRequest) => {
      const positive = await encode(prompts);
      const negative = negatives && (await encode(textsOf(negatives)));
      return {
        conditions: positive.conditions,
        ...(negative && { negatives: negative.conditions }),
        notes: lostNotes([...positive.lost, ...(negative?.lost ?? [])], t5.length),
      };
    },
    ...releasing(model, [clip, t5]),
  });
}
