import { noiseSchema } from '@langevin/diffusion';
import * as v from 'valibot';
import { averageEntry, count, entry, optimizerEntry, optimizerMayChange, parseConfig, positive, runEntries } from './config-entries.ts';

/**
 * What a training run computes, as its JSON file says it. Unknown keys are refused: a typo must not train the wrong thing for hours.
 * docs/training-config.md is made from it.
 */
export const trainingConfigSchema = v.strictObject({
  ...runEntries,
  labels: entry(
    v.optional(v.pipe(v.string(), v.nonEmpty())),
    'The attribute of the pictures that is their class, of those that "langevin data show" names; for networks that take labels.',
  ),
  categories: entry(
    v.optional(v.pipe(v.string(), v.nonEmpty())),
    'The attribute that classes are grouped by: categories can be asked for by name, and have a row each in previews.',
  ),
  flip: entry(v.optional(v.picklist(['none', 'horizontal']), 'none'), 'Mirror half of the pictures left to right, at random.'),
  latents: entry(
    v.optional(
      v.strictObject({
        autoencoder: entry(v.pipe(v.string(), v.nonEmpty()), 'Its folder, such as `runs/emoji-f4/autoencoder`.'),
        draw: entry(
          v.optional(v.picklist(['sample', 'mode']), 'sample'),
          'Whether a latent is drawn from its posterior at each visit, or is its mode.',
        ),
      }),
    ),
    "Diffuse over an autoencoder's latents and not over pixels: `in_channels` and `sample_size` of the network are then those of the "
      + 'latents.',
  ),
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
  optimizer: optimizerEntry,
  clipNorm: entry(v.optional(positive), 'Gradients are scaled down to this norm; without it they are left alone.'),
  batchSize: entry(count(1, 65536), 'Pictures whose gradients are computed together.'),
  accumulate: entry(v.optional(count(1, 4096), 1), 'Batches whose gradients make one step: the memory of one, the noise of all.'),
  average: averageEntry,
});

export type TrainingConfig = v.InferOutput<typeof trainingConfigSchema>;

/** What a resumed run may have changed: how fast it learns, and where its data lie, whose content is compared. */
export const MAY_CHANGE: readonly string[] = Object.freeze(['data', 'latents.autoencoder', ...optimizerMayChange('optimizer'), 'clipNorm']);

/**
 * A training configuration from outside, checked, with its defaults.
 *
 * @param from the file it is from, for messages
 * @throws UserError naming the first entry that is wrong; of one that is not known, the nearest that is, and all others
 */
export function parseTrainingConfig(json: unknown, from?: string): TrainingConfig {
  return parseConfig(trainingConfigSchema, json, { from, page: 'docs/training-config.md' });
}
