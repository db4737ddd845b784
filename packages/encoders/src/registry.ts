import { findClass } from '@langevin/nn';
import type { ClassPlugin } from '@langevin/nn';
import { UserError } from '@langevin/tensor';
import type { EncoderPlugin, ImageEncoder, TextEncoder } from './define-encoder.ts';
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

/** The plugin of a name or class, whose encoders have to be of texts. @throws UserError when they are of pictures */
export function findTextEncoder(name: string, plugins?: readonly EncoderPlugin[]): ClassPlugin<TextEncoder<unknown>> {
  const plugin = findEncoder(name, plugins);
  return { ...plugin, parse: (json) => ofKind(plugin.parse(json), 'text', name) };
}

/** The plugin of a name or class, whose encoders have to be of pictures. @throws UserError when they are of texts */
export function findImageEncoder(name: string, plugins?: readonly EncoderPlugin[]): ClassPlugin<ImageEncoder<unknown>> {
  const plugin = findEncoder(name, plugins);
  return { ...plugin, parse: (json) => ofKind(plugin.parse(json), 'image', name) };
}

type Encoder = TextEncoder<unknown> | ImageEncoder<unknown>;

function ofKind<K extends Encoder['info']['kind']>(encoder: Encoder, kind: K, name: string): Extract<Encoder, { info: { kind: K } }> {
  if (encoder.info.kind === kind) return encoder as Extract<Encoder, { info: { kind: K } }>;
  throw new UserError(`[${WHERE}] encoder is of another kind: class=${name}, kind=${encoder.info.kind}, wanted=${kind}. Choose another.`);
}
