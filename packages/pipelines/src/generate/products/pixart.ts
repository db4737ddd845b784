import { maskOf } from '@langevin/core';
import { tensor, type Tensor } from '@langevin/tensor';
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { latentModel } from '../parts/latent-model.ts';
import { loadParts, textOf } from '../parts/load-parts.ts';
import { releasing } from '../parts/releasing.ts';
import type { OpenOptions, OpenProduct, PictureSize, Product, PromptRequest } from '../product.ts';
import { lostNotes, textsOf } from '../prompts/clip-prompts.ts';
import { t5Prompts } from '../prompts/t5-prompts.ts';

/** PixArt: a transformer that attends to the tokens of T5 (Chen et al. 2023, arXiv:2310.00426; Sigma: 2024, arXiv:2403.04692). */
export const pixartProduct: Product = Object.freeze({
  name: 'pixart',
  summary: 'PixArt-alpha and PixArt-Sigma: T5, a transformer with cross-attention, an autoencoder with 4 channels.',
  pipelines: ['PixArtAlphaPipeline', 'PixArtSigmaPipeline'],
  open: openPixart,
});

/** Tokens of a text, as the pipelines of diffusers have them. */
const TOKENS: Readonly<Record<string, number>> = { PixArtAlphaPipeline: 120, PixArtSigmaPipeline: 300 };

async function openPixart(checkpoint: Checkpoint, given: OpenOptions = {}): Promise<OpenProduct> {
  const parts = await loadParts(checkpoint, { network: 'transformer', encoders: ['text_encoder'] }, given);
  const model = await latentModel({ checkpoint, parts, given, name: 'pixart', side: 128, steps: 20, guidance: 4.5 });
  const t5 = t5Prompts({
    text: textOf(parts, 'text_encoder'),
    length: TOKENS[checkpoint.index!.className]!,
    filling: 'masked',
    ...(given.engine && { engine: given.engine }),
  });
  const sizes = parts.network.module.info.conditions['resolution'] !== undefined;

  const encode = async (texts: readonly string[], size: PictureSize) => {
    const { text, mask, lost } = await t5.encode(texts.map(prepared));
    return { conditions: { text, [maskOf('text')]: mask, ...(sizes && sizesOf(size, texts.length)) }, lost };
  };

  return Object.freeze({
    ...model,
    clipSkip: 'refused',
    encodePrompts: async ({ prompts, negatives, size }: PromptRequest) => {
      const positive = await encode(prompts, size);
      const negative = negatives && (await encode(textsOf(negatives), size));
      return {
        conditions: positive.conditions,
        ...(negative && { negatives: negative.conditions }),
        notes: lostNotes([...positive.lost, ...(negative?.lost ?? [])], t5.length),
      };
    },
    ...releasing(model, [t5]),
  });
}

/** The captions that the network was trained on were in lower case. */
function prepared(text: string): string {
  return text.toLowerCase().trim();
}

function sizesOf({ width, height }: PictureSize, count: number): Readonly<Record<'resolution' | 'aspect_ratio', Tensor>> {
  return {
    resolution: tensor(
      Float32Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? height : width)),
      { shape: [count, 2] },
    ),
    aspect_ratio: tensor(new Float32Array(count).fill(height / width), { shape: [count] }),
  };
}
