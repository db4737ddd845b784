// What the page holds in memory while it shows a million Gaussians: `node scripts/measure-memory.mjs [count]`, after `npm run build`.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeSplats } from '@langevin/io/splats';
import { syntheticCloud } from '@langevin/io/testing';
import { chromium } from 'playwright-core';
import { build, preview } from 'vite';

const count = Number(process.argv[2] ?? 1_000_000);
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'langevin-memory-'));
const outDir = join(folder, 'dist');
const configFile = join(root, 'vite.config.ts');
await build({ root, configFile, logLevel: 'error', build: { outDir, emptyOutDir: true } });
const server = await preview({ root, configFile, logLevel: 'error', build: { outDir }, preview: { host: '127.0.0.1', port: 0 } });
const file = join(folder, 'cloud.spz');
await writeFile(file, await writeSplats(syntheticCloud({ count, degree: 3, seed: 1 }), { format: 'spz' }));
// Measured when asked, and after collecting garbage, rather than when the browser finds the time.
const args = [
  '--no-sandbox',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--ignore-gpu-blocklist',
  '--enable-blink-features=ForceEagerMeasureMemory',
];
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
try {
  const page = await browser.newPage({ viewport: { width: 600, height: 300 } });
  page.setDefaultTimeout(300_000);
  await page.goto(server.resolvedUrls.local[0]);
  const shows = (name) =>
    page.waitForFunction(
      (expected) =>
        document.querySelector('#fact-name')?.textContent === expected && Number(document.querySelector('#viewport')?.dataset.frames) > 0,
      name,
    );
  const bytes = async () => (await page.evaluate(() => performance.measureUserAgentSpecificMemory())).bytes;
  await shows('Still life');
  const before = await bytes();
  const frames = Number(await page.locator('#viewport').getAttribute('data-frames'));
  await page.setInputFiles('#file', file);
  await shows('cloud.spz');
  await page.waitForFunction((past) => Number(document.querySelector('#viewport')?.dataset.frames) > past, frames);
  const samples = [];
  // Buffers of reading and packing go when the browser gets to it.
  for (let i = 0; i < 6; i++) {
    await page.waitForTimeout(3000);
    samples.push((await bytes()) - before);
  }
  const settled = Math.min(...samples);
  console.log(
    `${count.toLocaleString('en-US')} Gaussians of degree 3 from SPZ: ${(settled / count).toFixed(0)} bytes each in the page and `
      + `its workers (most seen: ${(Math.max(...samples) / count).toFixed(0)}), by measureUserAgentSpecificMemory of Chromium `
      + `${browser.version()}`,
  );
} finally {
  await browser.close();
  await server.close();
  await rm(folder, { recursive: true, force: true });
}
