import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { cannotRead } from './file-source.ts';

/**
 * Place, size and date of a file: another content has another date, as far as programs keep it.
 *
 * @throws UserError when the file is not there
 */
export async function fileVersion(path: string): Promise<string> {
  const { size, mtimeMs } = await stat(path).catch((cause: unknown) => {
    throw cannotRead(path, cause);
  });
  return `${resolve(path)} ${size} ${mtimeMs}`;
}
