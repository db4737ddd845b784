import { setTimeout as sleep } from 'node:timers/promises';
import { importOptional } from '@langevin/io/node';
import { shownValue, UserError } from '@langevin/tensor';
import { refusalOf } from './hub-errors.ts';
import { isCommit, type HubId } from './hub-id.ts';
import type { ResolvedHub } from './hub-options.ts';

/** A file of a repository. */
export interface HubFile {
  readonly path: string;
  readonly bytes: number;
  /** SHA-256 of a large file, git's hash of a small one: the name of its blob in the cache. */
  readonly digest: { readonly algorithm: 'sha256' | 'git'; readonly hex: string };
}

export interface HubListing {
  readonly commit: string;
  readonly files: ReadonlyMap<string, HubFile>;
}

const MOST_FILES = 10_000;
const MOST_ANSWER_BYTES = 32 * 1024 * 1024;
const MOST_FILE_BYTES = 2 ** 44;
const MOST_REDIRECTS = 5;
const MOST_WAIT_MS = 30_000;
const SILENCE_MS = 30_000;

/**
 * Which commit a revision is now, and the files of it.
 *
 * @throws UserError when the hub refuses, cannot be reached, or answers what no hub does; UnsupportedError when `@huggingface/hub` is
 *   not installed
 */
export async function listHub(id: HubId, hub: ResolvedHub): Promise<HubListing> {
  const { modelInfo, listFiles } = await importOptional('@huggingface/hub', 'hub', () => import('@huggingface/hub'));
  const name = `${id.owner}/${id.name}`;
  const common = { hubUrl: hub.endpoint, fetch: fetchOf(id, hub) };
  // The wrapped fetch explains whatever the hub or the network says; what is left is an answer in another form.
  const understood = async <T>(ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw malformed(id, (error as Error).message);
    }
  };
  const { sha } = await understood(() => modelInfo({ ...common, name, revision: id.revision, additionalFields: ['sha'] }));
  if (typeof sha !== 'string' || !isCommit(sha)) throw malformed(id, `commit=${shownValue(sha)}`);
  const files = new Map<string, HubFile>();
  await understood(async () => {
    const repo = { type: 'model', name } as const;
    for await (const entry of listFiles({ ...common, repo, revision: sha, recursive: true })) {
      if (entry.type !== 'file') continue;
      const file = fileOf(entry, id);
      // Files for version control, as in folders on the disk.
      if (file.path.split('/').some((part) => part.startsWith('.'))) continue;
      files.set(file.path, file);
      if (files.size > MOST_FILES) throw malformed(id, `files>${MOST_FILES}`);
    }
  });
  return { commit: sha, files };
}

function fileOf(
  {
    path,
    size,
    oid,
    lfs,
  }: {
    readonly path: unknown;
    readonly size: unknown;
    readonly oid?: unknown;
    readonly lfs?: { readonly oid: unknown; readonly size: unknown };
  },
  id: HubId,
): HubFile {
  if (typeof path !== 'string' || !isPath(path)) throw malformed(id, `path=${shownValue(path)}`);
  const bytes = lfs?.size ?? size;
  if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 0 || bytes > MOST_FILE_BYTES)
    throw malformed(id, `path=${path}, size=${shownValue(bytes)}`);
  const hex = lfs?.oid ?? oid;
  const length = lfs ? 64 : 40;
  // It becomes the name of a file.
  if (typeof hex !== 'string' || hex.length !== length || !/^[0-9a-f]+$/u.test(hex))
    throw malformed(id, `path=${path}, oid=${shownValue(hex)}`);
  return { path, bytes, digest: { algorithm: lfs ? 'sha256' : 'git', hex } };
}

/** Whether a path stays below its folder on every system. */
function isPath(path: string): boolean {
  if (path.length > 1000 || /[\\:\u0000-\u001f\u007f]/u.test(path)) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && part.length <= 255);
}

function malformed({ owner, name }: HubId, what: string): UserError {
  return new UserError(`[pipelines/hub] hub answers what is not of its protocol: id=${owner}/${name}, ${what}. Check HF_ENDPOINT.`);
}

/**
 * The fetch that the library asks with: it sends the token to the endpoint alone, follows no other server, tries again what may pass, reads
 * no more than an answer may have, and says what a refusal means.
 */
function fetchOf(id: HubId, hub: ResolvedHub): typeof fetch {
  const home = new URL(hub.endpoint).origin;
  const { signal, token, retries, backoff } = hub;
  return async (input) => {
    let url = new URL(input instanceof Request ? input.url : input);
    let reason = '';
    let redirects = 0;
    for (let attempt = 0, wait = backoff; attempt <= retries;) {
      if (url.origin !== home)
        throw new UserError(`[pipelines/hub] hub leads to another server: endpoint=${hub.endpoint}, url=${url.href}. Check HF_ENDPOINT.`);
      const limit = AbortSignal.timeout(SILENCE_MS);
      try {
        const response = await fetch(url, {
          headers: {
            accept: 'application/json',
            'user-agent': 'langevin',
            ...(token !== undefined && { authorization: `Bearer ${token}` }),
          },
          redirect: 'manual',
          signal: signal ? AbortSignal.any([signal, limit]) : limit,
        });
        const { status, headers } = response;
        const location = headers.get('location');
        if (status >= 300 && status < 400 && location !== null && redirects < MOST_REDIRECTS) {
          redirects += 1;
          url = new URL(location, url);
          continue;
        }
        if (status === 200) return new Response(await bounded(response, id), { status, headers: linkOf(headers) });
        const refusal = refusalOf({ status, code: headers.get('x-error-code') ?? undefined, token }, { id, endpoint: hub.endpoint });
        if (refusal) throw refusal;
        reason = `status ${status}`;
        if (status !== 408 && status !== 429 && status < 500) break;
        wait = Math.max(wait, 1000 * (Number(headers.get('retry-after')) || 0));
      } catch (error) {
        if (error instanceof UserError) throw error;
        if (signal?.aborted === true) throw stoppedListing(id);
        const { cause } = error as { readonly cause?: { readonly code?: string; readonly message?: string } };
        reason = cause?.code ?? cause?.message ?? (error as Error).message;
      }
      if (attempt < retries)
        await sleep(Math.min(wait, MOST_WAIT_MS), undefined, signal && { signal }).catch(() => {
          throw stoppedListing(id);
        });
      attempt += 1;
      wait = Math.min(2 * wait, MOST_WAIT_MS);
    }
    throw new UserError(
      `[pipelines/hub] hub does not answer: endpoint=${hub.endpoint}, id=${id.owner}/${id.name}, ${reason}. Try again later, or set `
        + 'HF_HUB_OFFLINE=1 to use what is in the cache.',
    );
  };
}

/** The next page is all of the headers that the library reads. */
function linkOf(headers: Headers): Record<string, string> {
  const link = headers.get('link');
  return { 'content-type': 'application/json', ...(link !== null && { link }) };
}

async function bounded(response: Response, id: HubId): Promise<Blob> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array<ArrayBuffer>>) {
    bytes += piece.byteLength;
    if (bytes > MOST_ANSWER_BYTES) throw malformed(id, `an answer of more than ${MOST_ANSWER_BYTES} bytes`);
    pieces.push(piece);
  }
  return new Blob(pieces);
}

function stoppedListing({ owner, name }: HubId): UserError {
  return new UserError(`[pipelines/hub] stopped before the end: id=${owner}/${name}. Run it again.`);
}
