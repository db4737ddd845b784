import { withoutExif } from '@langevin/io';
import { readImage } from '@langevin/io/node';
import sharp from 'sharp';
import { expect, test } from 'vitest';

/** Three columns of grey in two rows, with a tag that says a quarter turn. */
const tagged = async (kind: 'jpeg' | 'png' | 'webp'): Promise<Uint8Array> => {
  const data = Uint8Array.from({ length: 18 }, (_, i) => 80 * (Math.floor(i / 3) % 3));
  const image = sharp(data, { raw: { width: 3, height: 2, channels: 3 } }).withMetadata({ orientation: 6 });
  return new Uint8Array(await (kind === 'jpeg' ? image.jpeg() : kind === 'png' ? image.png() : image.webp({ lossless: true })).toBuffer());
};

test.each(['jpeg', 'png', 'webp'] as const)('a %s is not turned any more, and its pixels are those that are stored', async (kind) => {
  const bytes = await tagged(kind);
  expect(await readImage(bytes)).toMatchObject({ width: 2, height: 3 });
  const stored = await readImage(bytes, { orientation: 'stored' });
  expect(stored).toMatchObject({ width: 3, height: 2 });
  const without = withoutExif(bytes);
  expect(without.length).toBeLessThan(bytes.length);
  expect(await readImage(without)).toEqual(stored);
  // There is nothing left to take out.
  expect(withoutExif(without)).toBe(without);
});

test('files that are cut anywhere, or of another kind, are left to the decoder', async () => {
  for (const kind of ['jpeg', 'png', 'webp'] as const) {
    const bytes = await tagged(kind);
    for (let length = 0; length < bytes.length; length++) expect(withoutExif(bytes.subarray(0, length)).length).toBeLessThanOrEqual(length);
  }
  const text = new TextEncoder().encode('EXIF eXIf Exif');
  expect(withoutExif(text)).toBe(text);
});
