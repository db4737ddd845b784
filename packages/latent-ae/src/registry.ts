import type { Autoencoder } from '@langevin/core';
import { didYouMean, readOptions, shownValue, UnsupportedError, UserError } from '@langevin/tensor';
import type { AutoencoderPlugin } from './define-autoencoder.ts';
import { autoencoderPlugins } from './plugins.ts';

/**
 * The plugin of a name or class: `autoencoder-kl` or `AutoencoderKL`.
 *
 * @param plugins the ones to choose from; add your own here. @default the ones of this package
 * @throws UnsupportedError when there is none, with the closest name
 */
export function findAutoencoder(name: string, plugins: readonly AutoencoderPlugin[] = autoencoderPlugins): AutoencoderPlugin {
  if (typeof name !== 'string') throw new UserError(`[latent-ae/registry] name is no text: name=${shownValue(name)}. Pass a name.`);
  const found = plugins.find((plugin) => plugin.name === name || plugin.className === name);
  if (found) return found;
  const names = plugins.map((plugin) => plugin.name).sort();
  const suggestion = didYouMean(name, [...names, ...plugins.map((plugin) => plugin.className)]);
  throw new UnsupportedError(
    `[latent-ae/registry] autoencoder is not supported: name=${JSON.stringify(name.slice(0, 80))}.${suggestion} Known: `
      + `${names.join(', ')}.`,
  );
}

/**
 * The autoencoder that a parsed `config.json` describes; its `_class_name` says which kind.
 *
 * @throws UserError when the class is missing or an entry is wrong; UnsupportedError when the class is not known
 * @example
 * const { info } = autoencoderFromConfig({ _class_name: 'AutoencoderKL', latent_channels: 16, shift_factor: 0.0609 });
 * [info.channels, info.shift]; // => [16, 0.0609]
 */
export function autoencoderFromConfig(
  config: unknown,
  options: { readonly plugins?: readonly AutoencoderPlugin[] } = {},
): Autoencoder<unknown> {
  const { plugins = autoencoderPlugins } = readOptions('latent-ae/registry', options);
  const name = typeof config === 'object' && config !== null && '_class_name' in config ? config._class_name : undefined;
  if (typeof name !== 'string')
    throw new UserError(
      `[latent-ae/registry] configuration does not say its class: _class_name=${name === undefined ? 'nothing' : shownValue(name)}. Known: `
        + `${plugins.map((plugin) => plugin.className).join(', ')}.`,
    );
  return findAutoencoder(name, plugins).parse(config);
}
