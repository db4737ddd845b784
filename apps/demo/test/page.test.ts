import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { encodeSplatScene4d, readSplats, readSplatScene4d, writeSplats } from '@langevin/io/splats';
import { sampleFiles, syntheticCloud } from '@langevin/io/testing';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { swayingStalks } from '../src/built-in/swaying.ts';
import { hasChromium, NO_CHROMIUM, startDemo, type Demo, type OpenPage } from './harness/chromium.ts';
import { distance, settled, settledOn } from './harness/pictures.ts';
import { photographedFolder } from './harness/tiny-scene.ts';

if (!hasChromium) console.warn(`[demo/test] skipped: ${NO_CHROMIUM}`);

const MINUTES = 60_000;

const text = (page: Page, id: string): Promise<string> => page.locator(`#${id}`).innerText();
const hasText = (page: Page, id: string, expected: string): Promise<void> =>
  expect.poll(() => text(page, id), { timeout: 2 * MINUTES }).toBe(expected);
const training = (page: Page, state: string): Promise<void> =>
  expect.poll(() => page.locator('body').getAttribute('data-training'), { timeout: 2 * MINUTES }).toBe(state);
const stepsDone = async (page: Page): Promise<number> => Number((await page.locator('#train-step').getAttribute('data-step')) ?? 0);

/** Presses at once: a real click waits until frames are drawn on time, and on a busy machine the training is over by then. */
const press = (page: Page, id: 'pause' | 'stop'): Promise<void> => page.dispatchEvent(`#${id}`, 'click');

/** dB of the view that is looked at, and after which step. */
async function measured(page: Page): Promise<{ readonly step: number; readonly psnr: number }> {
  const place = page.locator('#train-psnr');
  return { step: Number(await place.getAttribute('data-step')), psnr: Number.parseFloat(await place.innerText()) };
}

describe.runIf(hasChromium)('the page', () => {
  let demo: Demo;
  let desk: OpenPage;
  /** How much a turn of the scene changes its picture. */
  let turn = 0;

  beforeAll(async () => {
    demo = await startDemo();
    desk = await demo.open({ viewport: { width: 830, height: 400 } });
  }, 4 * MINUTES);
  afterAll(() => demo?.close(), MINUTES);

  it('says that it is loading, and how much of it is there, from its first moment', { timeout: 4 * MINUTES }, async () => {
    // Before any script runs.
    const bare = await demo.open({ javaScriptEnabled: false });
    expect(await text(bare.page, 'loading-text')).toBe('Loading the page …');
    expect(await bare.page.locator('#loading-bar').isVisible()).toBe(true);
    await bare.page.context().close();

    const { page, complaints } = await demo.open(
      {},
      `new MutationObserver(() => {
        const [text, bar] = [document.getElementById('loading-text'), document.getElementById('loading-bar')];
        const said = text && bar ? text.textContent + ' ' + bar.value + ' of ' + bar.max : '';
        globalThis.told ??= [];
        if (said !== '' && globalThis.told.at(-1) !== said) globalThis.told.push(said);
      }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });`,
    );
    await hasText(page, 'fact-name', 'Still life');
    await expect.poll(() => page.locator('#loading').isHidden(), { timeout: 2 * MINUTES }).toBe(true);
    const told = await page.evaluate(() => (globalThis as unknown as { readonly told: readonly string[] }).told);
    expect(told).toContain('Loading the page … 0 of 3');
    expect(told).toContain('Loading what draws it and the first scene … 1 of 3');
    expect(
      told.some((one) => /^Loading (?:what draws it|the first scene) … 2 of 3$/.test(one)),
      told.join('\n'),
    ).toBe(true);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('shows every choice of its lists whole', async () => {
    const { page } = desk;
    await page.evaluate(() => document.fonts.ready);
    const clipped = await page.evaluate(() => {
      // What a list needs for its longest choice: as wide as the browser makes it when it may.
      const clippedIn = (list: HTMLSelectElement): string[] => {
        const copy = list.cloneNode(true) as HTMLSelectElement;
        copy.style.cssText = `position: absolute; width: max-content; font: ${getComputedStyle(list).font}`;
        list.closest('section')!.append(copy);
        const [has, needs] = [list.getBoundingClientRect().width, copy.getBoundingClientRect().width];
        copy.remove();
        return has > 0 && needs > has + 0.5 ? [`${list.id}: ${needs} in ${has}`] : [];
      };
      const panels = ['panel-view', 'panel-train'].map((id) => document.getElementById(id)!);
      return panels.flatMap((panel) => {
        const before = panel.hidden;
        panel.hidden = false;
        const found = [...panel.querySelectorAll('select')].flatMap(clippedIn);
        panel.hidden = before;
        return found;
      });
    });
    expect(clipped).toEqual([]);
  });

  it('shows a built-in scene, turns it with mouse and keys, comes nearer and returns', { timeout: 4 * MINUTES }, async () => {
    const { page, complaints } = desk;
    const viewport = page.locator('#viewport');
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    const first = await settled(page);
    expect(await text(page, 'fact-painter')).toContain('Spark');
    expect(await text(page, 'fact-name')).toBe('Still life');

    const { x, y, width, height } = (await viewport.boundingBox())!;
    await page.mouse.move(x + width / 2, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + width / 2 + 120, y + height / 2 + 20);
    await page.mouse.up();
    const turned = await settledOn(page, (picture) => !picture.equals(first));
    turn = distance(first, turned);
    await page.mouse.wheel(0, 400);
    await viewport.focus();
    await page.keyboard.press('ArrowUp');
    await settledOn(page, (picture) => !picture.equals(turned));
    await page.keyboard.press('r');
    // The same view again: what is left is the order of splats at the same depth.
    await settledOn(page, (picture) => distance(picture, first) < turn / 10);
    expect(complaints).toEqual([]);
  });

  it('our own rasterizer draws the same view as Spark', { timeout: 4 * MINUTES }, async () => {
    const { page, complaints } = desk;
    const bySpark = await settled(page);
    await page.selectOption('#painter', 'raster');
    await hasText(page, 'fact-painter', 'Langevin rasterizer');
    const byOurs = await settledOn(page, (picture) => !picture.equals(bySpark));
    // Edges differ, where each draws with its own precision.
    expect(distance(byOurs, bySpark)).toBeLessThan(turn / 4);
    await page.selectOption('#painter', 'spark');
    await hasText(page, 'fact-painter', 'Spark (WebGL 2)');
    expect(complaints).toEqual([]);
  });

  it('opens files of every format and says what is in them', { timeout: 4 * MINUTES }, async () => {
    const { page, complaints } = desk;
    const cloud = syntheticCloud({ count: 300, degree: 2, seed: 4, extent: 1 });
    const files = [
      { name: 'cloud.ply', format: 'ply', count: '300', degree: '2', bytes: await writeSplats(cloud, { format: 'ply' }) },
      { name: 'cloud.spz', format: 'spz', count: '300', degree: '2', bytes: await writeSplats(cloud, { format: 'spz' }) },
      { name: 'cloud.splat', format: 'splat', count: '300', degree: '0', bytes: await writeSplats(cloud, { format: 'splat' }) },
      { name: 'cloud.splats4d', format: '4d', count: '300', degree: '2', bytes: await writeSplats(cloud, { format: '4d' }) },
      {
        name: 'packed.compressed.ply',
        format: 'compressed-ply',
        count: '4',
        degree: '1',
        bytes: (await sampleFiles('compressed-ply'))[1]!.bytes,
      },
    ];
    for (const { name, format, count, degree, bytes } of files) {
      await page.setInputFiles('#file', { name, mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) });
      await hasText(page, 'fact-name', name);
      expect([await text(page, 'fact-format'), await text(page, 'fact-count'), await text(page, 'fact-degree')]).toEqual([
        format,
        count,
        degree,
      ]);
      expect(await text(page, 'fact-bytes')).toMatch(/^[\d.]+ k?B$/);
      expect(await text(page, 'fact-bounds')).toMatch(/^[\d.]+ × [\d.]+ × [\d.]+, around/);
      expect(await page.locator('#fault').isHidden()).toBe(true);
    }
    await settled(page);
    expect(complaints).toEqual([]);
  });

  it('opens what is dropped on it', { timeout: 2 * MINUTES }, async () => {
    const { page, complaints } = desk;
    const bytes = await writeSplats(syntheticCloud({ count: 40, degree: 0, seed: 6 }), { format: 'ply' });
    const dropped = await page.evaluateHandle(
      (content) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.from(content)], 'dropped.ply'));
        return transfer;
      },
      [...bytes],
    );
    await page.dispatchEvent('#viewport', 'dragover', { dataTransfer: dropped });
    expect(await page.locator('#drop-hint').isVisible()).toBe(true);
    await page.dispatchEvent('#viewport', 'drop', { dataTransfer: dropped });
    await hasText(page, 'fact-name', 'dropped.ply');
    expect([await text(page, 'fact-count'), await page.locator('#drop-hint').isVisible()]).toEqual(['40', false]);
    expect(complaints).toEqual([]);
  });

  it('says in words why a file cannot be read, and keeps what it shows', { timeout: 2 * MINUTES }, async () => {
    const { page, complaints } = desk;
    const whole = await writeSplats(syntheticCloud({ count: 50, degree: 0, seed: 1 }), { format: 'ply' });
    const shown = await text(page, 'fact-name');
    for (const [name, buffer, message] of [
      ['notes.ply', Buffer.from('These are no Gaussians at all, only words.'), /^"notes\.ply" is of no known format/],
      ['half.ply', Buffer.from(whole.subarray(0, whole.length / 2)), /^"half\.ply" /],
      ['photo.png', Buffer.from('89504e470d0a1a0a', 'hex'), /^photo\.png is a picture, not a file of Gaussians/],
    ] as const) {
      await page.setInputFiles('#file', { name, mimeType: 'application/octet-stream', buffer });
      await expect.poll(() => page.locator('#fault').isVisible(), { timeout: MINUTES }).toBe(true);
      const said = await text(page, 'fault-text');
      expect(said).toMatch(message);
      expect(said).not.toMatch(/^\[|undefined|at Object/);
      expect(await text(page, 'fact-name')).toBe(shown);
      await page.click('#fault-close');
      expect(await page.locator('#fault').isVisible()).toBe(false);
    }
    expect(complaints).toEqual([]);
  });

  it('plays a moving scene, and its slider moves it', { timeout: 4 * MINUTES }, async () => {
    const { page, complaints } = desk;
    expect(await page.locator('#player').isVisible()).toBe(false);
    await page.click('#example-moving');
    await hasText(page, 'fact-name', 'Swaying stalks');
    expect(await page.locator('#player').isVisible()).toBe(true);
    const still = await settled(page);
    await page.locator('#time').fill('1');
    expect(await text(page, 'time-text')).toBe('1.00 s');
    const moved = await settledOn(page, (picture) => !picture.equals(still));
    const motion = distance(moved, still);
    await page.locator('#time').fill('0');
    await settledOn(page, (picture) => distance(picture, still) < motion / 10);
    await page.click('#play');
    await expect.poll(async () => Number.parseFloat(await text(page, 'time-text')), { timeout: MINUTES }).toBeGreaterThan(0.1);
    await page.click('#play');
    expect(await page.locator('#play').getAttribute('aria-pressed')).toBe('false');
    expect(complaints).toEqual([]);
  });

  it('plays a scene of several assets, each in its place and time, and saves it whole', { timeout: 4 * MINUTES }, async () => {
    const { page, complaints } = desk;
    const stalks = swayingStalks();
    const placement = { translation: [2.6, 0, 0], rotation: [0, 0, 1, 0], scale: 0.5, offset: 2, beyond: 'hold' } as const;
    const bytes = encodeSplatScene4d({
      assets: [
        { ...stalks, placement: {} },
        { ...stalks, placement },
      ],
    });
    await page.setInputFiles('#file', { name: 'pair.splats4d', mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) });
    await hasText(page, 'fact-name', 'pair.splats4d');
    expect([await text(page, 'fact-format'), await text(page, 'fact-count')]).toEqual([
      '4d, 2 assets',
      (2 * stalks.cloud.count).toLocaleString('en-US'),
    ]);
    expect(await page.locator('#time').getAttribute('max')).toBe('6');
    const still = await settled(page);
    await page.locator('#time').fill('5');
    expect(await text(page, 'time-text')).toBe('5.00 s');
    await settledOn(page, (picture) => !picture.equals(still));
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save [data-format="4d"]')]);
    const { assets } = await readSplatScene4d(await readFile(await download.path()));
    expect(assets.map(({ placement: place }) => place)).toEqual([{}, placement]);
    expect(complaints).toEqual([]);
  });

  it(
    'trains: the PSNR of a held-out view rises, it pauses, resumes and stops, and the result is a file',
    { timeout: 5 * MINUTES },
    async () => {
      const { page, complaints } = desk;
      // Before the first look at training, so that the pictures are taken once.
      await page.locator('#side').evaluate((list: HTMLSelectElement) => (list.value = '96'));
      await page.click('#mode-train');
      await training(page, 'ready');
      await expect.poll(async () => (await measured(page)).step, { timeout: MINUTES }).toBe(0);
      const before = await measured(page);
      expect(await text(page, 'source-hint')).toContain('procedural');
      await page.selectOption('#steps', '3000');
      await page.click('#start');
      await expect.poll(() => stepsDone(page), { timeout: 3 * MINUTES }).toBeGreaterThanOrEqual(50);

      await press(page, 'pause');
      await expect.poll(() => text(page, 'pause')).toBe('Resume');
      // The picture of the pause is of the step at which the loop stands.
      await expect.poll(async () => (await measured(page)).step, { timeout: MINUTES }).toBeGreaterThanOrEqual(50);
      const { step: stoodAt, psnr } = await measured(page);
      expect(psnr).toBeGreaterThan(before.psnr);
      await press(page, 'pause');
      await expect.poll(() => stepsDone(page), { timeout: 2 * MINUTES }).toBeGreaterThan(stoodAt);
      await press(page, 'stop');
      await training(page, 'ended');
      expect(await text(page, 'train-held')).toMatch(/^[\d.]+ dB, SSIM 0\.\d+$/);
      expect(await text(page, 'train-device')).toMatch(/^CPU/);

      const [download] = await Promise.all([page.waitForEvent('download'), page.click('#result-spz')]);
      const saved = await readSplats(await readFile(await download.path()));
      expect(saved.count).toBe(Number((await text(page, 'train-count')).replaceAll(',', '')));
      expect(complaints).toEqual([]);
    },
  );

  it('looks around what it trained, through its cameras too, and views the result', { timeout: 4 * MINUTES }, async () => {
    const { page, complaints } = desk;
    await page.click('#look-around');
    const home = await settled(page);
    await expect.poll(() => page.locator('#frusta path').count()).toBe(36);
    await page.selectOption('#camera', { index: 12 });
    await settledOn(page, (picture) => !picture.equals(home));
    expect(await page.locator('#frusta path.selected title').textContent()).toBe('view 12');
    await page.click('#camera-next');
    await expect.poll(() => page.locator('#frusta path.selected title').textContent()).toBe('view 13');
    await page.click('#result-view');
    await hasText(page, 'fact-format', 'trained here');
    expect(await page.locator('#panel-view').isVisible()).toBe(true);
    expect(complaints).toEqual([]);
  });

  it('reads a folder of photographs with their cameras', { timeout: 4 * MINUTES }, async () => {
    const { page, complaints } = desk;
    const folder = await photographedFolder(48);
    onTestFinished(() => rm(dirname(folder), { recursive: true, force: true }));
    await page.click('#mode-train');
    await page.setInputFiles('#folder', folder);
    await expect.poll(() => text(page, 'source-hint'), { timeout: 2 * MINUTES }).toMatch(/^stalks: 6 photographs, 48 × 48; 1 held out/);
    await training(page, 'ready');
    expect(await page.locator('#view option').allTextContents()).toEqual([
      'images/0.png (held out)',
      ...[1, 2, 3, 4, 5].map((i) => `images/${i}.png`),
    ]);
    await page.selectOption('#steps', '200');
    await page.click('#start');
    await expect.poll(() => stepsDone(page), { timeout: 2 * MINUTES }).toBeGreaterThanOrEqual(5);
    await press(page, 'stop');
    await training(page, 'ended');
    expect(complaints).toEqual([]);
  });

  it('says that a scene moves, and what of it is trained', { timeout: 4 * MINUTES }, async () => {
    const { page, complaints } = desk;
    const folder = await photographedFolder(48, [0, 0, 0, 1, 1, 1]);
    onTestFinished(() => rm(dirname(folder), { recursive: true, force: true }));
    await page.setInputFiles('#folder', folder);
    await expect.poll(() => text(page, 'source-hint'), { timeout: 2 * MINUTES }).toContain('This scene moves, from 0 to 1');
    expect(await text(page, 'source-hint')).toContain(
      'the page trains it as if it stood still, on all 5 photographs, as few are of one moment',
    );
    await training(page, 'ready');
    expect(complaints).toEqual([]);
  });

  it('tells who chooses pictures alone what is missing', { timeout: 2 * MINUTES }, async () => {
    const { page, complaints } = desk;
    const folder = await photographedFolder(16);
    onTestFinished(() => rm(dirname(folder), { recursive: true, force: true }));
    await page.setInputFiles('#folder', join(folder, 'images'));
    await expect
      .poll(() => text(page, 'fault-text'), { timeout: MINUTES })
      .toMatch(/^6 pictures, such as images\/0\.png, but nothing that says from where they were taken: transforms\.json or a COLMAP model/);
    await page.click('#fault-close');
    expect(complaints).toEqual([]);
  });

  it('fits a phone without scrolling sideways', { timeout: 4 * MINUTES }, async () => {
    const { page, complaints } = await demo.open({
      viewport: { width: 360, height: 740 },
      hasTouch: true,
      isMobile: true,
      colorScheme: 'dark',
    });
    await hasText(page, 'fact-name', 'Still life');
    const sideways = (): Promise<number> =>
      page.evaluate(() => Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - innerWidth);
    expect(await sideways()).toBe(0);
    const { width, height } = (await page.locator('#viewport').boundingBox())!;
    expect(width).toBe(360);
    expect(height).toBeGreaterThan(300);
    await page.tap('#mode-train');
    await training(page, 'ready');
    expect(await sideways()).toBe(0);
    const start = (await page.locator('#start').boundingBox())!;
    expect(start.height).toBeGreaterThanOrEqual(36);
    // On the first screen, though what is above it scrolls.
    expect(start.y + start.height).toBeLessThanOrEqual(740);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
