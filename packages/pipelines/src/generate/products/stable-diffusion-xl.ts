import type { Conditions } from '@langevin/core';
import type { PromptPlan } from '@langevin/encoders';
import { concat, mul, tensor, type Tensor } from '@langevin/tensor';
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { latentModel } from '../parts/latent-model.ts';
import { layersLeftOut } from '../prompt-options.ts';
import { loadParts, textOf } from '../parts/load-parts.ts';
import { releasing } from '../parts/releasing.ts';
import type { OpenOptions, OpenProduct, PictureSize, Product, PromptRequest } from '../product.ts';
import { clipPrompts, plansOf, textsOf, type EncodePlansOptions } from '../prompts/clip-prompts.ts';

/**
 * SDXL: the last but one layers of two text encoders of CLIP side by side, the text as a whole from the second, and the size that a picture
 * had before it was cut, where it was cut, and the size that it is to have (Podell et al. 2023, arXiv:2307.01952, sections 2.2 and 2.4).
 */
export const stableDiffusionXl: Product = Object.freeze({
  name: 'stable-diffusion-xl',
  summary: 'SDXL, base and refiner: two text encoders of CLIP, a U-Net that is told sizes, an autoencoder with 4 channels.',
  pipelines: [
    'StableDiffusionXLPipeline',
    'StableDiffusionXLImg2ImgPipeline',
    'StableDiffusionXLInpaintPipeline',
    'StableDiffusionXLControlNetPipeline',
  ],
  open: openStableDiffusionXl,
});

/** The layer that is taken, from the end; leaving layers out counts from it. */
const LAST_BUT_ONE = 1;

/** Of beauty, from 0 to 10, for the refiner: what diffusers takes for prompts and for negative ones. */
const SCORES = { prompt: 6, negative: 2.5 } as const;

async function openStableDiffusionXl(checkpoint: Checkpoint, given: OpenOptions = {}): Promise<OpenProduct> {
  const parts = await loadParts(checkpoint, { network: 'unet', encoders: ['text_encoder', 'text_encoder_2'] }, given);
  const model = await latentModel({ checkpoint, parts, given, name: 'stable-diffusion-xl', side: 128, steps: 50, guidance: 5 });
  const onEngine = given.engine ? { engine: given.engine } : {};
  // The refiner has the second encoder alone.
  const first = parts.texts.get('text_encoder');
  const texts = [...(first ? [first] : []), textOf(parts, 'text_encoder_2')];
  const encoders = texts.map((text) => clipPrompts({ text, norm: 'last', ...onEngine }));
  // Absent in files that were saved before the key was: the class of diffusers then takes zeros.
  const { settings } = checkpoint.index!;
  const zeros = settings['force_zeros_for_empty_prompt'] ?? true;

  const scored = settings['requires_aesthetics_score'] === true;

  const encode = async (plans: readonly (readonly PromptPlan[])[], how: EncodePlansOptions) => {
    const all = [];
    for (const [i, encoder] of encoders.entries()) all.push(await encoder.encode(plans[i]!, how));
    return {
      text: concat(
        all.map(({ text }) => text),
        2,
      ),
      pooled: all.at(-1)!.pooled,
    };
  };

  return Object.freeze({
    ...model,
    evidence: [
      ...model.evidence,
      {
        component: '',
        what: 'no negative prompt',
        value: zeros === true ? 'zeros' : 'the empty text',
        from: 'model_index.json, force_zeros_for_empty_prompt',
      },
    ],
    clipSkip: 'taken',
    promptForms: 'taken',
    encodePrompts: async ({ prompts, negatives, form, size, ...rest }: PromptRequest) => {
      const timeIds = (score: number): Tensor => sizesOf(size, { count: prompts.length, ...(scored && { score }) });
      const plans = plansOf(encoders, { prompts, negatives: negatives && textsOf(negatives), form });
      const { windows, notes } = plans;
      const skip = layersLeftOut(rest, LAST_BUT_ONE);
      const positive = await encode(plans.positive, { skip: skip.prompt, windows });
      const negative = plans.negative && (await encode(plans.negative, { skip: skip.negative, windows }));
      const empty = negatives?.map((text) => (text === undefined && zeros === true ? 0 : 1));
      return {
        conditions: conditionsOf(positive, timeIds(SCORES.prompt)),
        ...(negative && { negatives: conditionsOf(kept(negative, empty!), timeIds(SCORES.negative)) }),
        notes,
      };
    },
    ...releasing(model, encoders),
  });
}

interface Encoded {
  readonly text: Tensor;
  readonly pooled: Tensor;
}

function conditionsOf({ text, pooled }: Encoded, timeIds: Tensor): Conditions {
  return { text, pooled, time_ids: timeIds };
}

/** Zeros in place of some texts. */
function kept({ text, pooled }: Encoded, factors: readonly number[]): Encoded {
  if (factors.every((factor) => factor === 1)) return { text, pooled };
  const values = Float32Array.from(factors);
  return {
    text: mul(text, tensor(values, { shape: [factors.length, 1, 1] })),
    pooled: mul(pooled, tensor(values, { shape: [factors.length, 1] })),
  };
}

/**
 * [N, 6]: height and width as they were, where the cut begins, height and width as they are to be; or a score of beauty in place of the
 * last two, [N, 5]. Nothing was cut.
 */
function sizesOf({ width, height }: PictureSize, { count, score }: { readonly count: number; readonly score?: number }): Tensor {
  const one = [height, width, 0, 0, ...(score === undefined ? [height, width] : [score])];
  return tensor(
    Float32Array.from({ length: one.length * count }, (_, i) => one[i % one.length]!),
    { shape: [count, one.length] },
  );
}
