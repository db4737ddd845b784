import { UserError } from '@langevin/tensor';
import { integer, list, oneOf } from '@langevin/tensor/fields';
import {
  channelBounds,
  completeConfig,
  levelBounds,
  readJsonConfig,
  writeJsonConfig,
  type ConfigOf,
  type JsonConfigOptions,
} from '@langevin/nn';

export const T2I_ADAPTER: JsonConfigOptions = { where: 'backbones/t2i-adapter', className: 'T2IAdapter' };

/** Keys, defaults and bounds of diffusers' `T2IAdapter`. */
export const t2iAdapterFields = {
  in_channels: integer(3, channelBounds),
  channels: list([320, 640, 1280, 1280], integer(320, channelBounds), levelBounds),
  num_res_blocks: integer(2, { atLeast: 1, atMost: 64 }),
  downscale_factor: integer(8, { atLeast: 1, atMost: 64 }),
  adapter_type: oneOf('full_adapter', ['full_adapter', 'full_adapter_xl', 'light_adapter']),
};

/** The configuration of {@link t2iAdapter}, the one of diffusers' `T2IAdapter` with keys in camelCase. */
export type T2iAdapterConfig = ConfigOf<typeof t2iAdapterFields>;

/** Fill in defaults and check. @throws UserError naming the entry that is wrong */
export const completeT2iAdapterConfig = (partial: Partial<T2iAdapterConfig>): T2iAdapterConfig =>
  checkTogether(completeConfig(partial, t2iAdapterFields, T2I_ADAPTER));

/** Check a parsed `config.json`. @throws UserError naming the entry that is wrong */
export const parseT2iAdapterConfig = (json: unknown): T2iAdapterConfig =>
  checkTogether(readJsonConfig(json, t2iAdapterFields, T2I_ADAPTER));

/** The content of `config.json`, which diffusers reads as well. */
export const t2iAdapterToConfig = (config: Partial<T2iAdapterConfig>): Readonly<Record<string, unknown>> =>
  writeJsonConfig(completeT2iAdapterConfig(config), t2iAdapterFields, T2I_ADAPTER.className);

function checkTogether(config: T2iAdapterConfig): T2iAdapterConfig {
  const { adapterType, channels } = config;
  const thin = channels.find((size) => size < 4);
  if (adapterType === 'light_adapter' && thin !== undefined)
    throw new UserError(
      `[${T2I_ADAPTER.where}] a light adapter works on a quarter of its channels: channels has ${thin}. Give at least 4 each.`,
    );
  // Blocks 0, 3 and on of the large adapter keep their channels, so that the one before has to have as many.
  const broken = channels.findIndex((size, i) => adapterType === 'full_adapter_xl' && i > 2 && size !== channels[i - 1]);
  if (broken !== -1)
    throw new UserError(
      `[${T2I_ADAPTER.where}] blocks from the fourth on keep their channels: channels[${broken}]=${channels[broken]}, `
        + `channels[${broken - 1}]=${channels[broken - 1]}. Give equal sizes there.`,
    );
  return config;
}
