import { completeConfig, readJsonConfig, writeJsonConfig, type ConfigOf, type JsonConfigOptions } from '@langevin/nn';
import { UserError } from '@langevin/tensor';
import { integer, list, nullable, number } from '@langevin/tensor/fields';

export const DIFFIT: JsonConfigOptions = { where: 'backbones/diffit', className: 'DiffiT' };

const STAGES = { atLeast: 1, atMost: 8 };

/** Keys, defaults and bounds; ours, since the paper's code is not published. */
export const diffitFields = {
  sample_size: integer(32, { atLeast: 1, atMost: 16_384 }),
  in_channels: integer(3, { atLeast: 1, atMost: 4096 }),
  out_channels: nullable(integer(3, { atLeast: 1, atMost: 8192 })),
  block_out_channels: list([128, 256, 256, 256], integer(128, { atLeast: 1, atMost: 16_384 }), STAGES),
  layers_per_stage: integer(4, { atLeast: 1, atMost: 64 }),
  window_sizes: list([8, 8, 8, 4], integer(8, { atLeast: 1, atMost: 64 }), STAGES),
  attention_head_dim: integer(32, { atLeast: 1, atMost: 1024 }),
  time_embed_dim: integer(512, { atLeast: 1, atMost: 65_536 }),
  mlp_ratio: number(4, { above: 0, atMost: 64 }),
  norm_num_groups: integer(32, { atLeast: 1, atMost: 4096 }),
  num_classes: integer(0, { atLeast: 0, atMost: 10_000_000 }),
  none_label: nullable(integer(0, { atLeast: 0, atMost: 10_000_000 })),
};

/**
 * The configuration of {@link diffit}. Stage i works at the sample's sides divided by 2^i.
 *
 * - `blockOutChannels`: features of each stage. `windowSizes`: sides of the squares within which each attends.
 * - `layersPerStage`: blocks of each stage, on the way down and again on the way up; the lowest has them once.
 * - `numClasses`: rows of the table of labels, 0 where there are none; `noneLabel`: which of them stands for no label, or null.
 */
export type DiffitConfig = ConfigOf<typeof diffitFields>;

/** Fill in defaults and check. @throws UserError naming the entry that is wrong */
export function completeDiffitConfig(partial: Partial<DiffitConfig>): DiffitConfig {
  return checkTogether(completeConfig(partial, diffitFields, DIFFIT));
}

/** Check a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function parseDiffitConfig(json: unknown): DiffitConfig {
  return checkTogether(readJsonConfig(json, diffitFields, DIFFIT));
}

/** The content of `config.json`. */
export function diffitToConfig(config: Partial<DiffitConfig>): Readonly<Record<string, unknown>> {
  return writeJsonConfig(completeDiffitConfig(config), diffitFields, DIFFIT.className);
}

/** What sides of a sample are multiples of, so that windows tile each stage. */
export function multipleOf({ windowSizes }: Pick<DiffitConfig, 'windowSizes'>): number {
  return windowSizes.map((window, i) => window * 2 ** i).reduce((a, b) => (a * b) / gcd(a, b));
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

function checkTogether(config: DiffitConfig): DiffitConfig {
  const { blockOutChannels: widths, windowSizes, sampleSize, attentionHeadDim: headSize, normNumGroups, numClasses, noneLabel } = config;
  if (widths.length !== windowSizes.length)
    throw new UserError(
      `[${DIFFIT.where}] lists name different numbers of stages: block_out_channels=[${widths.join(', ')}], `
        + `window_sizes=[${windowSizes.join(', ')}]. Give one of each for each stage.`,
    );
  const odd = widths.find((width) => width % headSize !== 0 || width % normNumGroups !== 0);
  if (odd !== undefined)
    throw new UserError(
      `[${DIFFIT.where}] features do not divide into heads and groups: block_out_channels=${odd}, attention_head_dim=${headSize}, `
        + `norm_num_groups=${normNumGroups}. Choose multiples.`,
    );
  if (sampleSize % multipleOf(config) !== 0)
    throw new UserError(
      `[${DIFFIT.where}] windows do not tile the stages: sample_size=${sampleSize}, window_sizes=[${windowSizes.join(', ')}]. Sides are `
        + `multiples of ${multipleOf(config)}.`,
    );
  if (noneLabel !== null && noneLabel >= numClasses)
    throw new UserError(
      `[${DIFFIT.where}] label that stands for none is not in the table: none_label=${noneLabel}, num_classes=${numClasses}. `
        + 'Give one that is.',
    );
  if (widths.some((width) => Math.trunc(width * config.mlpRatio) < 1))
    throw new UserError(`[${DIFFIT.where}] perceptron has no features: mlp_ratio=${config.mlpRatio}. Give more.`);
  return config;
}
