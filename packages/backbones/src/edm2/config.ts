import { UserError } from '@langevin/tensor';
import { integer, list, nullable, number, withFallback } from '@langevin/tensor/fields';
import {
  channelBounds,
  completeConfig,
  levelBounds,
  readJsonConfig,
  writeJsonConfig,
  type ConfigOf,
  type JsonConfigOptions,
} from '@langevin/nn';

export const EDM2: JsonConfigOptions = { where: 'backbones/edm2', className: 'Edm2UNet' };

const share = { atLeast: 0, atMost: 1 };

/** Keys are ours; defaults are those of EDM2-S for latents of ImageNet at 512 pixels. */
export const edm2Fields = {
  sample_size: integer(64, { atLeast: 1, atMost: 16384 }),
  in_channels: integer(4, { atLeast: 1, atMost: 4096 }),
  num_classes: withFallback(nullable(integer(1, { atLeast: 1, atMost: 10_000_000 })), null),
  model_channels: integer(192, channelBounds),
  channel_multipliers: list([1, 2, 3, 4], integer(1, { atLeast: 1, atMost: 64 }), levelBounds),
  layers_per_block: integer(3, { atLeast: 1, atMost: 64 }),
  attention_sizes: list([16, 8], integer(1, { atLeast: 1, atMost: 16384 }), { atLeast: 0, atMost: 12 }),
  attention_head_dim: integer(64, { atLeast: 1, atMost: 1024 }),
  dropout: number(0, share),
  label_share: number(0.5, share),
  skip_share: number(0.5, share),
  residual_share: number(0.3, share),
  attention_share: number(0.3, share),
  clip: number(256, { atLeast: 1, atMost: 1e30 }),
};

/**
 * The configuration of {@link edm2}.
 *
 * - `channelMultipliers`: one for each level, times `modelChannels`; each level has half the side of the one before.
 * - `attentionSizes`: sides of the levels that attend, of a sample of `sampleSize`.
 * - `labelShare`, `skipShare`, `residualShare`, `attentionShare`: shares of the class in its sum with the noise level, of a skip where it
 *   is joined, and of residual branches and attentions in their sums.
 * - `clip`: features stay within -clip and clip, for float16.
 */
export type Edm2Config = ConfigOf<typeof edm2Fields>;

/** Fill in defaults and check. @throws UserError naming the entry that is wrong */
export function completeEdm2Config(partial: Partial<Edm2Config>): Edm2Config {
  return checkTogether(completeConfig(partial, edm2Fields, EDM2));
}

/** Check a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function parseEdm2Config(json: unknown): Edm2Config {
  return checkTogether(readJsonConfig(json, edm2Fields, EDM2));
}

/** The content of `config.json`. */
export function edm2ToConfig(config: Partial<Edm2Config>): Readonly<Record<string, unknown>> {
  return writeJsonConfig(completeEdm2Config(config), edm2Fields, EDM2.className);
}

/** The side of each level. */
export function levelSides({ sampleSize, channelMultipliers }: Pick<Edm2Config, 'sampleSize' | 'channelMultipliers'>): readonly number[] {
  return channelMultipliers.map((_, level) => sampleSize / 2 ** level);
}

function checkTogether(config: Edm2Config): Edm2Config {
  const { sampleSize, channelMultipliers, attentionSizes, attentionHeadDim, modelChannels } = config;
  const sides = levelSides(config);
  if (!Number.isInteger(sides.at(-1)!)) {
    throw new UserError(
      `[${EDM2.where}] the sample cannot be halved at each level: sample_size=${sampleSize}, levels=${channelMultipliers.length}. Give a `
        + `multiple of ${2 ** (channelMultipliers.length - 1)}.`,
    );
  }
  for (const size of attentionSizes) {
    if (sides.includes(size)) continue;
    throw new UserError(`[${EDM2.where}] no level has this side: attention_sizes=${size}. Levels have ${sides.join(', ')}.`);
  }
  channelMultipliers.forEach((multiplier, level) => {
    const channels = modelChannels * multiplier;
    // The deepest level attends between its two first blocks in any case.
    const attends = attentionSizes.includes(sides[level]!) || level === channelMultipliers.length - 1;
    if (!attends || channels % attentionHeadDim === 0) return;
    throw new UserError(
      `[${EDM2.where}] heads do not divide the channels: attention_head_dim=${attentionHeadDim}, channels=${channels} at level ${level}. `
        + 'Choose a divisor.',
    );
  });
  return config;
}
