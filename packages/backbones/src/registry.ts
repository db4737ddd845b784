import { didYouMean, readOptions, shownValue, UnsupportedError, UserError } from '@langevin/tensor';
import type { Network } from '@langevin/core';
import type { BackbonePlugin, ParseOptions } from './define-backbone.ts';
import { backbonePlugins } from './plugins.ts';

/**
 * The plugin of a name or class: `unet2d` or `UNet2DModel`.
 *
 * @param plugins the ones to choose from; add your own here. @default the ones of this package
 * @throws UnsupportedError when there is none, with the closest name
 */
export function findBackbone(name: string, plugins: readonly BackbonePlugin[] = backbonePlugins): BackbonePlugin {
  if (typeof name !== 'string') throw new UserError(`[backbones/registry] name is no text: name=${shownValue(name)}. Pass a name.`);
  const found = plugins.find((plugin) => plugin.name === name || plugin.className === name);
  if (found) return found;
  const names = plugins.map((plugin) => plugin.name).sort();
  const suggestion = didYouMean(name, [...names, ...plugins.map((plugin) => plugin.className)]);
  throw new UnsupportedError(
    `[backbones/registry] backbone is not supported: name=${JSON.stringify(name.slice(0, 80))}.${suggestion} Known: ${names.join(', ')}.`,
  );
}

/**
 * The network that a parsed `config.json` describes; its `_class_name` says which kind.
 *
 * @throws UserError when the class is missing or an entry is wrong; UnsupportedError when the class is not known
 * @example
 * const { info } = backboneFromConfig({ _class_name: 'UNet2DModel', sample_size: 32 });
 * info.size; // => [32, 32]
 */
export function backboneFromConfig(
  config: unknown,
  options: ParseOptions & { readonly plugins?: readonly BackbonePlugin[] } = {},
): Network<unknown> {
  const { plugins = backbonePlugins, ...rest } = readOptions('backbones/registry', options);
  const name = typeof config === 'object' && config !== null && '_class_name' in config ? config._class_name : undefined;
  if (typeof name !== 'string') {
    throw new UserError(
      `[backbones/registry] configuration does not say its class: _class_name=${name === undefined ? 'nothing' : shownValue(name)}. Known: `
        + `${plugins.map((plugin) => plugin.className).join(', ')}.`,
    );
  }
  return findBackbone(name, plugins).parse(config, rest);
}
