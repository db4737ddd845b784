import { readImage } from '@langevin/io/node';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';

const plain = (colour: readonly number[], { width = 8, height = 8 } = {}): Sharp =>
  sharp(Buffer.from(Uint8Array.from({ length: width * height * colour.length }, (_, i) => colour[i % colour.length]!)), {
    raw: { width, height, channels: colour.length as 1 | 3 | 4 },
  });

async function corner(bytes: Uint8Array, options: Parameters<typeof readImage>[1] = {}): Promise<number[]> {
  const { data, channels } = await readImage(bytes, options);
  return [...data.subarray(0, channels)];
}

/** JPEG and colour profiles round: a few of 255. */
function near(found: readonly number[], wanted: readonly number[], most: number): void {
  expect(found).toHaveLength(wanted.length);
  found.forEach((value, i) => expect(Math.abs(value - wanted[i]!)).toBeLessThanOrEqual(most));
}

describe('pictures as a user has them', () => {
  test('EXIF orientation: upright, or as stored', async () => {
    // Red on the left of what is stored; orientation 6 says that it lies on its side, and red belongs to the top.
    const stored = await sharp({ create: { width: 8, height: 16, channels: 3, background: '#00f' } })
      .composite([{ input: { create: { width: 4, height: 16, channels: 3, background: '#f00' } }, left: 0, top: 0 }])
      .withMetadata({ orientation: 6 })
      .png()
      .toBuffer();
    const upright = await readImage(stored);
    expect([upright.width, upright.height]).toEqual([16, 8]);
    expect([...upright.data.subarray(0, 3), ...upright.data.subarray(-3)]).toEqual([255, 0, 0, 0, 0, 255]);
    const as = await readImage(stored, { orientation: 'stored' });
    expect([as.width, as.height]).toEqual([8, 16]);
  });

  test('16 bits: the upper eight, grey and RGB', async () => {
    const grey = await sharp(new Uint16Array(64).fill(0x8040), { raw: { width: 8, height: 8, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toBuffer();
    expect((await sharp(grey).metadata()).depth).toBe('ushort');
    near(await corner(grey), [128, 128, 128], 1);
    const rgb = await plain([255, 128, 0]).toColourspace('rgb16').png().toBuffer();
    expect((await sharp(rgb).metadata()).depth).toBe('ushort');
    near(await corner(rgb), [255, 128, 0], 1);
  });

  test('a palette, with and without transparency', async () => {
    const solid = await plain([10, 200, 30]).png({ palette: true }).toBuffer();
    // The kind of pixels that the header names: 3 is a palette.
    expect(solid[25]).toBe(3);
    expect(await corner(solid)).toEqual([10, 200, 30]);
    const clear = await plain([10, 200, 30, 0]).png({ palette: true }).toBuffer();
    expect(await corner(clear, { background: [1, 2, 3] })).toEqual([1, 2, 3]);
  });

  test('alpha over the background that is named', async () => {
    const half = await plain([255, 0, 0, 128]).png().toBuffer();
    near(await corner(half, { background: [0, 0, 255] }), [128, 0, 127], 1);
    near(await corner(half), [255, 127, 127], 1);
    expect(await corner(half, { channels: 'rgba' })).toEqual([255, 0, 0, 128]);
  });

  test('CMYK', async () => {
    const cmyk = await plain([200, 40, 40]).toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
    expect((await sharp(cmyk).metadata()).space).toBe('cmyk');
    // Through a profile of inks, which lack the strongest reds.
    near(await corner(cmyk), [200, 40, 40], 24);
  });

  test('grey', async () => {
    const grey = await plain([77]).toColourspace('b-w').jpeg({ quality: 100 }).toBuffer();
    expect((await sharp(grey).metadata()).channels).toBe(1);
    near(await corner(grey), [77, 77, 77], 1);
    near(await corner(grey, { channels: 'grey' }), [77], 1);
  });

  test('of an animation, the first frame', async () => {
    const frames = Buffer.concat([9, 250].map((value) => Buffer.alloc(3 * 64, value)));
    const film = await sharp(frames, { raw: { width: 8, height: 16, channels: 3, pageHeight: 8 } })
      .webp({ lossless: true, delay: [100, 100] })
      .toBuffer();
    expect((await sharp(film).metadata()).pages).toBe(2);
    const { width, height, data } = await readImage(film);
    expect([width, height, data[0], data.at(-1)]).toEqual([8, 8, 9, 9]);
  });

  test('colours of a wider profile become those of sRGB', async () => {
    // The red of sRGB, told in the numbers of Display P3: a reader that drops the profile shows something duller.
    const p3 = await plain([255, 0, 0]).png().withIccProfile('p3').toBuffer();
    const { data } = await sharp(p3, { ignoreIcc: true }).raw().toBuffer({ resolveWithObject: true });
    expect([...data.subarray(0, 3)]).not.toEqual([255, 0, 0]);
    near(await corner(p3), [255, 0, 0], 3);
  });
});
