import { copyFile, link, mkdir, readFile, realpath, rename, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { checkFreeSpace, fetchTo, lockFolderWhenFree, makeFolder, writeFileAtomic } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import { refusalOf } from './hub-errors.ts';
import { isCommit, type HubId } from './hub-id.ts';
import type { HubFile } from './hub-listing.ts';
import type { ResolvedHub } from './hub-options.ts';

/** The folder of a model in the hub's cache: `refs/<revision>` names a commit, `snapshots/<commit>` links to `blobs/<digest>`. */
export function repositoryFolder({ owner, name }: HubId, { cache }: Pick<ResolvedHub, 'cache'>): string {
  return join(cache, `models--${owner}--${name}`);
}

/** The commit that a revision was when it was last asked for; undefined where it never was. */
export async function cachedCommit(id: HubId, hub: ResolvedHub): Promise<string | undefined> {
  if (isCommit(id.revision)) return id.revision;
  const text = await readFile(join(repositoryFolder(id, hub), 'refs', id.revision), 'utf8').catch(() => '');
  return isCommit(text.trim()) ? text.trim() : undefined;
}

/** Notes which commit a revision is now, for whoever asks offline. */
export async function noteCommit(id: HubId, { hub, commit }: { readonly hub: ResolvedHub; readonly commit: string }): Promise<void> {
  if (isCommit(id.revision) || (await cachedCommit(id, hub)) === commit) return;
  const path = join(repositoryFolder(id, hub), 'refs', id.revision);
  await makeFolder(dirname(path));
  await writeFileAtomic(path, commit);
}

/**
 * The path of a file in the cache; it is fetched where it is not there. A file has its name in the cache only once all of its bytes are
 * there and are those of its digest, whichever process was ended or ran beside this one.
 *
 * @throws UserError when the hub refuses or cannot be reached, the disk fails, or it is stopped
 */
export async function cachedFile(
  file: HubFile,
  { id, hub, commit }: { readonly id: HubId; readonly hub: ResolvedHub; readonly commit: string },
): Promise<string> {
  const repository = repositoryFolder(id, hub);
  const place = join(repository, 'snapshots', commit, file.path);
  const blob = join(repository, 'blobs', file.digest.hex);
  if ((await sizeOf(place)) === file.bytes) {
    await checkInside(place, { repository, file });
    return place;
  }
  if ((await sizeOf(blob)) !== file.bytes) {
    const locks = join(hub.cache, '.locks', `models--${id.owner}--${id.name}`);
    await makeFolder(locks);
    await makeFolder(dirname(blob));
    const lock = await lockFolderWhenFree(locks, hub);
    try {
      if ((await sizeOf(blob)) !== file.bytes) await fetchBlob(blob, { file, id, hub, commit });
    } finally {
      await lock.release();
    }
  }
  await mkdir(dirname(place), { recursive: true });
  await putLink(blob, place);
  await checkInside(place, { repository, file });
  return place;
}

/** Whether a file is in the cache, under its own name or as a blob. */
export async function isCached(
  file: HubFile,
  { id, hub, commit }: { readonly id: HubId; readonly hub: ResolvedHub; readonly commit: string },
): Promise<boolean> {
  const repository = repositoryFolder(id, hub);
  const places = [join(repository, 'snapshots', commit, file.path), join(repository, 'blobs', file.digest.hex)];
  return (await Promise.all(places.map(sizeOf))).includes(file.bytes);
}

async function fetchBlob(
  blob: string,
  { file, id, hub, commit }: { readonly file: HubFile; readonly id: HubId; readonly hub: ResolvedHub; readonly commit: string },
): Promise<void> {
  const { endpoint, token } = hub;
  // Python writes to <digest>.incomplete and locks it in a way that Node has not: what it has is copied, its own file left alone.
  const partial = `${blob}.langevin.incomplete`;
  const ofPython = await sizeOf(`${blob}.incomplete`);
  if (ofPython !== undefined && ofPython <= file.bytes && (await sizeOf(partial)) === undefined)
    await copyFile(`${blob}.incomplete`, partial).catch(() => {});
  await checkFreeSpace(dirname(blob), { part: file.path, bytes: file.bytes - ((await sizeOf(partial)) ?? 0), setting: 'HF_HUB_CACHE' });
  const home = new URL(endpoint).origin;
  const path = file.path.split('/').map(encodeURIComponent).join('/');
  await fetchTo(
    {
      name: file.path,
      urls: [`${endpoint}/${id.owner}/${id.name}/resolve/${commit}/${path}`],
      bytes: file.bytes,
      digest: file.digest,
      partial,
      headersFor: (url) => (token !== undefined && url.origin === home ? { authorization: `Bearer ${token}` } : {}),
      explain: (status, headers) =>
        refusalOf({ status, code: headers['x-error-code']?.toString(), token }, { id, endpoint, path: file.path }),
      remedy: 'What is here is kept: run it again to go on from there. Or set HF_HUB_OFFLINE=1 to use what is in the cache.',
    },
    hub,
  );
  await rename(partial, blob);
}

/** A link as Python makes it; a second name of the same file, or a copy, where the system allows no links. */
async function putLink(blob: string, place: string): Promise<void> {
  // A link that leads nowhere, or a file of another size, is of a download that was ended.
  await rm(place, { force: true });
  const ways = [
    async () => symlink(relative(dirname(place), blob), place),
    async () => link(blob, place),
    async () => {
      await copyFile(blob, `${place}.copying`);
      await rename(`${place}.copying`, place);
    },
  ];
  for (const [i, way] of ways.entries()) {
    try {
      await way();
      return;
    } catch (error) {
      // Another process was faster.
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
      if (i === ways.length - 1) throw error;
    }
  }
}

async function checkInside(place: string, { repository, file }: { readonly repository: string; readonly file: HubFile }): Promise<void> {
  const real = await realpath(place);
  if (real.startsWith(`${await realpath(repository)}${sep}`)) return;
  throw new UserError(
    `[pipelines/hub] link in the cache leads out of it: path=${file.path}, folder=${repository}. Remove that folder and download it again.`,
  );
}

/** The size of a file; undefined where none is. */
async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    (found) => (found.isFile() ? found.size : undefined),
    () => undefined,
  );
}
