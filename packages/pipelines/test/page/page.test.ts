import { existsSync } from 'node:fs';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, extname, join, relative } from 'node:path';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { readGolden, resultOf, writeTiny } from '@langevin/pipelines/testing';
import { setDefaultEngine } from '@langevin/tensor';
import { build } from 'esbuild';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openModel } from '../../src/generate/open-model.ts';
import { GOLDEN, scratch } from '../checkpoint/scratch.ts';
import type { PageCall } from './page.ts';

const CHROMIUM = '/usr/bin/chromium';
const CALL = { prompt: 'a red cat', steps: 3, seed: 5 };
const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };

const engines = createRequire(createRequire(import.meta.url).resolve('@langevin/engine-onnxruntime'));
const runtime = dirname(engines.resolve('onnxruntime-web'));
// Below node_modules, where neither the linter nor git looks.
const bundled = join(import.meta.dirname, '../../node_modules/.langevin-test/page');

/** A file, or the range of it that was asked for. */
async function send(request: IncomingMessage, response: ServerResponse, path: string): Promise<number> {
  const { size } = await stat(path);
  const headers = {
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
    'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
  };
  const range = /^bytes=(\d+)-(\d+)$/u.exec(request.headers.range ?? '');
  if (range === null) {
    response.writeHead(200, headers).end(await readFile(path));
    return size;
  }
  const [from, to] = [Number(range[1]), Math.min(Number(range[2]), size - 1)];
  const file = await open(path);
  const { buffer } = await file.read(Buffer.alloc(to - from + 1), 0, to - from + 1, from);
  await file.close();
  response.writeHead(206, { ...headers, 'content-range': `bytes ${from}-${to}/${size}` }).end(buffer);
  return buffer.length;
}

async function serve(model: string) {
  const sent = { ranges: 0, whole: 0 };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/') {
      const page = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>';
      response
        .writeHead(200, {
          'content-type': 'text/html',
          'cross-origin-opener-policy': 'same-origin',
          'cross-origin-embedder-policy': 'require-corp',
        })
        .end(page);
      return;
    }
    const isModel = pathname.startsWith('/model/');
    const name = pathname.slice(1).replace(/^model\//u, '');
    const places = isModel ? [join(model, name)] : [join(bundled, name), join(runtime, name)];
    const found = places.find((place) => existsSync(place));
    if (found === undefined) return void response.writeHead(404).end();
    if (isModel) sent[request.headers.range === undefined ? 'whole' : 'ranges']++;
    send(request, response, found).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { sent, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close: () => server.close() };
}

async function pathsIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

describe('a checkpoint in a page', () => {
  let browser: Browser | undefined;

  beforeAll(async () => {
    if (!existsSync(CHROMIUM)) return;
    setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 }));
    await build({
      entryPoints: [join(import.meta.dirname, 'page.ts')],
      outdir: bundled,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'browser',
      target: 'chrome120',
      conditions: ['@langevin/source'],
      // What reads a disk lies in parts of its own, which a page never loads.
      external: ['node:*', 'sharp', '@huggingface/hub'],
      logLevel: 'warning',
    });
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  }, 120_000);

  afterAll(async () => {
    setDefaultEngine(undefined);
    await browser?.close();
  });

  it.each(['blobs', 'addresses'] as const)('%s: makes the picture that Node makes', { timeout: 120_000 }, async (as) => {
    if (browser === undefined) {
      console.warn(`skipped: no Chromium at ${CHROMIUM}. Install Debian's package chromium.`);
      return;
    }
    const folder = await writeTiny(join(await scratch(), 'model'), await readGolden(GOLDEN, 'stable-diffusion'));
    const served = await serve(folder);
    onTestFinished(() => void served.close());
    const model = await openModel(folder);
    const { images } = await resultOf({ model, ...CALL });
    await model.dispose();

    const page: Page = await browser.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
    await page.goto(served.url);
    await page.waitForFunction(() => globalThis.langevinMake !== undefined);
    const call: PageCall = { from: served.url, paths: await pathsIn(folder), as, call: CALL };
    const made = await page.evaluate((given) => globalThis.langevinMake(given), call);
    await page.close();

    expect(complaints).toEqual([]);
    expect(made.device).toBe('wasm');
    expect(made.parts).toEqual(['text encoders', 'autoencoder']);
    const wanted = images[0]!.data;
    expect(made.pixels.length).toBe(wanted.length);
    expect(Math.max(...made.pixels.map((value, i) => Math.abs(value - wanted[i]!)))).toBeLessThanOrEqual(1);
    // Addresses are read by range and never whole; Blobs whole, as the page fetched them.
    expect(as === 'addresses' ? served.sent.whole : served.sent.ranges).toBe(0);
    expect(as === 'addresses' ? served.sent.ranges : served.sent.whole).toBeGreaterThan(0);
  });
});
