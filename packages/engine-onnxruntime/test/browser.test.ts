import { onnxruntimeEngine, type Device } from '@langevin/engine-onnxruntime';
import { chromium as playwright, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { bundle } from './harness/bundle.ts';
import { trainBriefly, type Evidence } from './harness/evidence.ts';
import { expectEvidence } from './harness/expect-evidence.ts';
import { findChromium, NO_CHROMIUM } from './harness/find-chromium.ts';
import { firstRows } from './harness/first-rows.ts';
import { servePage, type Served } from './harness/serve.ts';

const MINUTES = 60_000;
const ARGUMENTS = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--use-vulkan=swiftshader',
];

describe('onnxruntime-web in headless Chromium', () => {
  const chromium = findChromium();
  let browser: Browser | undefined;
  let served: Served | undefined;
  let page: Page;

  beforeAll(async () => {
    if (!chromium) return;
    served = await servePage(await bundle('browser', 'browser', { page: 'test/harness/page.ts' }));
    browser = await playwright.launch({ executablePath: chromium.executable, args: ARGUMENTS });
    page = await browser.newPage();
    await page.goto(served.url);
    await page.waitForFunction(() => globalThis.langevinEngines !== undefined);
  }, 2 * MINUTES);

  afterAll(async () => {
    await browser?.close();
    served?.close();
  });

  const prove = async (context: TestContext, device: Device): Promise<void> => {
    if (!chromium) return context.skip(NO_CHROMIUM);
    const reports = await page.evaluate(() => globalThis.langevinEngines.availableDevices());
    const report = reports.find((candidate) => candidate.device === device);
    if (!report?.available) return context.skip(`skipped: ${report?.reason}`);
    const found: Evidence = await page.evaluate(([name, rows]) => globalThis.langevinEngines.gatherEvidence(name, new RegExp(rows)), [
      device,
      firstRows.source,
    ] as const);
    expect(found.conformance.device).toBe(device);
    const cpu = await onnxruntimeEngine({ device: 'cpu' });
    expectEvidence(found, await trainBriefly(cpu));
    await cpu.dispose();
  };

  test('wasm passes one conformance row of each op and trains as the CPU does', { timeout: 5 * MINUTES }, (context) =>
    prove(context, 'wasm'),
  );
  test('WebGPU passes one conformance row of each op and trains as the CPU does', { timeout: 10 * MINUTES }, (context) =>
    prove(context, 'webgpu'),
  );
});
