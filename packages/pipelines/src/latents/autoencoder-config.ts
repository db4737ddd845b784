import * as v from 'valibot';
import { averageEntry, count, entry, optimizerEntry, optimizerMayChange, parseConfig, positive, runEntries } from '../config-entries.ts';

const atLeast0 = v.pipe(v.number(), v.finite(), v.minValue(0));

/** What the training of an autoencoder computes, as its JSON file says it. docs/autoencoder-config.md is made from it. */
export const autoencoderConfigSchema = v.strictObject({
  ...runEntries,
  flip: entry(v.optional(v.picklist(['none', 'horizontal']), 'none'), 'Mirror half of the pictures left to right, at random.'),
  heldOut: entry(
    v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(0.5)), 0),
    'Share of the pictures that is not trained on, all of one group together: what reconstructions are measured by.',
  ),
  autoencoder: entry(
    v.looseObject({ _class_name: v.string() }),
    'An autoencoder\'s configuration in the form of diffusers\' `config.json`; `_class_name` chooses it: "langevin list autoencoders".',
  ),
  regulariser: entry(
    v.looseObject({ name: v.string() }),
    '`name` of what holds latents to a form, with its options: "langevin list regularisers".',
  ),
  losses: entry(
    v.pipe(v.array(v.looseObject({ name: v.string() })), v.minLength(1), v.maxLength(16)),
    'How reconstructions are compared, added up: `name` and options of each: "langevin list losses". `perceptual` takes `judge`, a folder '
      + 'of "langevin train-judge", which then may not judge; `lpips` takes `weights`, a safetensors file of the published ones.',
  ),
  variance: entry(
    v.optional(v.picklist(['fixed', 'learned']), 'fixed'),
    'Whether differences are measured by a variance that is learned with the rest (Rombach et al. 2022).',
  ),
  discriminator: entry(
    v.optional(
      v.strictObject({
        channels: entry(v.optional(count(1, 4096), 64), 'Of its first convolution.'),
        layers: entry(v.optional(count(1, 8), 3), 'That halve the sides: 3 see squares of 70 pixels, 2 of 34, 1 of 16.'),
        weight: entry(v.optional(atLeast0, 0.5), 'How much its verdict counts.'),
        balance: entry(
          v.optional(v.picklist(['last-layer', 'none']), 'last-layer'),
          "Whether the weight is relative to the gradients at the decoder's last layer (Esser et al. 2021).",
        ),
        from: entry(v.optional(count(0, 1e9), 0), 'The step that it takes part from.'),
        r1: entry(v.optional(atLeast0, 0), 'Weight of the penalty on its gradients at real pictures (Mescheder et al. 2018).'),
        learningRate: entry(v.optional(positive), "Its own; without it the autoencoder's."),
      }),
    ),
    'A network that tells reconstructions from pictures, square by square; without it there is none.',
  ),
  optimizer: optimizerEntry,
  clipNorm: entry(v.optional(positive), 'Gradients are scaled down to this norm; without it they are left alone.'),
  batchSize: entry(count(1, 65536), 'Pictures whose gradients are computed together.'),
  average: averageEntry,
});

export type AutoencoderConfig = v.InferOutput<typeof autoencoderConfigSchema>;

/** What a resumed run may have changed: how fast it learns, and where its data lie, whose content is compared. */
export const AUTOENCODER_MAY_CHANGE: readonly string[] = Object.freeze(['data', ...optimizerMayChange('optimizer'), 'clipNorm']);

/** Whether a configuration is that of an autoencoder, and not of a diffusion model. */
export function isAutoencoderConfig(json: unknown): boolean {
  return typeof json === 'object' && json !== null && 'autoencoder' in json;
}

/**
 * The configuration of an autoencoder's training from outside, checked, with its defaults.
 *
 * @param from the file it is from, for messages
 * @throws UserError naming the first entry that is wrong; of one that is not known, the nearest that is, and all others
 */
export function parseAutoencoderConfig(json: unknown, from?: string): AutoencoderConfig {
  return parseConfig(autoencoderConfigSchema, json, { from, page: 'docs/autoencoder-config.md' });
}
