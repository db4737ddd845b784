import { stat } from 'node:fs/promises';
import type { OpenCheckpointOptions } from './checkpoint.ts';
import type { CheckpointFiles } from './files.ts';
import { folderFiles } from './folder-files.ts';
import { givenFiles } from './given-files.ts';
import { hubFiles } from './hub/hub-files.ts';
import { parseHubId } from './hub/hub-id.ts';
import { singleFile } from './single-file/single-file.ts';

/** The files of a path or an id. */
export async function namedFiles(
  given: string,
  {
    hub,
    singleFile: how = {},
  }: { readonly hub: OpenCheckpointOptions['hub'] | undefined; readonly singleFile?: OpenCheckpointOptions['singleFile'] | undefined },
): Promise<CheckpointFiles> {
  const there = await stat(given).catch(() => undefined);
  if (there?.isFile() === true && /\.(?:safetensors|gguf|ckpt|pt|pth|bin)$/iu.test(given)) {
    const { config, ...rest } = how;
    return singleFile(given, { ...rest, ...(config !== undefined && { config: await givenFiles(config, { hub }) }) });
  }
  return there === undefined && parseHubId(given) !== undefined ? hubFiles(given, hub) : folderFiles(given);
}
