import { problemOf } from '@langevin/io';
import { UserError } from '@langevin/tensor';
import * as v from 'valibot';

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
  data: entry(
    v.looseObject({ name: v.string() }),
    '`name` of a data set, with its options; "langevin list datasets" shows which there are.',
  ),
  flip: entry(v.optional(v.picklist(['none', 'horizontal']), 'none'), 'Mirror half of the images left to right, at random.'),
  backbone: entry(
    v.looseObject({ _class_name: v.string() }),
    "A network's configuration in the form of diffusers' `config.json`; `_class_name` chooses it. For class labels it says how "
      + 'many there are: '
      + '`num_class_embeds` of a `UNet2DModel`.',
  ),
  patch: entry(
    v.optional(count(1, 64), 1),
    'The network sees squares of this many pixels a side as channels; its `in_channels` and `sample_size` are those of the patches.',
  ),
  edm: entry(
    v.optional(
      v.strictObject({
        sigmaData: entry(v.optional(positive, 0.5), 'Standard deviation of the pixels, which lie in [-1, 1].'),
        meanLogSigma: entry(v.optional(v.pipe(v.number(), v.finite()), -1.2), 'Mean of the logarithm of the noise levels trained on.'),
        stdLogSigma: entry(v.optional(positive, 1.2), 'Its standard deviation.'),
      }),
      {},
    ),
    'Noise, in the terms of Karras et al. 2022, table 1.',
  ),
  optimizer: entry(
    v.strictObject({
      name: entry(v.picklist(['adam', 'adamW']), 'Kingma and Ba 2015; or with decoupled weight decay, Loshchilov and Hutter 2019.'),
      learningRate: entry(positive, 'Size of a step.'),
      betas: entry(v.optional(v.tuple([share, share]), [0.9, 0.999]), 'Decay of the running sums of gradients and of their squares.'),
      weightDecay: entry(
        v.optional(v.pipe(v.number(), v.finite(), v.minValue(0))),
        "How fast weights shrink; without it the optimiser's own: 0 for `adam`, 0.01 for `adamW`, as in PyTorch.",
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
  batchSize: entry(count(1, 65536), 'Images in a step.'),
  average: entry(
    v.union(
      [
        v.strictObject({
          std: entry(
            v.pipe(v.number(), v.gtValue(0), v.maxValue(0.28)),
            'Width of the average as a share of the run so far (Karras et al. 2024).',
          ),
        }),
        v.strictObject({ halfLifeImages: entry(positive, 'Half-life of a weight in it, in images (Karras et al. 2022).') }),
      ],
      'give one of {"std": a number > 0 and <= 0.28} and {"halfLifeImages": a number > 0}',
    ),
    'The moving average of the weights, which samples are drawn with.',
  ),
});

export type DiffusionTrainingConfig = v.InferOutput<typeof trainingConfigSchema>;

/**
 * Check a training configuration from outside.
 *
 * @param from the file it is from, for messages
 * @throws UserError naming the first entry that is wrong; of one that is not known, the nearest that is, and all others
 */
export function parseTrainingConfig(json: unknown, from?: string): DiffusionTrainingConfig {
  const parsed = v.safeParse(trainingConfigSchema, json);
  if (parsed.success) return parsed.output;
  const file = from === undefined ? '' : `, file=${from}`;
  throw new UserError(
    `[training/config] entry is not valid: ${problemOf(trainingConfigSchema, parsed.issues[0])}${file}. Correct the configuration; `
      + 'docs/training-config.md lists its entries.',
  );
}
