import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import type { FilePart } from '@langevin/io';
import type { FetchProgress } from '@langevin/io';
import { downloadFile } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

const CONTENT = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) % 251);
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');
const quick = { backoff: 1, retries: 2 };

type Answer = (request: IncomingMessage, response: ServerResponse, turn: number) => void;

/** A server on this machine that answers in turn, and what it was asked for. */
async function serve(answer: Answer): Promise<{ readonly url: string; readonly ranges: (string | undefined)[] }> {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    answer(request, response, ranges.length - 1);
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/data.bin`, ranges };
}

/** As a server that knows ranges answers. */
const whole: Answer = (request, response) => {
  const from = Number(/^bytes=(\d+)-$/u.exec(request.headers.range ?? '')?.[1] ?? 0);
  const ranged = { 'content-range': `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}` };
  response.writeHead(from > 0 ? 206 : 200, { 'content-length': CONTENT.length - from, ...(from > 0 && ranged) });
  response.end(CONTENT.subarray(from));
};

/** The connection breaks after so many bytes. */
const cutAfter =
  (bytes: number): Answer =>
  (_, response) => {
    response.writeHead(200, { 'content-length': CONTENT.length });
    response.write(CONTENT.subarray(0, bytes), () => setTimeout(() => response.destroy(), 20));
  };

const part = (url: string, other: Partial<FilePart> = {}): FilePart => ({
  kind: 'file',
  name: 'data.bin',
  urls: [url],
  bytes: CONTENT.length,
  sha256: SHA256,
  ...other,
});

const partialOf = (cache: string): string => join(cache, 'files', SHA256, 'data.bin.partial');

async function failure(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => new Error('nothing failed'),
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as Error).message;
}

describe('a file', () => {
  test('comes whole, with progress, and is not asked for again', async () => {
    const cache = await temporaryFolder();
    const { url, ranges } = await serve(whole);
    const seen: FetchProgress[] = [];
    const path = await downloadFile(part(url), { cache, onProgress: (progress) => seen.push(progress) });
    expect(Buffer.compare(await readFile(path), CONTENT)).toBe(0);
    expect([seen[0], seen.at(-1)]).toEqual([
      { part: 'data.bin', done: 0, total: CONTENT.length },
      { part: 'data.bin', done: CONTENT.length, total: CONTENT.length },
    ]);
    expect(await downloadFile(part('http://127.0.0.1:9/gone'), { cache })).toBe(path);
    expect(await downloadFile(part(url), { cache, network: 'offline' })).toBe(path);
    expect(ranges).toHaveLength(1);
    expect((await readdir(dirname(path))).filter((name) => !name.startsWith('.lock'))).toEqual(['data.bin']);
  });

  test('that was cut goes on where it ended', async () => {
    const cache = await temporaryFolder();
    const { url, ranges } = await serve((request, response, turn) => (turn === 0 ? cutAfter(100_000) : whole)(request, response, turn));
    const path = await downloadFile(part(url), { cache, ...quick });
    expect(Buffer.compare(await readFile(path), CONTENT)).toBe(0);
    expect(ranges).toEqual([undefined, 'bytes=100000-']);
  });

  test('goes on after another process was killed, and from the start where the server knows no ranges', async () => {
    for (const knows of [true, false]) {
      const cache = await temporaryFolder();
      await mkdir(dirname(partialOf(cache)), { recursive: true });
      await writeFile(partialOf(cache), CONTENT.subarray(0, 1234));
      const { url, ranges } = await serve((request, response, turn) => {
        if (!knows) delete request.headers.range;
        whole(request, response, turn);
      });
      expect(Buffer.compare(await readFile(await downloadFile(part(url), { cache, ...quick })), CONTENT)).toBe(0);
      expect(ranges).toEqual(['bytes=1234-']);
    }
  });

  test('begins anew after a damaged beginning', async () => {
    const cache = await temporaryFolder();
    await mkdir(dirname(partialOf(cache)), { recursive: true });
    await writeFile(partialOf(cache), new Uint8Array(5000));
    const { url, ranges } = await serve(whole);
    expect(Buffer.compare(await readFile(await downloadFile(part(url), { cache, ...quick })), CONTENT)).toBe(0);
    expect(ranges).toEqual(['bytes=5000-', undefined]);
  });

  test('is tried again after errors that pass, at the next address, and through redirects', async () => {
    const cache = await temporaryFolder();
    const { url, ranges } = await serve((request, response, turn) => {
      if (request.url === '/moved') return void response.writeHead(302, { location: '/data.bin' }).end();
      if (turn < 2) return void response.writeHead(503).end();
      whole(request, response, turn);
    });
    await downloadFile(part(url, { urls: [url, new URL('/moved', url).href] }), { cache, ...quick });
    // The first address, then the second with where it leads to.
    expect(ranges.length).toBeGreaterThanOrEqual(3);
  });

  test('keeps its bytes when the server says that they are packed', async () => {
    const cache = await temporaryFolder();
    const { url } = await serve((_, response) => {
      response.writeHead(200, { 'content-length': CONTENT.length, 'content-encoding': 'gzip' });
      response.end(CONTENT);
    });
    expect(Buffer.compare(await readFile(await downloadFile(part(url), { cache, retries: 0 })), CONTENT)).toBe(0);
  });
});

describe('nothing is kept of', () => {
  const wrong = CONTENT.map((byte, i) => (i === 7 ? byte ^ 1 : byte));
  test.each<[string, Answer, RegExp]>([
    ['another file of the same size', (_, response) => void response.end(wrong), /SHA-256 is [0-9a-f]{64}, wanted/u],
    ['a file of another size', (_, response) => void response.writeHead(200, { 'content-length': 3 }).end('abc'), /has 3 bytes there/u],
    [
      'a file without end',
      (_, response) => void response.writeHead(200).end(Buffer.concat([CONTENT, CONTENT])),
      /more than the 300000 bytes/u,
    ],
    ['a page that says no', (_, response) => void response.writeHead(404).end('no'), /status 404/u],
    ['a server that leads in a circle', (request, response) => void response.writeHead(302, { location: request.url }).end(), /on and on/u],
    [
      'one that leads to a file',
      (_, response) => void response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
      /cannot be fetched/u,
    ],
  ])('%s', async (_, answer, message) => {
    const cache = await temporaryFolder();
    const { url, ranges } = await serve(answer);
    expect(await failure(downloadFile(part(url), { cache, ...quick }))).toMatch(message);
    expect(existsSync(join(cache, 'files', SHA256, 'data.bin'))).toBe(false);
    // None of these is tried again.
    expect(ranges.length).toBeLessThanOrEqual(6);
    const size = await readFile(partialOf(cache)).then(
      (bytes) => bytes.length,
      () => 0,
    );
    expect(size).toBe(0);
  });

  test('a file when nobody answers: what is here is said to be kept', async () => {
    const cache = await temporaryFolder();
    const message = await failure(downloadFile(part('http://127.0.0.1:9/x'), { cache, ...quick }));
    expect(message).toMatch(/^\[io\/fetch\] file cannot be fetched: part=data.bin, .*ECONNREFUSED.*Check the connection/u);
  });

  test('a file that is not in the cache while offline', async () => {
    const cache = await temporaryFolder();
    expect(await failure(downloadFile(part('http://127.0.0.1:9/x'), { cache, network: 'offline' }))).toMatch(/not in the cache/u);
    expect(await readdir(cache)).toEqual([]);
  });

  test.each([
    ['../data.bin', { name: '../data.bin' }],
    ['a hidden name', { name: '.lock-1' }],
    ['a short hash', { sha256: 'abc' }],
    ['no size', { bytes: 0 }],
    ['no address', { urls: [] }],
    ['an address with a password', { urls: ['http://a:b@127.0.0.1/'] }],
    ['an address of the disk', { urls: ['file:///etc/passwd'] }],
  ])('what is described badly: %s', async (_, other) => {
    const cache = await temporaryFolder();
    await failure(downloadFile(part('http://127.0.0.1:9/x', other), { cache }));
    expect(await readdir(cache)).toEqual([]);
  });
});

test('stopping keeps what is here, and the next attempt goes on', async () => {
  const cache = await temporaryFolder();
  const stop = new AbortController();
  const { url, ranges } = await serve((request, response, turn) => {
    if (turn > 0) return whole(request, response, turn);
    response.writeHead(200, { 'content-length': CONTENT.length });
    response.write(CONTENT.subarray(0, 65_536));
  });
  const work = downloadFile(part(url), { cache, signal: stop.signal, onProgress: ({ done }) => void (done >= 65_536 && stop.abort()) });
  expect(await failure(work)).toMatch(/stopped before the end: part=data.bin/u);
  expect((await readFile(partialOf(cache))).length).toBe(65_536);
  expect(Buffer.compare(await readFile(await downloadFile(part(url), { cache })), CONTENT)).toBe(0);
  expect(ranges).toEqual([undefined, 'bytes=65536-']);
});

test('of two at once, the second is told to wait', async () => {
  const cache = await temporaryFolder();
  let go = (): void => {};
  const { url } = await serve((request, response, turn) => void (go = () => whole(request, response, turn)));
  let asked = (): void => {};
  const begun = new Promise<void>((done) => void (asked = done));
  const first = downloadFile(part(url), { cache });
  const poll = setInterval(() => void (go.length === 0 && asked()), 20);
  await begun;
  clearInterval(poll);
  await new Promise((done) => setTimeout(done, 50));
  expect(await failure(downloadFile(part(url), { cache }))).toMatch(/in use by another process/u);
  go();
  await first;
});
