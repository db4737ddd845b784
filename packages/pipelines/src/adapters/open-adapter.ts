import { readOptions, shownValue, UserError } from '@langevin/tensor';
import { namesIn, type CheckpointFiles, type WeightFile } from '../checkpoint/files.ts';
import type { HubOptions } from '../checkpoint/hub/hub-options.ts';
import { peftSettings, type PeftSettings } from './peft-settings.ts';

const WHERE = 'pipelines/adapters';
/** What diffusers and PEFT call the file of an adapter, in this order. */
const USUAL = ['pytorch_lora_weights.safetensors', 'adapter_model.safetensors'];
const SETTINGS = 'adapter_config.json';

/** The file of an adapter, with the settings that lie beside it. */
export interface AdapterFile extends Pick<WeightFile, 'tensors' | 'metadata'> {
  /** Where it lies, for messages. */
  readonly from: string;
  readonly settings?: PeftSettings;
}

/**
 * Opens an adapter's file: one that exists, the only one (or `pytorch_lora_weights.safetensors`, or `adapter_model.safetensors`) of a
 * folder that exists, or of a model on a hub by its id. Nothing is read beyond its header.
 *
 * @throws UserError when it is none of these, a pickle, or a folder with several files and none of the usual names
 */
export async function openAdapter(
  given: string | AdapterFile,
  options: { readonly hub?: HubOptions | undefined } = {},
): Promise<AdapterFile> {
  if (typeof given === 'object' && given !== null && given.tensors instanceof Map) return given;
  if (typeof given !== 'string' || given.trim() === '' || given.includes('\0'))
    throw new UserError(
      `[${WHERE}] nothing to load: path=${shownValue(given)}. Give a .safetensors file, its folder, or the id of a model.`,
    );
  const { hub } = readOptions(WHERE, options);
  // A page gives files that are open, and has no disk.
  const { namedAdapter } = await import('./named-adapter.ts');
  const found = await namedAdapter(given, hub);
  if ('tensors' in found) return found;
  const files = found;
  const name = fileIn(files);
  const settings = files.sizes.has(SETTINGS) ? peftSettings(await files.json(SETTINGS), `${files.label}/${SETTINGS}`) : undefined;
  return { from: `${files.label}/${name}`, ...(await files.weights(name)), ...(settings && { settings }) };
}

function fileIn(files: CheckpointFiles): string {
  const names = namesIn(files, '').filter((name) => name.endsWith('.safetensors'));
  const usual = USUAL.find((name) => names.includes(name));
  if (usual !== undefined) return usual;
  if (names.length === 1) return names[0]!;
  const pickles = namesIn(files, '').filter((name) => /\.(?:bin|pt|ckpt|pth)$/u.test(name));
  if (names.length === 0)
    throw new UserError(
      `[${WHERE}] folder has no adapter: folder=${files.label}, .safetensors files=0`
        + `${
          pickles.length > 0 ? `, pickles=${pickles.join(', ')}, which are never opened: convert them in Python with ` + `safetensors` : ''
        }. `
        + 'Give another one.',
    );
  throw new UserError(
    `[${WHERE}] folder has several files: folder=${files.label}, files=${names.slice(0, 8).join(', ')}. Give the path of one of them.`,
  );
}

/** A name for an adapter that has none: that of its file, without what all have. */
export function adapterName(from: string): string {
  const own = lastPart(from).replace(/\.safetensors$/u, '');
  return USUAL.includes(`${own}.safetensors`) ? lastPart(from.slice(0, -`/${own}.safetensors`.length)) : own;
}

/** What is behind the last separator of a path, of either kind. */
export function lastPart(path: string): string {
  return path.split(/[/\\]/u).findLast((part) => part !== '') ?? path;
}
