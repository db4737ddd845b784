import { randomUUID } from 'node:crypto';
import { closeSync, openSync, unlinkSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { shownValue, UserError } from '@langevin/tensor';
import { cannotUseFolder } from './disk-error.ts';

/**
 * Make a folder, with those above it, and see that files can be written there: known before hours of work, not after them.
 *
 * @throws {UserError} when the path is empty, leads to a file, or nothing can be written there
 */
export async function makeFolder(folder: string): Promise<void> {
  if (typeof folder !== 'string' || folder.trim() === '' || folder.includes('\0'))
    throw new UserError(`[io/folder] path of the folder is not one: folder=${shownValue(folder)}. Give the path of a folder.`);
  // The permission bits alone do not say it: not of a disk that is mounted read-only, nor for a superuser.
  const probe = join(folder, `.langevin-${randomUUID()}.tmp`);
  try {
    await make(resolve(folder));
    // In one go: a process that is ended in between would leave the file.
    closeSync(openSync(probe, 'wx'));
    unlinkSync(probe);
  } catch (cause) {
    throw cannotUseFolder(folder, cause);
  }
}

/** As `mkdir` with `recursive`, which never returns where a folder exists and none can be made in it, as in /proc (Node 20 to 24). */
async function make(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' && dirname(folder) !== folder && !(await isFolder(dirname(folder)))) {
      await make(dirname(folder));
      // Another may have been faster here too.
      await make(folder);
    } else if (!(await isFolder(folder))) throw cause;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
