import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '@langevin/tensor';
import type { FilePart } from '../../sources/define-data.ts';
import { makeFolder } from '../make-folder.ts';
import { lockFolder } from '../runs/lock.ts';
import { checkFreeSpace } from './free-space.ts';
import { checkUrl, httpGet } from './http-get.ts';
import { isNetworkError, missingOffline, reasonOf, resolveFetch, stopped, type FetchOptions } from './options.ts';

/** The largest file that is fetched: far above any data set that fits on a desk. */
const MOST_BYTES = 2 ** 41;
const MOST_WAIT_MS = 30_000;
const KEPT = 'What is here is kept; run it again to go on from there.';

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
  const { cache, network, signal, onProgress, retries, backoff } = resolveFetch(options);
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
    const job: Job = { file, partial, signal, report: (done) => onProgress({ part: name, done, total: bytes }) };
    await checkFreeSpace(folder, { part: name, bytes: bytes - (await sizeOf(partial)) });
    const reasons: string[] = [];
    let wait = backoff;
    for (let attempt = 0; attempt <= retries; attempt += 1) {
      const outcome = await attemptAll(job, reasons);
      if (outcome === 'done') {
        await rename(partial, path);
        return path;
      }
      if (outcome === 'hopeless') break;
      if (attempt < retries) await pause(wait, job);
      wait = Math.min(2 * wait, MOST_WAIT_MS);
    }
    throw new UserError(
      `[io/fetch] file cannot be fetched: part=${name}, ${[...new Set(reasons)].join('; ')}. Check the connection and try again; `
        + `what is here is kept. Or put the file there yourself: ${path}`,
    );
  } finally {
    await lock.release();
  }
}

interface Job {
  readonly file: FilePart;
  readonly partial: string;
  readonly signal: AbortSignal | undefined;
  readonly report: (done: number) => void;
}

/** One round through all addresses. */
async function attemptAll(job: Job, reasons: string[]): Promise<'done' | 'again' | 'hopeless'> {
  let hopeless = true;
  for (const url of job.file.urls) {
    const reason = await attemptOne(job, url);
    if (reason === undefined) return 'done';
    reasons.push(`${url}: ${reason.text}`);
    hopeless &&= reason.kind === 'lasting';
  }
  return hopeless ? 'hopeless' : 'again';
}

interface Reason {
  readonly text: string;
  /** Whether another attempt may go better. */
  readonly kind: 'passing' | 'lasting';
}

/** Why it failed; nothing when the whole file is there and is the right one. */
async function attemptOne(job: Job, url: string): Promise<Reason | undefined> {
  const { file, partial, signal } = job;
  try {
    const from = await usablePartial(job);
    if (from < file.bytes) {
      const response = await httpGet(url, { part: file.name, from, signal });
      const refusal = await receive(response, { ...job, from });
      if (refusal !== undefined) return refusal;
    }
    const found = await hashOf(partial, signal);
    if (found === file.sha256) return undefined;
    await rm(partial, { force: true });
    return { text: `SHA-256 is ${found}, wanted ${file.sha256}`, kind: from > 0 ? 'passing' : 'lasting' };
  } catch (error) {
    if (signal?.aborted === true) throw stopped(file.name, KEPT);
    if (!isNetworkError(error)) throw error;
    return { text: reasonOf(error), kind: 'passing' };
  }
}

/** Bytes of an earlier attempt; more than the file has are of something else. */
async function usablePartial({ file, partial }: Job): Promise<number> {
  const size = await sizeOf(partial);
  if (size <= file.bytes) return size;
  await rm(partial, { force: true });
  return 0;
}

async function receive(response: IncomingMessage, job: Job & { readonly from: number }): Promise<Reason | undefined> {
  const { file, partial, from, report } = job;
  const { statusCode = 0, headers } = response;
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/u.exec(headers['content-range'] ?? '');
  // A server that knows no ranges sends all of it, from the start.
  const start = statusCode === 206 ? Number(range?.[1] ?? -1) : 0;
  const refuse = (text: string, kind: Reason['kind']): Reason => {
    response.destroy();
    return { text, kind };
  };
  if (statusCode === 416) {
    await rm(partial, { force: true });
    return refuse('the server has no such range', 'passing');
  }
  if (statusCode === 408 || statusCode === 425 || statusCode === 429 || statusCode >= 500) return refuse(`status ${statusCode}`, 'passing');
  if (statusCode !== 200 && statusCode !== 206) return refuse(`status ${statusCode}`, 'lasting');
  if (start !== 0 && start !== from) {
    await rm(partial, { force: true });
    return refuse(`the server sends another range: ${headers['content-range'] ?? 'none'}`, 'passing');
  }
  const announced = statusCode === 206 ? Number(range?.[2]) : Number(headers['content-length']);
  if (Number.isFinite(announced) && announced !== file.bytes)
    return refuse(`the file has ${announced} bytes there, wanted ${file.bytes}`, 'lasting');
  const out = await open(partial, start === 0 ? 'w' : 'a');
  let done = start;
  try {
    report(done);
    for await (const piece of response as AsyncIterable<Uint8Array>) {
      if (done + piece.byteLength > file.bytes) {
        await rm(partial, { force: true });
        return refuse(`more than the ${file.bytes} bytes that it should have`, 'lasting');
      }
      await out.writeFile(piece);
      done += piece.byteLength;
      report(done);
    }
    await out.sync();
  } finally {
    await out.close();
  }
  return done === file.bytes ? undefined : { text: `cut after ${done} of ${file.bytes} bytes`, kind: 'passing' };
}

async function hashOf(path: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, signal && { signal }) as AsyncIterable<Uint8Array>) hash.update(piece);
  return hash.digest('hex');
}

async function pause(milliseconds: number, { file, signal }: Job): Promise<void> {
  await sleep(milliseconds, undefined, signal && { signal }).catch(() => {
    throw stopped(file.name, KEPT);
  });
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
