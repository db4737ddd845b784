import { classNamed, findClass } from '@langevin/nn';
import { readOptions } from '@langevin/tensor';
import type { Network } from '@langevin/core';
import type { BackbonePlugin, ParseOptions } from './define-backbone.ts';
import { backbonePlugins } from './plugins.ts';

const WHERE = 'backbones/registry';

/**
 * The plugin of a name or class: `unet2d` or `UNet2DModel`.
 *
 * @param plugins the ones to choose from; add your own here. @default the ones of this package
 * @throws UnsupportedError when there is none, with the closest name
 */
export function findBackbone(name: string, plugins: readonly BackbonePlugin[] = backbonePlugins): BackbonePlugin {
  return findClass(name, { plugins, where: WHERE, kind: 'backbone' });
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
  const { plugins = backbonePlugins, ...rest } = readOptions(WHERE, options);
  return findBackbone(classNamed(config, { plugins, where: WHERE }), plugins).parse(config, rest);
}
