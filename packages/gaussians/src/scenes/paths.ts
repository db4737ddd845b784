import type { SceneFolder } from './folder.ts';
import { joinPath } from './folder.ts';

/** Endings that programs leave out; {@link findFile} looks for them in this order. */
const ENDINGS = ['.png', '.jpg', '.jpeg', '.webp', '.PNG', '.JPG', '.JPEG', '.WEBP'];

/** Folders deeper than this are not looked for. */
const MOST_PARTS = 64;

/** A path of a scene's file with slashes, as other systems write them too, and without leading "./". */
export function withSlashes(path: string): string {
  return path.replaceAll('\\', '/').replace(/^(\.\/+)+/, '');
}

/** Whether a path begins at the root of a disk, or leads out of its folder. */
export function leadsOut(path: string): boolean {
  return /^([/\\]|[a-zA-Z]:)/.test(path) || path.split(/[/\\]/).includes('..');
}

/** Where a file of a scene was found. */
export interface FoundFile {
  readonly path: string;
  /** `named`: where its name says; `moved`: by the end of its name, since what is before that is of another disk or folder. */
  readonly how: 'named' | 'moved';
}

/**
 * A file of a scene by the name that the scene's files give it. Nothing outside of the folder is looked at: of a path that begins at the
 * root of a disk or leads out, the longest end that is there counts. Endings may be left out.
 *
 * @param roots folders to look in, the first that has it wins
 */
export async function findFile(files: SceneFolder, name: string, roots: readonly string[]): Promise<FoundFile | undefined> {
  if (name.includes('\0')) return undefined;
  const plain = withSlashes(name);
  if (!leadsOut(name)) {
    for (const root of roots) {
      // A backslash may also be a part of a name.
      for (const candidate of new Set([name.replace(/^(\.\/+)+/, ''), plain])) {
        const path = await withEnding(files, joinPath(root, candidate));
        if (path !== undefined) return { path, how: 'named' };
      }
    }
  }
  const parts = plain
    .replace(/^[a-zA-Z]:/, '')
    .split('/')
    .filter((part) => part !== '' && part !== '.');
  const own = parts.slice(Math.max(parts.lastIndexOf('..') + 1, parts.length - MOST_PARTS));
  for (let from = leadsOut(name) ? 0 : 1; from < own.length; from++) {
    for (const root of roots) {
      const path = await withEnding(files, joinPath(root, ...own.slice(from)));
      if (path !== undefined) return { path, how: 'moved' };
    }
  }
  return undefined;
}

async function withEnding(files: SceneFolder, path: string): Promise<string | undefined> {
  if (await files.has(path)) return path;
  for (const ending of ENDINGS) if (await files.has(path + ending)) return path + ending;
  return undefined;
}
