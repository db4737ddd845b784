import { join } from 'node:path';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import type { Image } from '@langevin/io';
import { readGolden, resultOf, writeTiny } from '@langevin/pipelines/testing';
import { setDefaultEngine } from '@langevin/tensor';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { maskLight } from '../../src/generate/mask-light.ts';
import { openModel } from '../../src/generate/open-model.ts';
import type { OpenProduct } from '../../src/generate/product.ts';
import { GOLDEN, scratch } from '../checkpoint/scratch.ts';

const SIDE = 16;
let model: OpenProduct;

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

const picture: Image = {
  width: SIDE,
  height: SIDE,
  channels: 3,
  data: Uint8Array.from({ length: 3 * SIDE * SIDE }, (_, i) => (37 * i) % 256),
};
/** A mask by a rule for the values of each pixel. */
function maskOf(values: (x: number, y: number) => readonly number[]): Image {
  const all = Array.from({ length: SIDE * SIDE }, (_, i) => values(i % SIDE, Math.floor(i / SIDE)));
  return { width: SIDE, height: SIDE, channels: all[0]!.length as Image['channels'], data: Uint8Array.from(all.flat()) };
}
const left = (x: number): boolean => x < 8;

async function made(mask: Image, more: object = {}): Promise<Uint8Array> {
  return (await resultOf({ model, prompt: 'a cat', steps: 2, image: picture, mask, ...more })).images[0]!.data;
}

it.each(['stable-diffusion', 'inpainting'])('%s: what is outside of a mask is kept to the last bit', async (name) => {
  model = await openModel(await writeTiny(join(await scratch(), 'model'), await readGolden(GOLDEN, name)));
  const none = await made(maskOf(() => [0]));
  expect(none).toEqual(picture.data);
  const all = await made(maskOf(() => [255]));
  expect(all).toEqual(
    await made(
      maskOf(() => [255]),
      { outside: 'decoded' },
    ),
  );
  const half = await made(maskOf((x) => [left(x) ? 255 : 0]));
  const decoded = await made(
    maskOf((x) => [left(x) ? 255 : 0]),
    { outside: 'decoded' },
  );
  const one = await made(maskOf((x, y) => [x === 8 && y === 8 ? 255 : 0]));
  const soft = await made(maskOf((x) => [left(x) ? 255 : x < 12 ? 64 : 0]));
  let changed = 0;
  for (let i = 0; i < half.length; i++) {
    const pixel = Math.floor(i / 3);
    const [x, y] = [pixel % SIDE, Math.floor(pixel / SIDE)];
    expect(half[i]).toBe(left(x) ? decoded[i] : picture.data[i]);
    if (half[i] !== picture.data[i]) changed++;
    if (x !== 8 || y !== 8) expect(one[i]).toBe(picture.data[i]);
    if (x >= 12) expect(soft[i]).toBe(picture.data[i]);
    // A quarter of the way from the picture to what was made.
    else if (x >= 8) expect(Math.abs(soft[i]! - picture.data[i]!)).toBeLessThanOrEqual(64);
  }
  expect(changed).toBeGreaterThan(100);
  await model.dispose();
});

it('what is transparent in a mask is not white, whatever colour is under it', () => {
  for (const [hidden, painted] of [
    [
      [255, 255, 255, 0],
      [255, 255, 255, 255],
    ],
    [
      [255, 0],
      [255, 255],
    ],
  ] as const) {
    const light = maskLight(maskOf((x) => (left(x) ? painted : hidden)));
    expect(Array.from(light)).toEqual(Array.from(maskLight(maskOf((x) => [left(x) ? 255 : 0]))));
  }
  expect(maskLight(maskOf(() => [255, 0, 0]))[0]).toBe(76);
  expect(maskLight(maskOf(() => [200, 200, 200, 128]))[0]).toBe(100);
});
