import { rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@langevin/tensor';
import type { FilePart } from '../../sources/define-data.ts';
import { makeFolder } from '../make-folder.ts';
import { lockFolder } from '../runs/lock.ts';
import { fetchTo } from './fetch-to.ts';
import { checkFreeSpace } from './free-space.ts';
import { checkUrl } from './http-get.ts';
import type { FetchOptions } from '../../sources/fetch-options.ts';
import { missingOffline, resolveFetch } from './options.ts';

/** The largest file that is fetched: far above any data set that fits on a desk. */
const MOST_BYTES = 2 ** 41;

/**
 * Fetch a file into the cache: whole and with the SHA-256 that was named, or not at all. An attempt that was cut goes on where it ended,
 * also in another process; what is in the cache is used without a look at the network.
 *
 * @returns its path
 * @throws UserError when the file is not what was named, no address gives it, the disk fails, another process fetches it, or it is stopped
 * @example
 * // not run: needs the network
 * import { downloadFile } from '@langevin/io/node';
 * const path = await downloadFile({
 *   kind: 'file', name: 'labels.gz', urls: ['https://example.org/labels.gz'], bytes: 4542,
 *   sha256: 'f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6',
 * });
 */
export async function downloadFile(file: FilePart, options: FetchOptions = {}): Promise<string> {
  checkFile(file);
  const { cache, network, ...how } = resolveFetch(options);
  const { name, bytes, sha256 } = file;
  const folder = join(cache, 'files', sha256);
  const path = join(folder, name);
  // Only what was checked is ever given this name.
  if ((await sizeOf(path)) === bytes) return path;
  if (network === 'offline') throw missingOffline(name, cache);
  await makeFolder(folder);
  const lock = await lockFolder(folder);
  try {
    const partial = `${path}.partial`;
    await checkFreeSpace(folder, { part: name, bytes: bytes - (await sizeOf(partial)) });
    const remedy = `Check the connection and try again; what is here is kept. Or put the file there yourself: ${path}`;
    const digest = { algorithm: 'sha256', hex: sha256 } as const;
    await fetchTo({ name, urls: file.urls, bytes, digest, partial, remedy }, how);
    await rename(partial, path);
    return path;
  } finally {
    await lock.release();
  }
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    (found) => (found.isFile() ? found.size : 0),
    () => 0,
  );
}

function checkFile({ name, urls, bytes, sha256 }: FilePart): void {
  const refuse = (what: string, remedy: string): never => {
    throw new UserError(`[io/fetch] file is not described well: part=${JSON.stringify(name)}, ${what}. ${remedy}`);
  };
  // No separators, no leading dot: a name that stays in its folder on every system.
  if (!/^[A-Za-z0-9][\w.-]{0,127}$/u.test(name))
    refuse('its name is none of a file', 'Use letters, digits, dots, hyphens and underscores.');
  if (!/^[0-9a-f]{64}$/u.test(sha256)) refuse(`sha256=${JSON.stringify(sha256)}`, 'Give 64 hexadecimal digits in lower case.');
  if (!Number.isSafeInteger(bytes) || bytes < 1 || bytes > MOST_BYTES)
    refuse(`bytes=${bytes}`, `Give its size, an integer from 1 to ${MOST_BYTES}.`);
  if (urls.length === 0) refuse('urls=[]', 'Give an address at least.');
  for (const url of urls) checkUrl(url, name);
}
