import { didYouMean, shownValue, UnsupportedError, UserError } from '@langevin/tensor';
import type { EncoderPlugin } from './define-encoder.ts';
import { encoderPlugins } from './plugins.ts';

/**
 * The plugin of a name or class: `clip-text` or `CLIPTextModel`.
 *
 * @param plugins the ones to choose from; add your own here. @default the ones of this package
 * @throws UnsupportedError when there is none, with the closest name
 */
export function findEncoder(name: string, plugins: readonly EncoderPlugin[] = encoderPlugins): EncoderPlugin {
  if (typeof name !== 'string') throw new UserError(`[encoders/registry] name is no text: name=${shownValue(name)}. Pass a name.`);
  const found = plugins.find((plugin) => plugin.name === name || plugin.className === name);
  if (found) return found;
  const names = plugins.map((plugin) => plugin.name).sort();
  const suggestion = didYouMean(name, [...names, ...plugins.map((plugin) => plugin.className)]);
  throw new UnsupportedError(
    `[encoders/registry] encoder is not supported: name=${JSON.stringify(name.slice(0, 80))}.${suggestion} Known: ${names.join(', ')}.`,
  );
}
