import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { PackagePart } from '@langevin/io';
import { fetchPackage, type FetchPackageOptions } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

interface Entry {
  readonly name: string;
  readonly text?: string;
  /** Where a link leads. */
  readonly link?: string;
}

/** A tarball as npm makes them. */
function tarball(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ name, text = '', link }) => {
    const header = Buffer.alloc(512);
    const put = (at: number, value: string): void => void header.write(value, at, 'latin1');
    put(0, name);
    put(100, '000755 \0');
    put(124, `${text.length.toString(8).padStart(11, '0')} `);
    put(136, '00000000000 ');
    put(148, '        ');
    put(156, link === undefined ? '0' : '2');
    put(157, link ?? '');
    put(257, 'ustar\x0000');
    const sum = header.reduce((total, byte) => total + byte, 0);
    put(148, `${sum.toString(8).padStart(6, '0')}\0 `);
    return [header, Buffer.from(text.padEnd(Math.ceil(text.length / 512) * 512, '\0'))];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

const MANIFEST = {
  name: '@made-up/tiny',
  version: '1.2.3',
  // Would leave a mark if anything of the package were run.
  scripts: { install: 'touch "$LANGEVIN_MARK"', postinstall: 'touch "$LANGEVIN_MARK"', prepare: 'touch "$LANGEVIN_MARK"' },
};
const GOOD: readonly Entry[] = [
  { name: 'package/package.json', text: JSON.stringify(MANIFEST) },
  { name: 'package/assets/a.txt', text: 'hello' },
];

const integrityOf = (bytes: Uint8Array): string => `sha512-${createHash('sha512').update(bytes).digest('base64')}`;

/** A registry on this machine with one package. */
async function registryWith(
  bytes: Buffer,
  { announced = integrityOf(bytes), slow = false }: { readonly announced?: string; readonly slow?: boolean } = {},
): Promise<{ readonly part: PackagePart; readonly options: FetchPackageOptions; readonly asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url!);
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    if (request.url!.endsWith('.tgz')) {
      if (!slow) return void response.end(bytes);
      response.writeHead(200, { 'content-length': bytes.length });
      return void response.write(bytes.subarray(0, 50));
    }
    if (!/tiny$/u.test(request.url!)) return void response.writeHead(404).end('{}');
    const dist = { tarball: `${base}/@made-up/tiny/-/tiny-1.2.3.tgz`, integrity: announced };
    const { name, version } = MANIFEST;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ name, 'dist-tags': { latest: version }, versions: { [version]: { name, version, dist } } }));
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    part: { kind: 'package', name: '@made-up/tiny', version: '1.2.3', integrity: integrityOf(bytes), bytes: bytes.length },
    options: { registry, cache: await temporaryFolder(), retries: 0, backoff: 1 },
    asked,
  };
}

async function failure(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => new Error('nothing failed'),
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as Error).message;
}

/** What lies under the cache but for empty folders. */
async function left(cache: string): Promise<string[]> {
  const names = await readdir(cache, { recursive: true, withFileTypes: true });
  return names.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
}

describe('a package', () => {
  test('comes whole, with progress, and is not asked for again; nothing of it is run', async () => {
    const { part, options, asked } = await registryWith(tarball(GOOD));
    const mark = join(await temporaryFolder(), 'mark');
    process.env['LANGEVIN_MARK'] = mark;
    const seen: number[] = [];
    const folder = await fetchPackage(part, { ...options, onProgress: ({ done }) => seen.push(done) });
    delete process.env['LANGEVIN_MARK'];
    expect(existsSync(mark)).toBe(false);
    expect(await readFile(join(folder, 'assets/a.txt'), 'utf8')).toBe('hello');
    expect([seen[0], seen.at(-1)]).toEqual([0, part.bytes]);
    const before = asked.length;
    expect(await fetchPackage(part, options)).toBe(folder);
    expect(await fetchPackage(part, { ...options, network: 'offline' })).toBe(folder);
    expect(asked).toHaveLength(before);
    expect((await left(options.cache!)).sort()).toEqual(['a.txt', 'fetched.json', 'package.json']);
  });

  test('fetched twice at once is fetched well', async () => {
    const { part, options } = await registryWith(tarball(GOOD));
    const folders = await Promise.all([fetchPackage(part, options), fetchPackage(part, options)]);
    expect(folders[0]).toBe(folders[1]);
    expect((await left(options.cache!)).sort()).toEqual(['a.txt', 'fetched.json', 'package.json']);
  });

  test('with another content in the cache is fetched anew', async () => {
    const first = await registryWith(tarball(GOOD));
    await fetchPackage(first.part, first.options);
    const other = tarball([...GOOD, { name: 'package/b.txt', text: 'new' }]);
    const second = await registryWith(other);
    const folder = await fetchPackage(second.part, { ...second.options, cache: first.options.cache! });
    expect(await readFile(join(folder, 'b.txt'), 'utf8')).toBe('new');
  });

  test('of the same version that is installed is used as it is', async () => {
    const { version } = JSON.parse(
      await readFile(join(import.meta.dirname, '../node_modules/emoji-datasource-google/package.json'), 'utf8'),
    ) as { version: string };
    const part: PackagePart = { kind: 'package', name: 'emoji-datasource-google', version, integrity: integrityOf(Buffer.of()), bytes: 1 };
    const cache = await temporaryFolder();
    expect(await fetchPackage(part, { cache, network: 'offline' })).toMatch(/emoji-datasource-google$/u);
    expect(await failure(fetchPackage(part, { cache, network: 'offline', installed: 'ignore' }))).toMatch(/not in the cache/u);
    expect(await failure(fetchPackage({ ...part, version: '0.0.1' }, { cache, network: 'offline' }))).toMatch(/not in the cache/u);
  });

  test('writes nothing outside of its folder, and no links', async () => {
    const outside = await temporaryFolder();
    await writeFile(join(outside, 'secret.txt'), 'old');
    const hostile = tarball([
      ...GOOD,
      { name: 'package/../../../../escaped.txt', text: 'bad' },
      { name: `${outside}/secret.txt`, text: 'bad' },
      { name: 'package/link', link: outside },
      { name: 'package/link/secret.txt', text: 'bad' },
    ]);
    const { part, options } = await registryWith(hostile);
    const folder = await fetchPackage(part, options).catch(() => undefined);
    expect(await readFile(join(outside, 'secret.txt'), 'utf8')).toBe('old');
    expect(await readdir(outside)).toEqual(['secret.txt']);
    const names = await readdir(options.cache!, { recursive: true, withFileTypes: true });
    expect(names.filter((entry) => entry.isSymbolicLink())).toEqual([]);
    expect(names.some(({ name, parentPath }) => name === 'escaped.txt' && folder !== undefined && !parentPath.startsWith(folder))).toBe(
      false,
    );
  });
});

describe('nothing is kept of a package', () => {
  test('that is not the one that was meant, whatever the registry says of it', async () => {
    const meant = integrityOf(Buffer.from('other'));
    for (const announced of [undefined, meant]) {
      const { part, options } = await registryWith(tarball(GOOD), announced === undefined ? {} : { announced });
      expect(await failure(fetchPackage({ ...part, integrity: meant }, options))).toMatch(
        /not the one that was meant: package=@made-up\/tiny@1.2.3/u,
      );
      expect(await left(options.cache!)).toEqual([]);
    }
  });

  test('that is larger than it should be', async () => {
    const { part, options } = await registryWith(tarball(GOOD));
    expect(await failure(fetchPackage({ ...part, bytes: 100 }, options))).toMatch(/larger than it should be/u);
    expect(await left(options.cache!)).toEqual([]);
  });

  test('that the registry does not have, or of a registry that is not there', async () => {
    const { part, options } = await registryWith(tarball(GOOD));
    expect(await failure(fetchPackage({ ...part, name: '@made-up/none' }, options))).toMatch(/does not have the package/u);
    expect(await failure(fetchPackage({ ...part, version: '9.9.9' }, options))).toMatch(/does not have the package/u);
    expect(await failure(fetchPackage(part, { ...options, registry: 'http://127.0.0.1:9' }))).toMatch(/cannot be reached/u);
    expect(await left(options.cache!)).toEqual([]);
  });

  test('that was stopped', async () => {
    const { part, options } = await registryWith(tarball(GOOD), { slow: true });
    const stop = new AbortController();
    const work = fetchPackage(part, { ...options, signal: stop.signal, onProgress: () => void setTimeout(() => stop.abort(), 20) });
    expect(await failure(work)).toMatch(/stopped before the end/u);
    expect(await left(options.cache!)).toEqual([]);
  });

  test.each([
    ['a path', { name: '../tiny' }],
    ['an address', { name: 'http://127.0.0.1/x.tgz' }],
    ['a repository, whose scripts would run', { name: 'git+ssh://git@host/x' }],
    ['a range', { version: '^1.0.0' }],
    ['a tag', { version: 'latest' }],
    ['a weak integrity', { integrity: 'sha1-abc' }],
    ['no size', { bytes: 0 }],
  ])('that is described badly: %s', async (_, other) => {
    const { part, options, asked } = await registryWith(tarball(GOOD));
    await failure(fetchPackage({ ...part, ...other }, options));
    expect(asked).toEqual([]);
    expect(await left(options.cache!)).toEqual([]);
  });
});

test('what a killed process left behind is removed a day later', async () => {
  const { part, options } = await registryWith(tarball(GOOD));
  const stale = join(options.cache!, 'packages', '.partial-old');
  await mkdir(stale, { recursive: true });
  const { utimes } = await import('node:fs/promises');
  await utimes(stale, new Date(0), new Date(0));
  await mkdir(join(options.cache!, 'packages', '.partial-new'));
  await fetchPackage(part, options);
  expect(existsSync(stale)).toBe(false);
  expect((await stat(join(options.cache!, 'packages', '.partial-new'))).isDirectory()).toBe(true);
});
