import { shownValue, UserError } from '@langevin/tensor';
import type { OpenCheckpointOptions } from './checkpoint.ts';
import type { CheckpointFiles } from './files.ts';

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
  // What reads a disk is loaded where there is a path: a page gives files, and has none.
  const { namedFiles } = await import('./named-files.ts');
  return namedFiles(given, { hub, singleFile: how });
}
