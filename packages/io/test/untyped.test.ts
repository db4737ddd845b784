import { flattenAlpha, fromImages, imageGrid, pictureSource, resizeArea, toImages, toPlanar } from '@langevin/io';
import { encodeImage, resizeImage } from '@langevin/io/node';
import { errorKind } from '@langevin/tensor';
import { describe, expect, it } from 'vitest';

// What code without types passes.
const NOTHING = [[null], [undefined], [{}], [[]], [3], ['x'], [[null]], [{ data: null }]] as const;

const PIXEL = { width: 1, height: 1, channels: 1, data: new Uint8Array(1) } as const;

const FUNCTIONS: Readonly<Record<string, (value: never) => unknown>> = {
  fromImages,
  toImages,
  imageGrid,
  flattenAlpha,
  toPlanar,
  resizeArea: (value) => resizeArea(value, { width: 1, height: 1 }),
  resizeImage: (value) => resizeImage(value, { width: 1, height: 1 }),
  encodeImage: (value) => encodeImage(value, { format: 'png' }),
  pictureSource,
  'pictureSource of': (value) => pictureSource({ name: 'x', pictures: value }),
  'pictureSource with labels': (value) => pictureSource({ name: 'x', pictures: [PIXEL], labels: value ?? null }),
};

describe.each(Object.entries(FUNCTIONS))('%s', (_name, call) => {
  it.each(NOTHING)('refuses what is none of it: %j', async (value) => {
    let error: unknown;
    try {
      await call(value as never);
    } catch (caught) {
      error = caught;
    }
    expect(errorKind(error), String(error)).toBe('user');
  });
});
