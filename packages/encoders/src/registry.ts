import { findClass } from '@langevin/nn';
import type { EncoderPlugin } from './define-encoder.ts';
import { encoderPlugins } from './plugins.ts';

const WHERE = 'encoders/registry';

/**
 * The plugin of a name or class: `clip-text` or `CLIPTextModel`.
 *
 * @param plugins the ones to choose from; add your own here. @default the ones of this package
 * @throws UnsupportedError when there is none, with the closest name
 */
export function findEncoder(name: string, plugins: readonly EncoderPlugin[] = encoderPlugins): EncoderPlugin {
  return findClass(name, { plugins, where: WHERE, kind: 'encoder' });
}
