import type { Autoencoder } from '@langevin/core';
import { defineClass, type ClassPlugin } from '@langevin/nn';
import type { LatentStatistics } from './statistics/latent-statistics.ts';

/** A family of autoencoders, made from JSON configurations. */
export interface AutoencoderPlugin extends ClassPlugin<Autoencoder<unknown>> {
  /**
   * A configuration that keeps the statistics of latents, by which what is diffused over has zero mean and unit variance.
   *
   * @default `scaling_factor` and, where it is known, `shift_factor`, of all channels together
   */
  readonly withStatistics?: (config: Readonly<Record<string, unknown>>, statistics: LatentStatistics) => Readonly<Record<string, unknown>>;
}

/**
 * A plugin as a frozen value.
 *
 * @throws UserError when its name or class is not well-formed
 * @example
 * const none = defineAutoencoder({
 *   name: 'none', className: 'NoAutoencoder', summary: 'Latents are the pictures themselves.',
 *   parse: () => ({
 *     info: { inputs: 3, channels: 3, factor: [1, 1], scale: 1, shift: 0 },
 *     init: () => ({}),
 *     latentShape: (shape) => shape,
 *     encode: (_params, x) => ({ mode: x, sample: () => x }),
 *     decode: (_params, z) => z,
 *   }),
 * });
 * none.parse({}).info.factor; // => [1, 1]
 */
export function defineAutoencoder(plugin: AutoencoderPlugin): AutoencoderPlugin {
  return defineClass('latent-ae/define', plugin);
}
