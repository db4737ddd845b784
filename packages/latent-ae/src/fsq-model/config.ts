import {
  activations,
  channelBounds,
  completeConfig,
  levelBounds,
  readJsonConfig,
  writeJsonConfig,
  type ActivationName,
  type ConfigOf,
  type JsonConfigOptions,
} from '@langevin/nn';
import { UserError } from '@langevin/tensor';
import { flag, integer, list, number, oneOf } from '@langevin/tensor/fields';
import { checkLevels } from '../convolutional/check-levels.ts';

export const FSQ_MODEL: JsonConfigOptions = { where: 'latent-ae/fsq-model', className: 'FSQModel' };

/** Indices are whole numbers of float32 on the way, and statistics of codes count each. */
const MOST_CODES = 2 ** 20;

export const fsqModelFields = {
  in_channels: integer(3, channelBounds),
  out_channels: integer(3, channelBounds),
  down_block_types: list(['DownEncoderBlock2D'], oneOf('DownEncoderBlock2D', ['DownEncoderBlock2D']), levelBounds),
  up_block_types: list(['UpDecoderBlock2D'], oneOf('UpDecoderBlock2D', ['UpDecoderBlock2D']), levelBounds),
  block_out_channels: list([64], integer(1, channelBounds), levelBounds),
  layers_per_block: integer(1, { atLeast: 1, atMost: 64 }),
  act_fn: oneOf('silu', [...(Object.keys(activations) as ActivationName[])]),
  norm_num_groups: integer(32, channelBounds),
  mid_block_add_attention: flag(true),
  levels: list([8, 5, 5, 5], integer(5, { atLeast: 3, atMost: 1024 }), { atLeast: 1, atMost: 20 }),
  scaling_factor: number(1, { above: 0, atMost: 1e6 }),
  shift_factor: number(0, { atLeast: -1e6, atMost: 1e6 }),
};

/**
 * The configuration of {@link fsqModel}, whose coders are those of `vqModel`.
 *
 * - `levels`: how many values each channel of a code may have; their product is how many codes there are, at most 2^20. Of two values the
 *   rounded tanh would give nearly everything one; the paper recommends five and more. The default is 1,000 codes, the paper's for 2^10.
 * - `scalingFactor`, `shiftFactor`: latents, before they are quantised, are diffused over as (z - shift) * scale.
 */
export type FsqModelConfig = ConfigOf<typeof fsqModelFields>;

/** Fill in defaults and check. @throws UserError naming the entry that is wrong */
export function completeFsqModelConfig(partial: Partial<FsqModelConfig>): FsqModelConfig {
  return checkTogether(completeConfig(partial, fsqModelFields, FSQ_MODEL));
}

/** Check a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function parseFsqModelConfig(json: unknown): FsqModelConfig {
  return checkTogether(readJsonConfig(json, fsqModelFields, FSQ_MODEL));
}

/** The content of `config.json`. */
export function fsqModelToConfig(config: Partial<FsqModelConfig>): Readonly<Record<string, unknown>> {
  return writeJsonConfig(completeFsqModelConfig(config), fsqModelFields, FSQ_MODEL.className);
}

function checkTogether(config: FsqModelConfig): FsqModelConfig {
  checkLevels(config, FSQ_MODEL.where);
  const count = config.levels.reduce((product, level) => product * level, 1);
  if (count > MOST_CODES)
    throw new UserError(
      `[${FSQ_MODEL.where}] there are too many codes: levels=[${config.levels.join(', ')}], ${count} in all, at most ${MOST_CODES}. Give `
        + 'fewer levels.',
    );
  return config;
}
