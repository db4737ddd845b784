import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { cpuRasterizer, trainSplats, type SplatScene } from '@langevin/gaussians';
import { build } from 'esbuild';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { GRADIENTS, inBothPrecisions, randomScene } from '../src/testing/index.ts';
import { tinyScene } from './tiny-scene.ts';
import type { PageApi } from './webgpu/page.ts';

const EXECUTABLE = '/usr/bin/chromium';
const ARGUMENTS = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--use-vulkan=swiftshader',
];
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const PROGRAM = here('../node_modules/.langevin-test/webgpu-page.js');
const MINUTES = 60_000;

let browser: Browser | undefined;
let server: Server | undefined;
let page: Page;
let reason: string | undefined;
const cpu = cpuRasterizer({ threads: 1 });

/** A page on localhost, which browsers trust with WebGPU. */
async function serve(): Promise<string> {
  await build({
    entryPoints: [here('webgpu/page.ts')],
    outfile: PROGRAM,
    bundle: true,
    platform: 'browser',
    format: 'esm',
    target: 'chrome120',
    conditions: ['@langevin/source'],
    external: ['node:*', 'webgpu'],
    logLevel: 'error',
  });
  const script = await readFile(PROGRAM);
  server = createServer(({ url }, response) => {
    if (url === '/page.js') response.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
    else
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end('<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>');
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

beforeAll(async () => {
  if (!existsSync(EXECUTABLE)) {
    reason = `no browser at ${EXECUTABLE}. Install the package "chromium" of Debian to run WebGPU on its SwiftShader.`;
    return;
  }
  const url = await serve();
  browser = await chromium.launch({ executablePath: EXECUTABLE, args: ARGUMENTS });
  page = await browser.newPage();
  await page.goto(url);
  await page.waitForFunction(() => globalThis.langevin !== undefined);
  const opened = await page.evaluate(() => globalThis.langevin!.open());
  if ('reason' in opened) reason = opened.reason;
}, 4 * MINUTES);
afterAll(async () => {
  await cpu.dispose();
  await browser?.close();
  server?.close();
});

function ask(context: TestContext): Page {
  if (reason !== undefined) return context.skip(`skipped: ${reason}`);
  return page;
}

/** The share of numbers that differ by more than `bound` of the largest: where rounding turns a decision they may. */
function shareOff(a: readonly number[], b: Float32Array, bound: number): number {
  expect(a.length).toBe(b.length);
  const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
  return b.reduce((count, value, i) => count + (Math.abs(value - a[i]!) > bound * largest ? 1 : 0), 0) / b.length;
}

describe('WebGPU in headless Chromium', () => {
  test.for([
    { seed: 51, count: 400, size: 60 },
    { seed: 52, count: 3000, size: 40, kind: 'orthographic', scales: [0.01, 0.05] },
  ] as const)(
    'draws as the CPU kernels do, its gradients too, with the same bits each time: seed $seed',
    { timeout: 4 * MINUTES },
    async (options, context) => {
      const { picture, gradients, again } = await ask(context).evaluate(
        (given) => globalThis.langevin!.draw(given),
        options as Parameters<PageApi['draw']>[0],
      );
      const { gaussians, camera } = randomScene(options);
      const drawn = await cpu.render(inBothPrecisions(gaussians).single, camera, { depth: 'accumulated' });
      for (const name of ['color', 'alpha', 'depth'] as const)
        expect(shareOff(picture[name]!, drawn[name]!, 1e-4), name).toBeLessThan(1e-3);
      const wave = (array: Float32Array): Float32Array => array.map((_, i) => Math.sin(1.7 * i));
      const slow = await cpu.backward(drawn, { color: wave(drawn.color), alpha: wave(drawn.alpha), depth: wave(drawn.depth!) });
      for (const name of GRADIENTS)
        if (slow[name] !== undefined) expect(shareOff(gradients[name]!, slow[name], 1e-3), name).toBeLessThan(2e-3);
      expect(again).toBe(true);
    },
  );

  test('trains as the CPU kernels do', { timeout: 4 * MINUTES }, async (context) => {
    const steps = 6;
    const scene = await tinyScene(cpu);
    // What a page is given has to be plain values.
    const plain = JSON.parse(
      JSON.stringify(scene, (_, value: unknown) => (ArrayBuffer.isView(value) ? Array.from(value as Uint8Array) : value)),
    ) as SplatScene;
    const found = await ask(context).evaluate(([given, count]) => globalThis.langevin!.train(given, count), [plain, steps] as const);
    const losses: number[] = [];
    for await (const event of trainSplats({ scene, rasterizer: cpu, steps, degree: 0 }))
      if (event.kind === 'step') losses.push(event.losses['loss']!);
    expect(found.length).toBe(steps);
    losses.forEach((loss, i) => expect(Math.abs(found[i]! - loss) / loss, String(i)).toBeLessThan(1e-3));
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
  });
});
