import { problemOf } from '@langevin/io';
import { UserError } from '@langevin/tensor';
import * as v from 'valibot';
import { optimizerNames } from './optimizers.ts';

export const positive = v.pipe(v.number(), v.finite(), v.gtValue(0));
export const share = v.pipe(v.number(), v.minValue(0), v.ltValue(1));
export const count = (least: number, most: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(least), v.maxValue(most));

/** An entry with what docs/training-config.md says of it. */
export function entry<const Schema extends v.GenericSchema>(schema: Schema, text: string) {
  return v.pipe(schema, v.description(text));
}

/** What every training configuration says of itself. */
export const runEntries = {
  name: entry(v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,64}$/, 'use 1 to 64 lower-case letters, digits and hyphens')), 'Name of the run.'),
  seed: entry(count(0, Number.MAX_SAFE_INTEGER), 'Decides weights, order, noise and everything else that is random.'),
  data: entry(v.looseObject({ name: v.string() }), '`name` of a data set, with its options; "langevin data list" shows which there are.'),
};

/** How weights follow gradients. */
export const optimizerEntry = entry(
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
);

/** The moving average of the weights. */
export const averageEntry = entry(
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
);

/** What a resumed run may have changed of its optimiser: how fast it learns. */
export const optimizerMayChange = (place: string): readonly string[] =>
  ['learningRate', 'betas', 'weightDecay', 'warmUp', 'cosineSteps'].map((name) => `${place}.${name}`);

/**
 * A configuration from outside, checked, with its defaults.
 *
 * @param from the file it is from, for messages
 * @throws UserError naming the first entry that is wrong; of one that is not known, the nearest that is, and all others
 */
export function parseConfig<const Schema extends v.GenericSchema>(
  schema: Schema,
  json: unknown,
  { from, page }: { readonly from: string | undefined; readonly page: string },
): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, json);
  if (parsed.success) return parsed.output;
  const file = from === undefined ? '' : `, file=${from}`;
  throw new UserError(
    `[pipelines/config] entry is not valid: ${problemOf(schema, parsed.issues[0])}${file}. Correct the configuration; `
      + `${page} lists its entries.`,
  );
}
