import { noiseSchema } from '@langevin/diffusion';
import { problemOf } from '@langevin/io';
import { UserError } from '@langevin/tensor';
import * as v from 'valibot';
import { optimizerNames } from './optimizers.ts';

const positive = v.pipe(v.number(), v.finite(), v.gtValue(0));
const share = v.pipe(v.number(), v.minValue(0), v.ltValue(1));
const count = (least: number, most: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(least), v.maxValue(most));

/** An entry with what docs/training-config.md says of it. */
function entry<const Schema extends v.GenericSchema>(schema: Schema, text: string) {
  return v.pipe(schema, v.description(text));
}

/**
 * What a training run computes, as its JSON file says it. Unknown keys are refused: a typo must not train the wrong thing for hours.
 * docs/training-config.md is made from it.
 */
export const trainingConfigSchema = v.strictObject({
  name: entry(v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,64}$/, 'use 1 to 64 lower-case letters, digits and hyphens')), 'Name of the run.'),
  seed: entry(count(0, Number.MAX_SAFE_INTEGER), 'Decides weights, order, noise and everything else that is random.'),
  data: entry(v.looseObject({ name: v.string() }), '`name` of a data set, with its options; "langevin data list" shows which there are.'),
  labels: entry(
    v.optional(v.pipe(v.string(), v.nonEmpty())),
    'The attribute of the pictures that is their class, of those that "langevin data show" names; for networks that take labels.',
  ),
  categories: entry(
    v.optional(v.pipe(v.string(), v.nonEmpty())),
    'The attribute that classes are grouped by: categories can be asked for by name, and have a row each in previews.',
  ),
  flip: entry(v.optional(v.picklist(['none', 'horizontal']), 'none'), 'Mirror half of the pictures left to right, at random.'),
  backbone: entry(
    v.looseObject({ _class_name: v.string() }),
    "A network's configuration in the form of diffusers' `config.json`; `_class_name` chooses it. For class labels it says how "
      + 'many there are: '
      + '`num_class_embeds` of a `UNet2DModel`, with one more where labels are dropped.',
  ),
  patch: entry(
    v.optional(count(1, 64), 1),
    'The network sees squares of this many pixels a side as channels; its `in_channels` and `sample_size` are those of the patches.',
  ),
  noise: entry(
    v.optional(noiseSchema, {}),
    'How noise enters; without it, EDM as Karras et al. 2022 train it. Each part has a `name` and takes its options beside it.',
  ),
  dropout: entry(
    v.optional(v.strictObject({ label: entry(v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1)), 0), 'Of the label.') }), {}),
    'How often the network is told nothing of a condition, so that guidance can compare (Ho and Salimans 2022); 0.1 is usual.',
  ),
  optimizer: entry(
    v.strictObject({
      name: entry(
        v.picklist(optimizerNames),
        'Kingma and Ba 2015; with decoupled weight decay, Loshchilov and Hutter 2019; rectified in the first steps, Liu et al. 2020.',
      ),
      learningRate: entry(positive, 'Size of a step.'),
      betas: entry(v.optional(v.tuple([share, share]), [0.9, 0.999]), 'Decay of the running sums of gradients and of their squares.'),
      weightDecay: entry(
        v.optional(v.pipe(v.number(), v.finite(), v.minValue(0))),
        "How fast weights shrink; without it the optimiser's own: 0.01 for `adamW`, else 0, as in PyTorch.",
      ),
      warmUp: entry(v.optional(count(0, 1e7), 0), 'Steps of linear rise at the start.'),
      cosineSteps: entry(
        v.optional(count(1, 1e9)),
        'Steps over which the rate falls to zero along a cosine, those of the rise included; without it the rate is constant.',
      ),
    }),
    'How weights follow gradients.',
  ),
  clipNorm: entry(v.optional(positive), 'Gradients are scaled down to this norm; without it they are left alone.'),
  batchSize: entry(count(1, 65536), 'Pictures whose gradients are computed together.'),
  accumulate: entry(v.optional(count(1, 4096), 1), 'Batches whose gradients make one step: the memory of one, the noise of all.'),
  average: entry(
    v.union(
      [
        v.strictObject({
          std: entry(
            v.pipe(v.number(), v.gtValue(0), v.maxValue(0.28)),
            'Width of the average as a share of the run so far (Karras et al. 2024).',
          ),
        }),
        v.strictObject({ halfLifeImages: entry(positive, 'Half-life of a weight in it, in pictures (Karras et al. 2022).') }),
        v.strictObject({ decay: entry(share, 'Share of the old average that stays at each step, such as 0.999.') }),
      ],
      'give one of {"std": a number > 0 and <= 0.28}, {"halfLifeImages": a number > 0} and {"decay": a number >= 0 and < 1}',
    ),
    'The moving average of the weights, which samples are drawn with.',
  ),
});

export type TrainingConfig = v.InferOutput<typeof trainingConfigSchema>;

/** What a resumed run may have changed: how fast it learns, and where its data lie, whose content is compared. */
export const MAY_CHANGE: readonly string[] = Object.freeze([
  'data',
  'optimizer.learningRate',
  'optimizer.betas',
  'optimizer.weightDecay',
  'optimizer.warmUp',
  'optimizer.cosineSteps',
  'clipNorm',
]);

/**
 * A training configuration from outside, checked, with its defaults.
 *
 * @param from the file it is from, for messages
 * @throws UserError naming the first entry that is wrong; of one that is not known, the nearest that is, and all others
 */
export function parseTrainingConfig(json: unknown, from?: string): TrainingConfig {
  const parsed = v.safeParse(trainingConfigSchema, json);
  if (parsed.success) return parsed.output;
  const file = from === undefined ? '' : `, file=${from}`;
  throw new UserError(
    `[pipelines/config] entry is not valid: ${problemOf(trainingConfigSchema, parsed.issues[0])}${file}. Correct the configuration; `
      + 'docs/training-config.md lists its entries.',
  );
}
