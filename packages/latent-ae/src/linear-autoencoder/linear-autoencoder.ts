import type { Autoencoder } from '@langevin/core';
import {
  channelBounds,
  completeConfig,
  linear,
  readJsonConfig,
  scoped,
  writeJsonConfig,
  type ConfigOf,
  type LinearParams,
} from '@langevin/nn';
import { UserError, type Generator, type Tensor } from '@langevin/tensor';
import { integer, number } from '@langevin/tensor/fields';
import { codePosterior } from '../code-posterior.ts';

export const LINEAR_AUTOENCODER = { where: 'latent-ae/linear-autoencoder', className: 'LinearAutoencoder' } as const;

const fields = {
  in_channels: integer(2, channelBounds),
  latent_channels: integer(1, channelBounds),
  scaling_factor: number(1, { above: 0, atMost: 1e6 }),
  shift_factor: number(0, { atLeast: -1e6, atMost: 1e6 }),
};

/** Numbers of an item, and of its latent; latents are diffused over as (z - shift) * scale. */
export type LinearAutoencoderConfig = ConfigOf<typeof fields>;

export interface LinearAutoencoderParams {
  readonly encoder: LinearParams;
  readonly decoder: LinearParams;
}

/**
 * The smallest autoencoder: items are vectors [N, inChannels], and encoder and decoder one linear map each. Trained by squared differences
 * it finds the space of the largest principal components, and no autoencoder of this form is better (Eckart and Young 1936; Baldi and
 * Hornik 1989, doi:10.1016/0893-6080(89)90014-2): a measure for whatever trains it.
 *
 * @throws UserError when the configuration is inconsistent, or at `encode` and `decode` when shapes do not fit
 * @example const { latentShape } = linearAutoencoder({ inChannels: 8, latentChannels: 2 });
 * latentShape([5, 8]); // => [5, 2]
 */
export function linearAutoencoder(config: Partial<LinearAutoencoderConfig> = {}): Autoencoder<LinearAutoencoderParams> {
  const { inChannels, latentChannels, scalingFactor, shiftFactor } = completeConfig(config, fields, LINEAR_AUTOENCODER);
  const { where } = LINEAR_AUTOENCODER;
  if (latentChannels > inChannels)
    throw new UserError(
      `[${where}] latents are larger than what is encoded: latent_channels=${latentChannels}, in_channels=${inChannels}. Give fewer.`,
    );
  const encoder = scoped('encoder', linear({ inputs: inChannels, outputs: latentChannels }));
  const decoder = scoped('decoder', linear({ inputs: latentChannels, outputs: inChannels }));
  const check = (shape: readonly number[], size: number, what: string): void => {
    if (shape.length === 2 && shape[0]! > 0 && shape[1] === size) return;
    throw new UserError(`[${where}] ${what} do not fit: [${shape.join(', ')}]. Give [N, ${size}].`);
  };
  return Object.freeze({
    info: Object.freeze({ inputs: inChannels, channels: latentChannels, factor: [], scale: scalingFactor, shift: shiftFactor }),
    lastLayer: 'decoder.weight',
    init: (generator: Generator): LinearAutoencoderParams => ({ encoder: encoder.init(generator), decoder: decoder.init(generator) }),
    latentShape(shape: readonly number[]) {
      check(shape, inChannels, 'items');
      return [shape[0]!, latentChannels];
    },
    encode(params: LinearAutoencoderParams, x: Tensor) {
      check(x.shape, inChannels, 'items');
      return codePosterior(encoder.apply(params.encoder, x));
    },
    decode(params: LinearAutoencoderParams, z: Tensor) {
      check(z.shape, latentChannels, 'latents');
      return decoder.apply(params.decoder, z);
    },
  });
}

/** {@link linearAutoencoder} from a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function linearAutoencoderFromConfig(json: unknown): Autoencoder<LinearAutoencoderParams> {
  return linearAutoencoder(readJsonConfig(json, fields, LINEAR_AUTOENCODER));
}

/** The content of `config.json`. */
export function linearAutoencoderToConfig(config: Partial<LinearAutoencoderConfig>): Readonly<Record<string, unknown>> {
  return writeJsonConfig(completeConfig(config, fields, LINEAR_AUTOENCODER), fields, LINEAR_AUTOENCODER.className);
}
