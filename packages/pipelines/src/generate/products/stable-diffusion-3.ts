import type { Conditions } from '@langevin/core';
import { concat, pad, UserError, zeros } from '@langevin/tensor';
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { latentModel } from '../parts/latent-model.ts';
import { layersLeftOut } from '../prompt-options.ts';
import { loadParts, textOf } from '../parts/load-parts.ts';
import { releasing } from '../parts/releasing.ts';
import { shiftedTimesteps } from '../parts/shifted-timesteps.ts';
import type { OpenOptions, OpenProduct, Product, PromptRequest } from '../product.ts';
import { clipPrompts, lostNotes, textsOf } from '../prompts/clip-prompts.ts';
import { t5Prompts } from '../prompts/t5-prompts.ts';

/**
 * Stable Diffusion 3 and 3.5: the last but one layers of two text encoders of CLIP side by side, and behind them the tokens of T5, whose
 * place zeros take where it is not there: the network was trained with each encoder left out at times (Esser et al. 2024,
 * arXiv:2403.03206, section 5.3.3).
 */
export const stableDiffusion3: Product = Object.freeze({
  name: 'stable-diffusion-3',
  summary: 'Stable Diffusion 3 and 3.5: two text encoders of CLIP and T5, a transformer on a flow, an autoencoder with 16 channels.',
  pipelines: ['StableDiffusion3Pipeline', 'StableDiffusion3Img2ImgPipeline', 'StableDiffusion3InpaintPipeline'],
  open: openStableDiffusion3,
});

/** The layer that is taken, from the end; leaving layers out counts from it. */
const LAST_BUT_ONE = 1;
/** Tokens of T5, as many as diffusers takes. */
const T5_TOKENS = 256;

async function openStableDiffusion3(checkpoint: Checkpoint, given: OpenOptions = {}): Promise<OpenProduct> {
  const parts = await loadParts(
    checkpoint,
    { network: 'transformer', encoders: ['text_encoder', 'text_encoder_2', 'text_encoder_3'] },
    given,
  );
  const model = await latentModel({ checkpoint, parts, given, name: 'stable-diffusion-3', side: 128, steps: 28, guidance: 7 });
  const { info } = parts.network.module;
  const spec = info.conditions['text'];
  if (spec?.kind !== 'tokens')
    throw new UserError(`[pipelines/model] network reads no text: component=transformer, folder=${checkpoint.files.label}.`);
  const onEngine = given.engine ? { engine: given.engine } : {};
  const texts = [textOf(parts, 'text_encoder'), textOf(parts, 'text_encoder_2')] as const;
  const both = texts.map((text) => clipPrompts({ text, norm: 'last', ...onEngine }));
  const third = parts.texts.get('text_encoder_3');
  const t5 = third && t5Prompts({ text: third, length: T5_TOKENS, filling: 'read', ...onEngine });

  const encode = async (texts: readonly string[], skip: number) => {
    const [first, second] = [await both[0]!.encodeOne(texts, skip), await both[1]!.encodeOne(texts, skip)];
    const clip = concat([first.text, second.text], 2);
    const wide = pad(clip, [
      [0, 0],
      [0, 0],
      [0, spec.size - clip.shape[2]!],
    ]);
    const t5Tokens = await t5?.encode(texts);
    const rest = t5Tokens?.text ?? zeros([texts.length, T5_TOKENS, spec.size]);
    return {
      conditions: { text: concat([wide, rest], 1), pooled: concat([first.pooled, second.pooled], 1) } satisfies Conditions,
      // What T5 reads is not lost, however little of it CLIP takes.
      lost: t5Tokens?.lost ?? [...first.lost, ...second.lost],
    };
  };

  return Object.freeze({
    ...model,
    partialStep: 'run',
    setTimesteps: shiftedTimesteps({ pixels: model.multiple }),
    evidence: [
      ...model.evidence,
      ...(t5 ? [] : [{ component: 'text_encoder_3', what: 'tokens of T5', value: 'zeros', from: 'it is not there' }]),
    ],
    clipSkip: 'taken',
    encodePrompts: async ({ prompts, negatives, ...rest }: PromptRequest) => {
      const skip = layersLeftOut(rest, LAST_BUT_ONE);
      const positive = await encode(prompts, skip.prompt);
      const negative = negatives && (await encode(textsOf(negatives), skip.negative));
      return {
        conditions: positive.conditions,
        ...(negative && { negatives: negative.conditions }),
        notes: lostNotes(
          [...positive.lost, ...(negative?.lost ?? [])],
          t5?.length ?? Math.min(...texts.map(({ tokenizer }) => tokenizer.length)),
        ),
      };
    },
    ...releasing(model, [...both, ...(t5 ? [t5] : [])]),
  });
}
