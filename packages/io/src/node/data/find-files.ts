import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { UserError } from '@langevin/tensor';
import { cannotRead } from '../file-source.ts';

/**
 * Files of some kinds under a folder, relative to it with `/`, in code-unit order, so that no locale or file system changes it. Links to
 * files count; links to folders are not followed, because they can form a loop.
 *
 * @throws {UserError} when a folder cannot be read, or there is no such file
 */
export async function findFiles(
  folder: string,
  { endings, where }: { readonly endings: readonly string[]; readonly where: string },
): Promise<readonly string[]> {
  const found: string[] = [];
  const visit = async (relative: string): Promise<void> => {
    const children = await readdir(join(folder, relative), { withFileTypes: true }).catch((cause: unknown) => {
      throw cannotRead(join(folder, relative), cause);
    });
    for (const child of children) {
      const path = relative === '' ? child.name : `${relative}/${child.name}`;
      if (child.isDirectory()) await visit(path);
      else if (endings.includes(extname(child.name).toLowerCase()) && (await isFile(join(folder, path)))) found.push(path);
    }
  };
  await visit('');
  if (found.length === 0)
    throw new UserError(`${where} ${JSON.stringify(folder)} has no image: looked for ${endings.join(', ')}. Check the folder.`);
  return found.sort((a, b) => (a < b ? -1 : 1));
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isFile(),
    () => true,
  ); // a dangling link is reported when it is read
}
