import { appendFile, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileSource, lockFolder, makeFolder, removeStaleTemporaries, writeFileAtomic } from '@langevin/io/node';
import { shownValue, UserError } from '@langevin/tensor';
import type { RunStore } from '../store.ts';

/**
 * A run in a folder, which is made when it is missing. A file is written whole or not at all; what a killed run left half-written is
 * removed when the next one takes the folder.
 *
 * @throws UserError from each function, when the disk is full, not readable or not writable
 * @example
 * // Pass it as `store` to train() of @langevin/training.
 * const store = folderStore('runs/mine');
 * await store.append('log.jsonl', '{"step":1}\n');
 * await store.list('.'); // => ['log.jsonl']
 */
export function folderStore(folder: string): RunStore {
  if (typeof folder !== 'string' || folder.trim() === '')
    throw new UserError(`[training/folder] a run needs a folder: folder=${shownValue(folder)}. Give a path.`);
  const at = (path: string): string => join(folder, path);
  const prepared = new Set<string>();
  const prepare = async (path: string): Promise<void> => {
    const parent = dirname(at(path));
    if (prepared.has(parent)) return;
    await makeFolder(parent);
    prepared.add(parent);
  };
  return Object.freeze({
    label: folder,
    open: async (path: string) => {
      const names = await namesIn(dirname(at(path)));
      return names.includes(at(path).slice(dirname(at(path)).length + 1)) ? fileSource(at(path)) : undefined;
    },
    write: async (path: string, pieces: readonly Uint8Array[]) => {
      await prepare(path);
      await guarded(at(path), () => writeFileAtomic(at(path), pieces));
    },
    append: async (path: string, text: string) => {
      await prepare(path);
      await guarded(at(path), () => appendFile(at(path), text));
    },
    list: (path: string) => namesIn(at(path)),
    remove: (path: string) => guarded(at(path), () => rm(at(path), { force: true })),
    rename: (from: string, to: string) => guarded(at(from), () => rename(at(from), at(to))),
    lock: async () => {
      await makeFolder(folder);
      const lock = await lockFolder(folder);
      try {
        for (const each of [folder, at('checkpoints'), ...(await foldersIn(at('evaluations')))]) {
          if ((await namesIn(each)).length > 0) await removeStaleTemporaries(each);
        }
      } catch (error) {
        await lock.release();
        throw error;
      }
      return lock;
    },
  });
}

/** All folders below one, at any depth. */
async function foldersIn(folder: string): Promise<readonly string[]> {
  if ((await namesIn(folder)).length === 0) return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw cannot('read', folder, error);
  }
}

async function guarded(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw cannot('be written', path, error);
  }
}

function cannot(what: string, path: string, cause: unknown): UserError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new UserError(
    `[training/folder] run cannot ${what}: path=${path}, ${reason}. Earlier checkpoints are untouched; free space or permissions `
      + 'and resume.',
    { cause },
  );
}
