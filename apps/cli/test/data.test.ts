import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readImage, writeImage } from '@langevin/io/node';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { cli, temporaryFolder } from './run-cli.ts';

vi.setConfig({ testTimeout: 60_000 });

async function json(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Record<string, unknown>> {
  const { code, out, err } = await cli([...args, '--json'], { env });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out) as Record<string, unknown>;
}

/** A data set of a plugin whose one file a server on this machine has. */
async function pluginWithFile(): Promise<{ readonly plugin: string; readonly env: Record<string, string>; readonly asked: string[] }> {
  const asked: string[] = [];
  const content = 'black\nwhite\n';
  const server = createServer((request, response) => {
    asked.push(request.url!);
    response.end(content);
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  const folder = await temporaryFolder();
  const sha256 = createHash('sha256').update(content).digest('hex');
  const plugin = join(folder, 'mine.mjs');
  await writeFile(
    plugin,
    `import { readFile } from 'node:fs/promises';
const part = { kind: 'file', name: 'greys.txt', urls: ['http://127.0.0.1:${(server.address() as AddressInfo).port}/greys.txt'],
  bytes: ${content.length}, sha256: '${sha256}' };
const open = async (_, { folders }) => {
  const names = (await readFile(folders['greys.txt'], 'utf8')).trim().split('\\n');
  const about = (i) => ({ caption: names[i], name: names[i], group: names[i], attributes: { shade: names[i] } });
  return { name: 'mine', kind: 'picture', length: names.length, remarks: ['two greys'], about, itemName: (i) => names[i],
    load: async (i) => {
      if (process.env.LANGEVIN_TEST_FAIL) throw new TypeError('no pixels');
      return { ...about(i), kind: 'picture', image: { width: 4, height: 4, channels: 1, data: new Uint8Array(16).fill(255 * i) } };
    } };
};
const licences = [{ name: 'MIT', attribution: 'me' }];
export const data = [{ name: 'mine', summary: 'Greys of mine.', licences, options: [], parts: () => [part], open }];
`,
  );
  return { plugin, env: { LANGEVIN_CACHE: join(folder, 'cache') }, asked };
}

describe('data list', () => {
  it('names every data set with what it fetches, its options and licences', async () => {
    const { code, out, err } = await cli(['data', 'list', '--json']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const rows = JSON.parse(out) as { name: string; fetches: number; options: string[]; licences: { attribution: string }[] }[];
    expect(rows.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'captioned-shapes',
        'cifar10',
        'clip-folder',
        'emoji',
        'emoji-animated',
        'mnist',
        'moving-mnist',
        'picture-folder',
      ]),
    );
    expect(rows.find(({ name }) => name === 'captioned-shapes')).toMatchObject({ fetches: 0 });
    expect(rows.find(({ name }) => name === 'emoji')!.options).toContain('styles');
    expect(rows.every(({ licences }) => licences.every(({ attribution }) => attribution.length > 5))).toBe(true);
    const { out: text } = await cli(['data', 'list']);
    expect(text).toMatch(/^name +fetches +summary\n/u);
    expect(text).toMatch(/^emoji +20\.2 MB +Emoji in several styles/mu);
    expect(text).toMatch(/^picture-folder +nothing/mu);
  });
});

describe('data show', () => {
  it('says what there is, under which licence, and draws a sheet with captions', async () => {
    const out = join(await temporaryFolder(), 'new', 'sheet.png');
    const result = await json([
      'data',
      'show',
      'captioned-shapes',
      '--set',
      'count=50',
      '--set',
      'size=32',
      '--count',
      '6',
      '--columns',
      '3',
      '--out',
      out,
    ]);
    expect(result).toMatchObject({
      name: 'captioned-shapes',
      kind: 'picture',
      length: 50,
      credits: { licences: [{ name: 'CC0-1.0' }] },
      out,
    });
    expect((result['sample'] as unknown[]).length).toBe(6);
    const { width, height } = await readImage(out);
    // Three columns of 32 pixels, drawn four times as large, 6 apart; two rows, each with three lines of 9 and a gap of 2.
    expect([width, height]).toEqual([6 + 3 * (128 + 6), 6 + 2 * (128 + 6 + 29)]);
    const { out: text } = await cli(['data', 'show', 'captioned-shapes', '--set', 'count=50']);
    expect(text).toMatch(/^captioned-shapes: 50 pictures in \d+ groups\./u);
    expect(text).toMatch(/^licences\n  Drawn by Langevin/mu);
    expect(text).toMatch(/^captions\n  a (small|large) /mu);
  });

  it('chooses by attributes', async () => {
    const base = ['data', 'show', 'captioned-shapes', '--set', 'count=60'];
    const all = await json(base);
    const above = await json([...base, '--where', 'relation=above']);
    expect(above['length']).toBe((all['attributes'] as { relation: { above: number } }).relation.above);
    expect((await cli([...base, '--where', 'colour=red'])).err).toContain(
      '[cli/data] unknown attribute: --where colour, data=captioned-shapes. Known: relation, shapes.',
    );
  });

  it('shows pictures of a folder', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'in'));
    await writeImage(join(folder, 'in', 'a.png'), { width: 300, height: 200, channels: 3, data: new Uint8Array(180_000).fill(7) });
    await writeFile(join(folder, 'in', 'a.txt'), 'something dark');
    const out = join(folder, 'sheet.png');
    const result = await json([
      'data',
      'show',
      'picture-folder',
      '--set',
      `folder=${join(folder, 'in')}`,
      '--set',
      'size=300',
      '--out',
      out,
    ]);
    expect(result['sample']).toEqual([{ name: 'a.png', caption: 'something dark' }]);
    expect((await readImage(out)).width).toBe(6 + 112 + 6);
  });

  it('refuses names, options and outputs that are none, before anything is fetched', async () => {
    const failed = async (...args: string[]): Promise<string> => {
      const { code, err } = await cli(['data', ...args]);
      expect(code).toBe(1);
      return err;
    };
    expect(await failed('show', 'emojy', '--offline')).toMatch(/\[io\/data\] unknown data set: name="emojy"\. Did you mean "emoji"\?/u);
    expect(await failed('show', 'emoji', '--set', 'styles=["cubist"]')).toMatch(/options of emoji has the wrong form: styles\.0/u);
    expect(await failed('show', 'picture-folder')).toMatch(/folder is missing/u);
    expect(await failed('show', 'captioned-shapes', '--out', 'sheet.xyz')).toMatch(
      /\[cli\/data\] ending of the picture is not known: --out=sheet\.xyz/u,
    );
    expect(await failed('show', 'captioned-shapes', '--out', '/proc/no/sheet.png')).toMatch(/\[io\/folder\]/u);
  });
});

describe('data add', () => {
  it('fetches once, with progress, for a plugin too; then nothing is asked for, and offline is enough', async () => {
    const { plugin, env, asked } = await pluginWithFile();
    const first = await cli(['data', 'add', 'mine', '--plugin', plugin, '--offline'], { env });
    expect([first.code, first.err]).toEqual([1, expect.stringContaining('not in the cache')]);
    const { code, out, err } = await cli(['data', 'add', 'mine', '--plugin', plugin], { env });
    expect({ code, asked }).toEqual({ code: 0, asked: ['/greys.txt'] });
    expect(err).toBe('greys.txt: 0 B of 12 B\ngreys.txt: 12 B of 12 B\n');
    expect(out).toMatch(/^mine: 12 B fetched and checked\n  greys\.txt  .*greys\.txt\nlicences\n  me: MIT\n$/u);
    const { folders } = await json(['data', 'add', 'mine', '--plugin', plugin, '--offline'], env);
    expect(await readFile((folders as Record<string, string>)['greys.txt']!, 'utf8')).toBe('black\nwhite\n');
    const shown = await json(['data', 'show', 'mine', '--plugin', plugin, '--offline'], env);
    expect(shown).toMatchObject({ length: 2, attributes: { shade: { black: 1, white: 1 } }, remarks: ['two greys'] });
    expect(asked).toHaveLength(1);
  });

  it('tells what goes wrong in a plugin as its fault', async () => {
    const { plugin, env } = await pluginWithFile();
    process.env['LANGEVIN_TEST_FAIL'] = '1';
    onTestFinished(() => void delete process.env['LANGEVIN_TEST_FAIL']);
    const { code, err } = await cli(['data', 'show', 'mine', '--plugin', plugin], { env });
    expect(code).toBe(1);
    expect(err).toContain('[cli/plugin] plugin failed: plugin=');
    expect(err).toContain('data set "mine", TypeError: no pixels');
  });

  it('is stopped by Ctrl+C', async () => {
    const server = createServer((_, response) => void response.writeHead(200).write('bl'));
    await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const { plugin, env } = await pluginWithFile();
    const text = await readFile(plugin, 'utf8');
    await writeFile(plugin, text.replace(/127\.0\.0\.1:\d+/u, `127.0.0.1:${(server.address() as AddressInfo).port}`));
    const stop = new AbortController();
    const { code, err } = await cli(['data', 'add', 'mine', '--plugin', plugin], {
      env,
      signal: stop.signal,
      heard: () => void setTimeout(() => stop.abort(), 20),
    });
    expect(code).toBe(1);
    expect(err).toContain('[io/fetch] stopped before the end: part=greys.txt');
  });
});
