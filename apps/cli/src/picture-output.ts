import { extname } from 'node:path';
import { imageExtensions, prepareOutputFile } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';

/**
 * Known before the work, not after it: that the ending of a picture is one that is written, and that there is a place to write it to.
 *
 * @param part of the command line, for messages
 */
export async function preparePicture(path: string, part: string): Promise<string> {
  if (!imageExtensions.includes(extname(path).toLowerCase()))
    throw new UserError(`[cli/${part}] ending of the picture is not known: --out=${path}. Use one of ${imageExtensions.join(', ')}.`);
  await prepareOutputFile(path);
  return path;
}
