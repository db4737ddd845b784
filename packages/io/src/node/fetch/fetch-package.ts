import { randomUUID } from 'node:crypto';
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '@langevin/tensor';
import type { PackagePart } from '../../sources/define-data.ts';
import { makeFolder } from '../make-folder.ts';
import { checkFreeSpace } from './free-space.ts';
import type { FetchOptions } from '../../sources/fetch-options.ts';
import { isNetworkError, missingOffline, reasonOf, resolveFetch, stopped } from './options.ts';
import { importPacote, type PackageStream, type Pacote } from './pacote.ts';

export interface FetchPackageOptions extends FetchOptions {
  /** A registry that speaks npm's protocol. @default what npm was told in `npm_config_registry`, else https://registry.npmjs.org */
  readonly registry?: string;
  /** Whether a package of the same version that is installed beside the program is used in place of another copy. @default 'use' */
  readonly installed?: 'use' | 'ignore';
}

/** Data sets are larger than code, but a tarball beyond this is a mistake. */
const MOST_BYTES = 2 ** 36;
/** Unpacked files next to the tarball: pictures hardly pack, JSON does. */
const ROOM_FACTOR = 4;
const STALE_MS = 24 * 60 * 60 * 1000;
const RECORD = 'fetched.json';
/** How long a connection that was ended may take to notice. */
const LINGER_MS = 2000;

/**
 * Fetch a package of the npm registry into the cache with npm's own `pacote`: whole and with the integrity that was named, or not at all.
 * Nothing of it is executed, no dependency comes along, links in it are left out, and no file lands outside of its folder. What is in the
 * cache is used without a look at the network.
 *
 * @returns the folder of the package
 * @throws UserError when it is not what was named, the registry does not have it or cannot be reached, the disk fails, or it is stopped
 * @throws UnsupportedError when pacote is not installed
 * @example
 * // not run: needs the network
 * import { fetchPackage } from '@langevin/io/node';
 * const folder = await fetchPackage({
 *   kind: 'package', name: 'emojilib', version: '4.0.3', bytes: 53353,
 *   integrity: 'sha512-KbWiYre9aRSaPbHrHZIz9zmoM+21LAsK1VFJtnTh1VCtWE/rNMDviGhQTmselFl95dhqtGlY22iH0leG5BuW0g==',
 * });
 */
export async function fetchPackage(part: PackagePart, options: FetchPackageOptions = {}): Promise<string> {
  checkPackage(part);
  const { cache, network, signal, onProgress, retries, backoff } = resolveFetch(options);
  const { installed = 'use', registry = process.env['npm_config_registry'] ?? 'https://registry.npmjs.org' } = options;
  const { name, version, integrity, bytes } = part;
  const packages = join(cache, 'packages');
  const target = join(packages, name.replace('/', '+'), version);
  const folder = join(target, 'package');
  if (await isRecorded(target, part)) return folder;
  const beside = installed === 'use' ? await installedFolder(part) : undefined;
  if (beside !== undefined) return beside;
  if (network === 'offline') throw missingOffline(`${name}@${version}`, cache);
  const pacote = await importPacote();
  await makeFolder(dirname(target));
  await removeStale(packages);
  await checkFreeSpace(packages, { part: name, bytes: ROOM_FACTOR * bytes });
  const work = join(packages, `.partial-${randomUUID()}`);
  const ending = new AbortController();
  try {
    await makeFolder(work);
    // Of its own, and gone at the end: npm's cache would hold the data a second time.
    const common = { integrity, cache: join(work, 'npm'), umask: 0o022 };
    const job: Job = { part, tarball: join(work, 'package.tgz'), signal, report: (done) => onProgress({ part: name, done, total: bytes }) };
    await untilStopped(
      pacote.tarball.stream(`${name}@${version}`, (stream) => keep(stream, job), {
        ...common,
        registry,
        fetchRetries: retries,
        fetchRetryMintimeout: backoff,
        fetchRetryMaxtimeout: 30_000,
        fetchRetryFactor: 2,
        signal: ending.signal,
      }),
      { ...job, ending },
    );
    await unpack(pacote, { ...job, folder: join(work, 'out', 'package'), common: { ...common, where: work } });
    await writeRecord(join(work, 'out'), part);
    await rm(target, { recursive: true, force: true });
    await rename(join(work, 'out'), target);
  } catch (error) {
    // Another process may have been faster.
    if (await isRecorded(target, part)) return folder;
    throw explained(error, { part, registry, stop: signal });
  } finally {
    await rm(work, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
  return folder;
}

interface Job {
  readonly part: PackagePart;
  readonly tarball: string;
  readonly signal: AbortSignal | undefined;
  readonly report: (done: number) => void;
}

/** The tarball as a file, never more of it than was named. */
async function keep(stream: PackageStream, { part, tarball, signal, report }: Job): Promise<void> {
  // Once nobody reads it any more, its errors are nobody's.
  stream.on('error', () => {});
  const out = await open(tarball, 'w');
  let done = 0;
  try {
    report(0);
    for await (const piece of stream) {
      signal?.throwIfAborted();
      done += piece.byteLength;
      if (done > part.bytes) throw tooLong(part);
      await out.writeFile(piece);
      report(done);
    }
  } finally {
    await out.close();
  }
}

function tooLong({ name, version, bytes }: PackagePart): UserError {
  return new UserError(
    `[io/fetch] package is larger than it should be: ${name}@${version}, bytes=${bytes}. It is not the one that was meant.`,
  );
}

async function unpack(
  pacote: Pacote,
  { folder, common, signal }: Job & { readonly folder: string; readonly common: Readonly<Record<string, unknown>> },
): Promise<void> {
  signal?.throwIfAborted();
  await pacote.extract('file:package.tgz', folder, common);
  signal?.throwIfAborted();
}

/** Waiting ends at once when it is to stop, or something is wrong; then what still writes to the folder ends first. */
async function untilStopped(work: Promise<void>, { signal, ending }: Job & { readonly ending: AbortController }): Promise<void> {
  let stop = (): void => {};
  const stopping = new Promise<never>((_, reject) => {
    stop = () => reject(new DOMException('stopped', 'AbortError'));
  });
  stopping.catch(() => undefined);
  if (signal?.aborted === true) stop();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    await Promise.race([work, stopping]);
  } catch (error) {
    ending.abort();
    await Promise.race([work.catch(() => undefined), sleep(LINGER_MS, undefined, { ref: false })]);
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

function explained(
  error: unknown,
  { part, registry, stop }: { readonly part: PackagePart; readonly registry: string; readonly stop: AbortSignal | undefined },
): unknown {
  const spec = `${part.name}@${part.version}`;
  if (stop?.aborted === true) return stopped(spec, 'Nothing of it is kept; run it again to begin anew.');
  if (error instanceof UserError) return error;
  const { code } = error as NodeJS.ErrnoException;
  const fail = (what: string, remedy: string): UserError =>
    new UserError(`[io/fetch] ${what}: package=${spec}, registry=${registry}, ${reasonOf(error)}. ${remedy}`, { cause: error });
  if (code === 'EINTEGRITY')
    return fail('package is not the one that was meant', 'The registry, or something on the way, gives another: do not use it.');
  if (code === 'E404' || code === 'ETARGET') return fail('registry does not have the package', 'Check the name, version and registry.');
  if (/^E[45]\d\d$/u.test(code ?? '')) return fail('registry refuses', 'Try again later, or name another registry.');
  if (isNetworkError(error)) return fail('registry cannot be reached', 'Check the connection; what is in the cache works without.');
  if (/^(?:Z_|TAR_|EMANIFESTMISMATCH|ENOPACKAGEJSON)/u.test(code ?? '')) return fail('package is damaged', 'Tell whoever made it.');
  return error;
}

async function writeRecord(folder: string, { name, version, integrity }: PackagePart): Promise<void> {
  const out = await open(join(folder, RECORD), 'w');
  try {
    await out.writeFile(`${JSON.stringify({ name, version, integrity })}\n`);
    await out.sync();
  } finally {
    await out.close();
  }
}

async function isRecorded(folder: string, { name, version, integrity }: PackagePart): Promise<boolean> {
  const text = await readFile(join(folder, RECORD), 'utf8').catch(() => '');
  return text === `${JSON.stringify({ name, version, integrity })}\n`;
}

/** The same package as a dependency of this library or of the program that runs, which npm has checked. */
async function installedFolder({ name, version }: PackagePart): Promise<string | undefined> {
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    for (const folder of createRequire(from).resolve.paths(name) ?? []) {
      const manifest = await readFile(join(folder, name, 'package.json'), 'utf8').catch(() => undefined);
      if (manifest === undefined) continue;
      try {
        if ((JSON.parse(manifest) as { readonly version?: unknown }).version === version) return join(folder, name);
      } catch {
        // No manifest of npm's.
      }
      break;
    }
  }
  return undefined;
}

/** What processes left behind that were killed. */
async function removeStale(packages: string): Promise<void> {
  for (const name of await readdir(packages)) {
    if (!name.startsWith('.partial-')) continue;
    const found = await stat(join(packages, name)).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > STALE_MS) await rm(join(packages, name), { recursive: true, force: true });
  }
}

function checkPackage({ name, version, integrity, bytes }: PackagePart): void {
  const refuse = (what: string, remedy: string): never => {
    throw new UserError(`[io/fetch] package is not described well: ${what}. ${remedy}`);
  };
  // npm's own rule for new names: nothing that could lead out of a folder, or be a path, an address or a range.
  if (name.length > 214 || !/^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/u.test(name))
    refuse(`name=${JSON.stringify(name)}`, 'Give the name of a package of the npm registry.');
  if (!/^\d{1,9}\.\d{1,9}\.\d{1,9}(?:-[0-9A-Za-z.-]{1,64})?$/u.test(version))
    refuse(`${name}, version=${JSON.stringify(version)}`, 'Give one exact version, such as 1.2.3.');
  if (!/^sha512-[A-Za-z0-9+/]{86}==$/u.test(integrity))
    refuse(`${name}, integrity=${JSON.stringify(integrity)}`, `Give what "npm view ${name}@${version} dist.integrity" prints.`);
  if (!Number.isSafeInteger(bytes) || bytes < 1 || bytes > MOST_BYTES)
    refuse(`${name}, bytes=${bytes}`, `Give the size of its tarball, an integer from 1 to ${MOST_BYTES}.`);
}
