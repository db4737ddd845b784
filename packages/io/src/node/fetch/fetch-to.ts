import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '@langevin/tensor';
import { httpGet } from './http-get.ts';
import type { FetchOptions } from '../../sources/fetch-options.ts';
import { isNetworkError, reasonOf, stopped } from './options.ts';

const MOST_WAIT_MS = 30_000;
const KEPT = 'What is here is kept; run it again to go on from there.';

/** What a file's content has to be. `git` is the SHA-1 of a blob: of the content behind a line with its size. */
export interface ContentDigest {
  readonly algorithm: 'sha256' | 'git';
  /** In hexadecimal, lower case. */
  readonly hex: string;
}

/** A file to be fetched to a path. */
export interface FetchJob {
  /** How messages and progress call it. */
  readonly name: string;
  /** Where it can be had, tried in this order. */
  readonly urls: readonly string[];
  readonly bytes: number;
  readonly digest: ContentDigest;
  /** Where it is written; what an earlier attempt left there is gone on from. */
  readonly partial: string;
  /** Headers for an address, also for one that a server leads to: a secret is for its own server alone. @default none */
  readonly headersFor?: (url: URL) => Readonly<Record<string, string>>;
  /** An error that says more than a status does. @default the status */
  readonly explain?: (status: number, headers: IncomingHttpHeaders) => Error | undefined;
  /** The last words where no attempt succeeded. */
  readonly remedy: string;
}

/**
 * Fetch a file to a path: it returns once all of its bytes are there and are those of the digest. An attempt that was cut goes on where it
 * ended; bytes that are not those of the digest are removed.
 *
 * @throws UserError when no address gives the file, or it is stopped; the error of `explain`
 */
export async function fetchTo(
  file: FetchJob,
  options: Required<Pick<FetchOptions, 'onProgress' | 'retries' | 'backoff'>> & Pick<FetchOptions, 'signal'>,
): Promise<void> {
  const { signal, onProgress, retries, backoff } = options;
  const job: Job = { file, signal, report: (done) => onProgress({ part: file.name, done, total: file.bytes }) };
  const reasons: string[] = [];
  let wait = backoff;
  for (let attempt = 0; attempt <= retries; attempt += 1) {
    const outcome = await attemptAll(job, reasons);
    if (outcome.end === 'done') return;
    if (outcome.end === 'hopeless') break;
    if (attempt < retries) await pause(Math.min(Math.max(wait, outcome.after), MOST_WAIT_MS), job);
    wait = Math.min(2 * wait, MOST_WAIT_MS);
  }
  throw new UserError(`[io/fetch] file cannot be fetched: part=${file.name}, ${[...new Set(reasons)].join('; ')}. ${file.remedy}`);
}

interface Job {
  readonly file: FetchJob;
  readonly signal: AbortSignal | undefined;
  readonly report: (done: number) => void;
}

interface Outcome {
  readonly end: 'done' | 'again' | 'hopeless';
  /** Milliseconds that a server asks to wait for. */
  readonly after: number;
}

/** One round through all addresses. */
async function attemptAll(job: Job, reasons: string[]): Promise<Outcome> {
  let hopeless = true;
  let after = 0;
  for (const url of job.file.urls) {
    const reason = await attemptOne(job, url);
    if (reason === undefined) return { end: 'done', after: 0 };
    reasons.push(`${url}: ${reason.text}`);
    hopeless &&= reason.kind === 'lasting';
    after = Math.max(after, reason.after ?? 0);
  }
  return { end: hopeless ? 'hopeless' : 'again', after };
}

interface Reason {
  readonly text: string;
  /** Whether another attempt may go better. */
  readonly kind: 'passing' | 'lasting';
  readonly after?: number;
}

/** Why it failed; nothing when the whole file is there and is the right one. */
async function attemptOne(job: Job, url: string): Promise<Reason | undefined> {
  const { file, signal } = job;
  try {
    const from = await usablePartial(job);
    if (from < file.bytes) {
      const response = await httpGet(url, { part: file.name, from, signal, ...(file.headersFor && { headersFor: file.headersFor }) });
      const refusal = await receive(response, { ...job, from });
      if (refusal !== undefined) return refusal;
    }
    // A file of no bytes is asked for by nobody.
    if (file.bytes === 0) await (await open(file.partial, 'w')).close();
    const found = await hashOf(file, signal);
    if (found === file.digest.hex) return undefined;
    await rm(file.partial, { force: true });
    const name = file.digest.algorithm === 'git' ? 'git hash' : 'SHA-256';
    return { text: `${name} is ${found}, wanted ${file.digest.hex}`, kind: from > 0 ? 'passing' : 'lasting' };
  } catch (error) {
    if (signal?.aborted === true) throw stopped(file.name, KEPT);
    if (!isNetworkError(error)) throw error;
    return { text: reasonOf(error), kind: 'passing' };
  }
}

/** Bytes of an earlier attempt; more than the file has are of something else. */
async function usablePartial({ file: { partial, bytes } }: Job): Promise<number> {
  const size = await stat(partial).then(
    (found) => (found.isFile() ? found.size : 0),
    () => 0,
  );
  if (size <= bytes) return size;
  await rm(partial, { force: true });
  return 0;
}

async function receive(response: IncomingMessage, job: Job & { readonly from: number }): Promise<Reason | undefined> {
  const { file, from, report } = job;
  const { statusCode = 0, headers } = response;
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/u.exec(headers['content-range'] ?? '');
  // A server that knows no ranges sends all of it, from the start.
  const start = statusCode === 206 ? Number(range?.[1] ?? -1) : 0;
  const refuse = (text: string, kind: Reason['kind']): Reason => {
    response.destroy();
    return { text, kind };
  };
  if (statusCode === 416) {
    await rm(file.partial, { force: true });
    return refuse('the server has no such range', 'passing');
  }
  if (statusCode === 408 || statusCode === 425 || statusCode === 429 || statusCode >= 500)
    return { ...refuse(`status ${statusCode}`, 'passing'), after: 1000 * (Number(headers['retry-after']) || 0) };
  if (statusCode !== 200 && statusCode !== 206) {
    const refusal = refuse(`status ${statusCode}`, 'lasting');
    const explained = file.explain?.(statusCode, headers);
    if (explained !== undefined) throw explained;
    return refusal;
  }
  if (start !== 0 && start !== from) {
    await rm(file.partial, { force: true });
    return refuse(`the server sends another range: ${headers['content-range'] ?? 'none'}`, 'passing');
  }
  const announced = statusCode === 206 ? Number(range?.[2]) : Number(headers['content-length'] ?? NaN);
  if (Number.isFinite(announced) && announced !== file.bytes)
    return refuse(`the file has ${announced} bytes there, wanted ${file.bytes}`, 'lasting');
  const out = await open(file.partial, start === 0 ? 'w' : 'a');
  let done = start;
  try {
    report(done);
    for await (const piece of response as AsyncIterable<Uint8Array>) {
      if (done + piece.byteLength > file.bytes) {
        await rm(file.partial, { force: true });
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

async function hashOf({ partial, bytes, digest }: FetchJob, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash(digest.algorithm === 'git' ? 'sha1' : 'sha256');
  if (digest.algorithm === 'git') hash.update(`blob ${bytes}\0`);
  for await (const piece of createReadStream(partial, signal && { signal }) as AsyncIterable<Uint8Array>) hash.update(piece);
  return hash.digest('hex');
}

async function pause(milliseconds: number, { file, signal }: Job): Promise<void> {
  await sleep(milliseconds, undefined, signal && { signal }).catch(() => {
    throw stopped(file.name, KEPT);
  });
}
