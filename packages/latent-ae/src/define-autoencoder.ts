import type { Autoencoder } from '@langevin/core';
import type { WeightRules } from '@langevin/nn';
import { UserError } from '@langevin/tensor';

/** A family of autoencoders, made from JSON configurations. */
export interface AutoencoderPlugin {
  /** Lower case with dashes: `autoencoder-kl`. */
  readonly name: string;
  /** `_class_name` of its configurations: `AutoencoderKL`. */
  readonly className: string;
  /** One sentence for listings. */
  readonly summary: string;
  /** What files of its weights spell otherwise: for `fitWeights` of nn. @default the names of its parameters, all of them */
  readonly rules?: WeightRules;
  /** @throws UserError naming the entry that is wrong */
  readonly parse: (config: unknown) => Autoencoder<unknown>;
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
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/u.test(plugin.name) || !/^[A-Za-z]\w*$/u.test(plugin.className)) {
    throw new UserError(
      `[latent-ae/define] names are not well-formed: name="${plugin.name}", className="${plugin.className}". Use lower case with `
        + 'dashes for one, an identifier for the other.',
    );
  }
  return Object.freeze({ ...plugin });
}
