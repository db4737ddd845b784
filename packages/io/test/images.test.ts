import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Image, Rgb } from '@langevin/io';
import {
  bytesToUnit,
  encodePng,
  flattenAlpha,
  fromImages,
  fromPlanar,
  imageGrid,
  resizeArea,
  toImages,
  toPlanar,
  unitToBytes,
} from '@langevin/io';
import { encodeImage, readImage, resizeImage, writeImage } from '@langevin/io/node';
import { UnsupportedError, UserError } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'langevin-io-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Every pixel different, so that a swapped axis or channel cannot go unseen. */
function pattern(width: number, height: number, channels: Image['channels']): Image {
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 37 + 11) % 256);
  return { width, height, channels, data };
}

function flat(width: number, height: number, colour: readonly number[]): Image {
  const data = Uint8Array.from({ length: width * height * colour.length }, (_, i) => colour[i % colour.length]!);
  return { width, height, channels: colour.length as Image['channels'], data };
}

describe('files', () => {
  test.each(['a.png', 'b.PNG'])('%s keeps every byte', async (name) => {
    const image = pattern(7, 5, 3);
    await writeImage(join(folder, name), image);
    expect(await readImage(join(folder, name))).toEqual(image);
  });

  test('PNG keeps alpha when asked for, and grey', async () => {
    const rgba = pattern(4, 3, 4);
    expect(await readImage(await encodeImage(rgba, { format: 'png' }), { channels: 'rgba' })).toEqual(rgba);
    const grey = pattern(4, 3, 1);
    expect(await readImage(await encodeImage(grey, { format: 'png' }), { channels: 'grey' })).toEqual(grey);
    const asRgb = await readImage(await encodeImage(grey, { format: 'png' }));
    expect([...asRgb.data.subarray(0, 6)]).toEqual([11, 11, 11, 48, 48, 48]);
  });

  test.each(['jpeg', 'webp'] as const)('%s keeps a flat colour to within rounding of its YCbCr form', async (format) => {
    const bytes = await encodeImage(flat(16, 16, [200, 100, 50]), { format, quality: 100 });
    const { data, width, height } = await readImage(bytes);
    expect([width, height]).toEqual([16, 16]);
    // WebP's limited-range YUV has 219 levels for 255: a step is 1.2 in luma and up to 2.4 in blue.
    for (const [i, value] of data.entries()) expect(Math.abs(value - [200, 100, 50][i % 3]!)).toBeLessThanOrEqual(3);
  });

  test('alpha is put on the background', async () => {
    const bytes = await encodeImage(
      { width: 2, height: 1, channels: 4, data: Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 51) },
      { format: 'png' },
    );
    expect([...(await readImage(bytes)).data]).toEqual([255, 255, 255, 255, 204, 204]);
    expect([...(await readImage(bytes, { background: [0, 0, 100] })).data]).toEqual([0, 0, 100, 51, 0, 80]);
  });

  test('the same image gives the same bytes', async () => {
    expect(await encodeImage(pattern(20, 20, 3), { format: 'png' })).toEqual(await encodeImage(pattern(20, 20, 3), { format: 'png' }));
  });

  test('a rewritten file is read anew', async () => {
    const path = join(folder, 'again.png');
    await writeImage(path, flat(2, 2, [1, 2, 3]));
    await readImage(path);
    await writeImage(path, flat(2, 2, [4, 5, 6]));
    expect((await readImage(path)).data[0]).toBe(4);
  });
});

describe('a PNG without sharp', () => {
  test.each([1, 2, 3, 4] as const)('is read as the image it was made of, channels: %i', async (channels) => {
    for (const [width, height] of [
      [1, 1],
      [5, 3],
      [300, 200],
    ] as const) {
      const data = Uint8Array.from({ length: width * height * channels }, (_, i) => (i * i * 7 + (i >> 3)) & 255);
      const bytes = await encodePng({ width, height, channels, data });
      const alpha = channels === 2 || channels === 4;
      const expected = Uint8Array.from({ length: width * height * 4 }, (_, i) => {
        const [pixel, channel] = [i >> 2, i & 3];
        if (channel === 3) return alpha ? data[pixel * channels + channels - 1]! : 255;
        return data[pixel * channels + (channels < 3 ? 0 : channel)]!;
      });
      const { data: read, ...shape } = await readImage(bytes, { channels: 'rgba' });
      expect(shape).toEqual({ width, height, channels: 4 });
      expect(Buffer.from(read).equals(expected)).toBe(true);
    }
  });

  test('is refused of what is no image', async () => {
    await expect(encodePng({ width: 2, height: 1, channels: 3, data: new Uint8Array(5) })).rejects.toThrow(
      '[io/images] encodePng got a malformed image',
    );
  });
});

describe('files that cannot be used', () => {
  test.each(['png', 'jpeg', 'webp'] as const)('a truncated %s', async (format) => {
    const path = join(folder, `cut.${format}`);
    const bytes = await encodeImage(pattern(64, 64, 3), { format });
    await writeFile(path, bytes.subarray(0, Math.floor(bytes.length / 2)));
    const error: unknown = await readImage(path).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(/^\[io\/images\] ".*cut\.\w+" cannot be decoded: .*damaged or truncated/);
  });

  test('more pixels than allowed, before decoding', async () => {
    const bytes = await encodeImage(flat(200, 100, [0, 0, 0]), { format: 'png' });
    await expect(readImage(bytes, { maxPixels: 19_999 })).rejects.toThrow(/too large: 200x100 pixels, maxPixels=19999/);
  });

  test('a PNG that claims 60000 x 60000 pixels', async () => {
    const bytes = (await encodeImage(flat(2, 2, [0, 0, 0]), { format: 'png' })).slice();
    new DataView(bytes.buffer).setUint32(16, 60_000);
    new DataView(bytes.buffer).setUint32(20, 60_000);
    await expect(readImage(bytes)).rejects.toThrow(UserError);
  });

  test('an SVG, which could read other files', async () => {
    const svg = new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>');
    await expect(readImage(svg)).rejects.toThrow(UnsupportedError);
    await expect(readImage(svg)).rejects.toThrow(/not a PNG, JPEG or WebP image/);
  });

  test('a missing file and an empty one', async () => {
    await expect(readImage(join(folder, 'none.png'))).rejects.toThrow(/cannot read ".*none\.png": code=ENOENT/);
    await expect(readImage(new Uint8Array(0))).rejects.toThrow(/not a PNG, JPEG or WebP image/);
  });

  test('an ending that names no format', async () => {
    await expect(writeImage(join(folder, 'x.bmp'), flat(1, 1, [0, 0, 0]))).rejects.toThrow(/End its name in \.png, \.jpg, \.jpeg, \.webp/);
  });

  test('data that is not width * height * channels', async () => {
    await expect(writeImage(join(folder, 'x.png'), { width: 2, height: 2, channels: 3, data: new Uint8Array(11) })).rejects.toThrow(
      /data=11 bytes/,
    );
  });
});

test.each([2, 4] as const)('transparent pixels of %i channels are white in a JPEG, or what is asked for, not black', async (channels) => {
  const hidden: Image = { width: 8, height: 8, channels, data: new Uint8Array(64 * channels) };
  const shown = async (background?: Rgb): Promise<readonly number[]> => {
    const { data } = await readImage(await encodeImage(hidden, { format: 'jpeg', quality: 100, ...(background && { background }) }));
    return [...data.subarray(0, 3)];
  };
  expect(await shown()).toEqual([255, 255, 255]);
  expect(await shown([50, 50, 50])).toEqual([50, 50, 50]);
  await expect(shown([0, 0, 256])).rejects.toThrow('encodeImage got colour=[0, 0, 256]');
});

describe('resizing', () => {
  test('area halves by the mean of each block', () => {
    const image: Image = { width: 4, height: 2, channels: 1, data: Uint8Array.of(0, 4, 10, 30, 8, 12, 50, 70) };
    expect([...resizeArea(image, { width: 2, height: 1 }).data]).toEqual([6, 40]);
  });

  test('area with a fraction weighs by overlap, and keeps the mean', () => {
    const image: Image = { width: 3, height: 1, channels: 1, data: Uint8Array.of(30, 60, 90) };
    // Each new pixel covers 1.5 old ones: (30 + 60/2) / 1.5 = 40, (60/2 + 90) / 1.5 = 80.
    expect([...resizeArea(image, { width: 2, height: 1 }).data]).toEqual([40, 80]);
  });

  test('transparent pixels lend no colour, by area and by the kernels of sharp', async () => {
    const rgba = (pixels: readonly (readonly number[])[]): Image => ({
      width: pixels.length,
      height: 1,
      channels: 4,
      data: Uint8Array.from(pixels.flat()),
    });
    const white = [255, 255, 255, 255];
    const hidden = [0, 0, 0, 0];
    expect([...resizeArea(rgba([white, hidden]), { width: 1, height: 1 }).data]).toEqual([255, 255, 255, 128]);
    // 200 at 3/4 of the alpha and 40 at 1/4 of it: 160.
    expect([
      ...resizeArea(
        rgba([
          [200, 0, 0, 240],
          [40, 0, 0, 80],
        ]),
        { width: 1, height: 1 },
      ).data,
    ]).toEqual([160, 0, 0, 160]);
    expect([
      ...resizeArea(
        rgba([
          [9, 9, 9, 0],
          [7, 7, 7, 0],
        ]),
        { width: 1, height: 1 },
      ).data,
    ]).toEqual(hidden);
    // Grey with alpha, likewise.
    const grey: Image = { width: 2, height: 1, channels: 2, data: Uint8Array.of(200, 240, 40, 80) };
    expect([...resizeArea(grey, { width: 1, height: 1 }).data]).toEqual([160, 160]);
    for (const kernel of ['area', 'linear', 'cubic', 'lanczos3'] as const) {
      const { data } = await resizeImage(rgba([white, hidden, white, hidden]), { width: 2, height: 1, kernel });
      expect(
        [...data].filter((_, i) => i % 4 < 3),
        kernel,
      ).toEqual([255, 255, 255, 255, 255, 255]);
    }
  });

  test.each(['area', 'nearest', 'linear', 'cubic', 'mitchell', 'lanczos2', 'lanczos3'] as const)(
    '%s keeps a flat colour, channels and size',
    async (kernel) => {
      for (const colour of [[7], [7, 255], [10, 200, 30], [10, 200, 30, 255]]) {
        const out = await resizeImage(flat(16, 16, colour), { width: 8, height: 4, kernel });
        expect(out).toEqual(flat(8, 4, colour));
      }
    },
  );

  test.each(['fill', 'cover', 'contain'] as const)('grey with alpha stays so, as the same in RGBA: %s', async (fit) => {
    // The left half is white, the right half a hidden black, which must not show.
    const image: Image = {
      width: 4,
      height: 4,
      channels: 2,
      data: Uint8Array.from({ length: 32 }, (_, i) => ((i >> 1) % 4 < 2 ? 255 : 0)),
    };
    const wide: Image = { ...image, channels: 4, data: Uint8Array.from({ length: 64 }, (_, i) => ((i >> 2) % 4 < 2 ? 255 : 0)) };
    const options = { width: 3, height: 2, fit, kernel: 'linear', background: [40, 40, 40] } as const;
    const [grey, rgba] = [await resizeImage(image, options), await resizeImage(wide, options)];
    expect(grey.channels).toBe(2);
    expect([...grey.data]).toEqual([...rgba.data].filter((_, i) => i % 4 === 0 || i % 4 === 3));
    expect(grey.data[2]).toBeGreaterThanOrEqual(254);
  });

  test('the same size is returned as it is', async () => {
    const image = pattern(3, 3, 3);
    expect(await resizeImage(image, { width: 3, height: 3 })).toBe(image);
  });

  test('contain adds background, cover cuts', async () => {
    const wide = flat(8, 4, [200, 0, 0]);
    const contained = await resizeImage(wide, { width: 4, height: 4, fit: 'contain', kernel: 'nearest', background: [0, 0, 255] });
    expect([...contained.data.subarray(0, 3)]).toEqual([0, 0, 255]);
    const covered = await resizeImage(wide, { width: 4, height: 4, fit: 'cover', kernel: 'nearest' });
    expect(covered).toEqual(flat(4, 4, [200, 0, 0]));
  });

  test('a size that is none is refused', async () => {
    await expect(resizeImage(pattern(2, 2, 3), { width: 0, height: 2 })).rejects.toThrow(/width=0/);
  });
});

describe('conversions', () => {
  test('every byte survives the way to [-1, 1] and back', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const unit = bytesToUnit(bytes);
    expect([unit[0], unit[255]]).toEqual([-1, 1]);
    expect(unitToBytes(unit)).toEqual(bytes);
  });

  test('values outside are clamped, NaN and infinity are not hidden', () => {
    expect([...unitToBytes(Float32Array.of(-5, 5, 0))]).toEqual([0, 255, 128]);
    expect(() => unitToBytes(Float32Array.of(0, NaN))).toThrow(/values\[1\]=NaN/);
    expect(() => unitToBytes(Float32Array.of(Infinity))).toThrow(UserError);
  });

  test('images to a batch [N, C, H, W] and back', () => {
    const images = [pattern(3, 2, 3), pattern(3, 2, 3)];
    images[1]!.data.reverse();
    const batch = fromImages(images);
    expect(batch.shape).toEqual([2, 3, 2, 3]);
    // batch[1, c=2, y=1, x=0]
    expect(batch.data[18 + 2 * 6 + 1 * 3]).toBeCloseTo(images[1]!.data[(1 * 3 + 0) * 3 + 2]! / 127.5 - 1, 6);
    expect(toImages(batch)).toEqual(images);
  });

  test('planar and interleaved', () => {
    const image: Image = { width: 2, height: 1, channels: 3, data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
    expect([...toPlanar(image)]).toEqual([1, 4, 2, 5, 3, 6]);
    expect(fromPlanar(toPlanar(image), [3, 1, 2])).toEqual(image);
  });

  test('images of two sizes make no batch', () => {
    expect(() => fromImages([pattern(2, 2, 3), pattern(3, 2, 3)])).toThrow(/images\[1\] is 3x2x3, images\[0\] is 2x2x3/);
    expect(() => toImages({ data: new Float32Array(5), shape: [1, 3, 1, 2] })).toThrow(/needs 6 values, data has 5/);
  });

  test('grey alpha is flattened on the luma of the background', () => {
    expect([...flattenAlpha({ width: 1, height: 1, channels: 2, data: Uint8Array.of(9, 0) }, [255, 0, 0]).data]).toEqual([76]);
  });
});

describe('grids', () => {
  const red = flat(2, 2, [255, 0, 0]);
  const blue = flat(2, 2, [0, 0, 255]);
  const at = (grid: Image, x: number, y: number): number[] => [
    ...grid.data.subarray((y * grid.width + x) * 3, (y * grid.width + x) * 3 + 3),
  ];

  test('places images row by row between padding', () => {
    const grid = imageGrid([red, blue, blue], { columns: 2, padding: 1, background: [9, 9, 9] });
    expect([grid.width, grid.height]).toEqual([7, 7]);
    expect([at(grid, 0, 0), at(grid, 1, 1), at(grid, 2, 2), at(grid, 3, 1), at(grid, 4, 1), at(grid, 1, 4), at(grid, 4, 4)]).toEqual([
      [9, 9, 9],
      [255, 0, 0],
      [255, 0, 0],
      [9, 9, 9],
      [0, 0, 255],
      [0, 0, 255],
      [9, 9, 9],
    ]);
  });

  test('scale draws each pixel as a block', () => {
    const grid = imageGrid([pattern(2, 1, 3)], { padding: 0, scale: 3 });
    expect([grid.width, grid.height]).toEqual([6, 3]);
    expect(at(grid, 2, 2)).toEqual(at(grid, 0, 0));
    expect(at(grid, 3, 0)).not.toEqual(at(grid, 2, 0));
  });

  test('grey images become RGB, and columns are near a square by default', () => {
    const grid = imageGrid([flat(1, 1, [50]), flat(1, 1, [60]), flat(1, 1, [70])], { padding: 0 });
    expect([grid.width, grid.height, grid.channels]).toEqual([2, 2, 3]);
    expect(at(grid, 1, 0)).toEqual([60, 60, 60]);
  });

  test('labels are drawn in ink that shows: an I has 11 pixels', () => {
    const ink = (background: readonly [number, number, number]): number => {
      const grid = imageGrid([flat(12, 12, [...background])], { labels: ['i'], background });
      return Array.from({ length: grid.width * grid.height }, (_, p) => grid.data[p * 3]!).filter((value) => value !== background[0])
        .length;
    };
    // Three rows of the stem's serifs: 3 + 5 + 3 pixels.
    expect(ink([255, 255, 255])).toBe(11);
    expect(ink([0, 0, 0])).toBe(11);
  });

  test('row labels make room on the left', () => {
    const grid = imageGrid([red, blue], { columns: 1, padding: 2, rowLabels: ['a', 'abc'] });
    expect(grid.width).toBe(2 + 3 * 6 + 2 + 2 + 2);
  });

  test.each([
    ['no image', () => imageGrid([]), /no image given/],
    ['two sizes', () => imageGrid([red, pattern(3, 2, 3)]), /images\[1\] is 3x2, images\[0\] is 2x2/],
    ['too few labels', () => imageGrid([red, red], { labels: ['a'] }), /labels has 1 lines, 2 are needed/],
    ['no columns', () => imageGrid([red], { columns: 0 }), /columns=0/],
    ['a canvas too large', () => imageGrid([red], { scale: 100_000 }), /200004x200004 pixels/],
  ])('%s is refused', (_, make, message) => {
    expect(make).toThrow(message);
  });
});

test('a file written beside a failing read stays whole', async () => {
  const path = join(folder, 'whole.png');
  await writeImage(path, flat(2, 2, [1, 2, 3]));
  const before = await readFile(path);
  await expect(writeImage(path, { width: 1, height: 1, channels: 3, data: new Uint8Array(2) })).rejects.toThrow(UserError);
  expect(await readFile(path)).toEqual(before);
});
