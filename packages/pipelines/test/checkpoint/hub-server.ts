import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A request as it came, for tests to look at. */
export interface Asked {
  readonly host: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

/** Answers in place of the hub where it returns true. */
export type Fault = (request: IncomingMessage, response: ServerResponse, turn: number) => boolean;

export interface HubServer {
  readonly endpoint: string;
  readonly asked: Asked[];
  /** Paths of files that were asked for, of those that end so. */
  readonly fetched: () => readonly string[];
}

export interface HubServerOptions {
  readonly commit?: string;
  readonly fault?: Fault;
  /** Needed for everything, where given. */
  readonly token?: string;
  /** Changes what the listing says. */
  readonly listed?: (entry: Record<string, unknown>) => Record<string, unknown>;
}

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';
/** Entries of a listing in one answer: few, so that there are several. */
const PAGE = 4;

/**
 * A server that speaks the hub's protocol for one model, `owner/tiny`, whose files lie in a folder: listings in pages, small files from
 * itself, large ones (`.safetensors`) by way of a second server that must not see the token.
 */
export async function serveHub(folder: string, options: HubServerOptions = {}): Promise<HubServer> {
  const { commit = COMMIT, fault, token, listed = (entry) => entry } = options;
  const asked: Asked[] = [];
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) {
      const path = join(entry.parentPath, entry.name);
      files.set(path.slice(folder.length + 1), await readFile(path));
    }
  const content = (): string => `http://127.0.0.1:${(store.address() as AddressInfo).port}`;
  const note = (request: IncomingMessage): void => {
    const { host = '', range, authorization } = request.headers;
    asked.push({ host, path: request.url ?? '', range, authorization });
  };
  const hub = createServer((request, response) => {
    note(request);
    if (fault?.(request, response, asked.length - 1) === true) return;
    const url = new URL(request.url!, 'http://hub');
    const refuse = (status: number, code: string): void => {
      response.writeHead(status, { 'x-error-code': code, 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: code }));
    };
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) return refuse(401, 'GatedRepo');
    const [, api, resolve] = /^(?:\/api\/models)\/owner\/tiny(\/.*)$|^\/owner\/tiny\/resolve(\/.*)$/u.exec(url.pathname) ?? [];
    if (api === undefined && resolve === undefined) return refuse(404, 'RepoNotFound');
    const known = [commit, 'main', 'refs/pr/1'];
    if (api?.startsWith('/revision/')) {
      if (!known.includes(decodeURIComponent(api.slice('/revision/'.length)))) return refuse(404, 'RevisionNotFound');
      return json(response, {
        _id: '1',
        id: 'owner/tiny',
        sha: commit,
        private: false,
        gated: false,
        likes: 0,
        downloads: 0,
        siblings: [...files.keys()].map((rfilename) => ({ rfilename })),
        lastModified: '2026-01-01T00:00:00.000Z',
      });
    }
    if (api !== undefined) {
      const all = [...files].map(([path, bytes]) => listed(entryOf(path, bytes)));
      const from = Number(url.searchParams.get('cursor') ?? 0);
      url.searchParams.set('cursor', String(from + PAGE));
      if (from + PAGE < all.length) response.setHeader('link', `<http://${request.headers.host}${url.pathname}${url.search}>; rel="next"`);
      return json(response, all.slice(from, from + PAGE));
    }
    const named = decodeURIComponent(resolve!).slice(1);
    const path = known.flatMap((each) => (named.startsWith(`${each}/`) ? [named.slice(each.length + 1)] : []))[0] ?? '';
    const bytes = files.get(path);
    if (bytes === undefined) return refuse(404, 'EntryNotFound');
    const { oid, lfs } = entryOf(path, bytes) as { readonly oid: string; readonly lfs?: { readonly oid: string } };
    // As the hub: what Python asks for with HEAD is in the answer that leads on.
    const common = { 'x-repo-commit': commit, 'x-linked-size': bytes.length, 'x-linked-etag': `"${lfs?.oid ?? oid}"` };
    if (lfs === undefined) return send(request, response, { bytes, headers: { ...common, etag: `"${oid}"` } });
    response.writeHead(302, { ...common, location: `${content()}/store/${path}` });
    response.end();
  });
  const store = createServer((request, response) => {
    note(request);
    if (fault?.(request, response, asked.length - 1) === true) return;
    send(request, response, { bytes: files.get(request.url!.slice('/store/'.length))!, headers: {} });
  });
  for (const server of [hub, store]) {
    await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
  }
  return {
    endpoint: `http://127.0.0.1:${(hub.address() as AddressInfo).port}`,
    asked,
    fetched: () => asked.flatMap(({ path }) => /\/resolve\/[^/]+\/(.*)$/u.exec(path)?.[1] ?? []),
  };
}

/** As the hub lists a file: small ones by git's hash, large ones by SHA-256 with that of a pointer beside it. */
function entryOf(path: string, bytes: Buffer): Record<string, unknown> {
  const git = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
  const file = { type: 'file', path, size: bytes.length, oid: git };
  if (!path.endsWith('.safetensors')) return file;
  return { ...file, lfs: { oid: createHash('sha256').update(bytes).digest('hex'), size: bytes.length, pointerSize: 135 } };
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { bytes, headers }: { readonly bytes: Buffer; readonly headers: Record<string, string | number> },
): void {
  const range = /^bytes=(\d+)-(\d*)$/u.exec(request.headers.range ?? '');
  const from = Number(range?.[1] ?? 0);
  const to = range?.[2] ? Number(range[2]) : bytes.length - 1;
  const part = bytes.subarray(from, to + 1);
  const ranged = range ? { 'content-range': `bytes ${from}-${to}/${bytes.length}` } : {};
  response.writeHead(range ? 206 : 200, { ...headers, ...ranged, 'content-length': part.length, 'accept-ranges': 'bytes' });
  response.end(request.method === 'HEAD' ? undefined : part);
}
