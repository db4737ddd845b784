import { stat } from 'node:fs/promises';
import { shownValue, UserError } from '@langevin/tensor';
import type { OpenCheckpointOptions } from './checkpoint.ts';
import type { CheckpointFiles } from './files.ts';
import { folderFiles } from './folder-files.ts';
import { hubFiles } from './hub/hub-files.ts';
import { parseHubId } from './hub/hub-id.ts';
import { singleFile } from './single-file/single-file.ts';

/**
 * The files that are meant: those that are given, else those of a folder or a single file that exists, else those of a model on a hub where
 * the text reads as `owner/name` or `owner/name@revision`. What is on the disk goes first; `./` before a path keeps it from being an id.
 *
 * @throws UserError when it is none of these
 */
export async function givenFiles(
  given: string | CheckpointFiles,
  {
    hub,
    singleFile: how = {},
  }: { readonly hub: OpenCheckpointOptions['hub'] | undefined; readonly singleFile?: OpenCheckpointOptions['singleFile'] | undefined },
): Promise<CheckpointFiles> {
  if (typeof given === 'object' && given !== null && given.sizes instanceof Map) return given;
  if (typeof given !== 'string' || given.trim() === '' || given.includes('\0'))
    throw new UserError(`[pipelines/checkpoint] nothing to load: path=${shownValue(given)}. Give a folder, or the id of a model on a hub.`);
  const there = await stat(given).catch(() => undefined);
  if (there?.isFile() === true && /\.(?:safetensors|gguf|ckpt|pt|pth|bin)$/iu.test(given)) {
    const { config, ...rest } = how;
    return singleFile(given, { ...rest, ...(config !== undefined && { config: await givenFiles(config, { hub }) }) });
  }
  return there === undefined && parseHubId(given) !== undefined ? hubFiles(given, hub) : folderFiles(given);
}
