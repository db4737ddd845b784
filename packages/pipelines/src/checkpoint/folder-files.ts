import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { readBytes, readPythonJson } from '@langevin/io/node';
import { shownValue, UserError } from '@langevin/tensor';
import { mappedTensors } from '../weights.ts';
import type { CheckpointFiles } from './files.ts';

/** Repositories of checkpoints have some dozens; a folder with more is another one than was meant. */
const MOST_FILES = 10_000;
/** `scheduler/scheduler_config.json` lies one folder deep, some repositories keep sizes of a model in folders of their own. */
const DEEPEST = 3;
/** Folders of version control and of download tools. */
const HIDDEN = /^\./u;

/**
 * The files of a checkpoint in a folder. A link out of the folder is refused, but for the layout of the hub's own cache, whose snapshots
 * consist of links to the blobs beside them.
 *
 * @throws UserError when it is no folder, or one with very many files
 */
export async function folderFiles(folder: string): Promise<CheckpointFiles> {
  const root = await realRoot(folder);
  const allowed = [root, ...blobsOf(root)];
  const sizes = new Map<string, number>();
  await list(root, { sizes, below: '', depth: 0, folder });
  const place = async (path: string): Promise<string> => {
    if (!sizes.has(path))
      throw new UserError(`[pipelines/checkpoint] file is missing: path=${JSON.stringify(path)}, folder=${folder}. Download it there.`);
    const real = await realpath(join(root, path));
    if (allowed.some((home) => real.startsWith(`${home}${sep}`))) return join(root, path);
    throw new UserError(
      `[pipelines/checkpoint] link leads out of the folder: path=${JSON.stringify(path)}, folder=${folder}. Copy the file into the folder.`,
    );
  };
  return Object.freeze({
    label: folder,
    sizes,
    json: async (path: string) => readPythonJson(await place(path)),
    bytes: async (path: string, { maxBytes }: { readonly maxBytes: number }) => readBytes(await place(path), { maxBytes }),
    weights: async (path: string) => mappedTensors(await place(path), { place: async (shard) => place(relative(root, shard)) }),
  });
}

async function realRoot(folder: unknown): Promise<string> {
  if (typeof folder !== 'string' || folder.trim() === '' || folder.includes('\0'))
    throw new UserError(`[pipelines/checkpoint] nothing to load: path=${shownValue(folder)}. Give the path of a model's folder.`);
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() !== true)
    throw new UserError(
      `[pipelines/checkpoint] not a folder: path=${folder}, ${found === undefined ? 'nothing is there' : 'a file is there'}. Give the `
        + "path of a model's folder.",
    );
  return realpath(resolve(folder));
}

/** Where the links of a snapshot in the hub's cache lead: `models--a--b/snapshots/<revision>` to `models--a--b/blobs`. */
function blobsOf(root: string): readonly string[] {
  const snapshots = dirname(root);
  const repository = dirname(snapshots);
  return basename(snapshots) === 'snapshots' && basename(repository).startsWith('models--') ? [join(repository, 'blobs')] : [];
}

async function list(
  root: string,
  {
    sizes,
    below,
    depth,
    folder,
  }: { readonly sizes: Map<string, number>; readonly below: string; readonly depth: number; readonly folder: string },
): Promise<void> {
  for (const entry of await readdir(join(root, below), { withFileTypes: true })) {
    if (HIDDEN.test(entry.name)) continue;
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) {
      if (depth < DEEPEST) await list(root, { sizes, below: path, depth: depth + 1, folder });
      continue;
    }
    // A link that leads nowhere is as good as no file.
    const found = await stat(join(root, path)).catch(() => undefined);
    if (found?.isFile() !== true) continue;
    sizes.set(path, found.size);
    if (sizes.size > MOST_FILES)
      throw new UserError(
        `[pipelines/checkpoint] folder has too many files to be a checkpoint: path=${folder}, files>${MOST_FILES}. Give the folder that `
          + 'has model_index.json or config.json.',
      );
  }
}
