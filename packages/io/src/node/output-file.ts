import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { shownValue, UserError } from '@langevin/tensor';
import { cannotUseFolder } from './disk-error.ts';
import { makeFolder } from './make-folder.ts';

/**
 * See whether a file could be written, without changing anything on the disk: the first thing that a long job does. What is missing of its
 * folder is made by {@link prepareOutputFile}.
 *
 * @throws {UserError} when the path is empty or a folder, a part of it is a file, or the nearest folder that is there cannot be written to
 */
export async function checkOutputFile(path: string): Promise<void> {
  if (typeof path !== 'string' || path.trim() === '' || path.includes('\0'))
    throw new UserError(`[io/write] path of the file is not one: path=${shownValue(path)}. Give the path of a file.`);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true || /[/\\]$/.test(path))
    throw new UserError(`[io/write] path is that of a folder: path=${JSON.stringify(path)}. Name a file in it.`);
  await checkOutputFolder(dirname(resolve(path)));
}

/**
 * See whether files could be written to a folder, or it could be made, without changing anything on the disk; `makeFolder` makes it.
 *
 * @throws {UserError} when the path is empty, a part of it is a file, or the nearest folder that is there cannot be written to
 */
export async function checkOutputFolder(path: string): Promise<void> {
  if (typeof path !== 'string' || path.trim() === '' || path.includes('\0'))
    throw new UserError(`[io/folder] path of the folder is not one: folder=${shownValue(path)}. Give the path of a folder.`);
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const there = await stat(folder).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && dirname(folder) !== folder) return undefined;
      throw cannotUseFolder(folder, error);
    });
    if (there === undefined) continue;
    if (!there.isDirectory())
      throw new UserError(
        `[io/folder] a part of the path is a file: folder=${JSON.stringify(path)}, file=${JSON.stringify(folder)}. Choose another.`,
      );
    return access(folder, constants.W_OK | constants.X_OK).catch((error: unknown) => {
      throw cannotUseFolder(folder, error);
    });
  }
}

/**
 * Make the folder of a file that will be written, and see that it can be: right before the work, so that nobody loses it to a path.
 *
 * @throws {UserError} as {@link checkOutputFile}, and when the folder cannot be made
 */
export async function prepareOutputFile(path: string): Promise<void> {
  await checkOutputFile(path);
  await makeFolder(dirname(resolve(path)));
}
