import type { Autoencoder } from '@langevin/core';
import { classNamed, findClass } from '@langevin/nn';
import { readOptions } from '@langevin/tensor';
import type { AutoencoderPlugin } from './define-autoencoder.ts';
import { autoencoderPlugins } from './plugins.ts';

const WHERE = 'latent-ae/registry';

/**
 * The plugin of a name or class: `autoencoder-kl` or `AutoencoderKL`.
 *
 * @param plugins the ones to choose from; add your own here. @default the ones of this package
 * @throws UnsupportedError when there is none, with the closest name
 */
export function findAutoencoder(name: string, plugins: readonly AutoencoderPlugin[] = autoencoderPlugins): AutoencoderPlugin {
  return findClass(name, { plugins, where: WHERE, kind: 'autoencoder' });
}

/**
 * The autoencoder that a parsed `config.json` describes; its `_class_name` says which kind.
 *
 * @throws UserError when the class is missing or an entry is wrong; UnsupportedError when the class is not known
 * @example const { info } = autoencoderFromConfig({ _class_name: 'AutoencoderKL', latent_channels: 16, shift_factor: 0.0609 });
 * [info.channels, info.shift]; // => [16, 0.0609]
 */
export function autoencoderFromConfig(
  config: unknown,
  options: { readonly plugins?: readonly AutoencoderPlugin[] } = {},
): Autoencoder<unknown> {
  const { plugins = autoencoderPlugins } = readOptions(WHERE, options);
  return findAutoencoder(classNamed(config, { plugins, where: WHERE }), plugins).parse(config);
}
