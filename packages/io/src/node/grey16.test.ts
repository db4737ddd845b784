import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, it, onTestFinished } from 'vitest';
import { readGrey16 } from './grey16.ts';

it('reads the numbers of a grey PNG of 16 bits, and refuses others', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'langevin-grey16-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const data = Uint16Array.of(0, 1, 256, 1000, 40_000, 65_535);
  const path = join(folder, 'd.png');
  await sharp(data, { raw: { width: 3, height: 2, channels: 1 } })
    .toColourspace('grey16')
    .png()
    .toFile(path);
  expect(await readGrey16(path)).toEqual({ width: 3, height: 2, data });
  await sharp(new Uint8Array(6), { raw: { width: 3, height: 2, channels: 1 } })
    .png()
    .toFile(join(folder, '8.png'));
  await expect(readGrey16(join(folder, '8.png'))).rejects.toThrow('is no grey PNG of 16 bits. Save the depth map as one.');
  const bytes = await sharp(path).toColourspace('grey16').png().toBuffer();
  await writeFile(path, bytes.subarray(0, bytes.length - 20));
  await expect(readGrey16(path)).rejects.toThrow(/\[io\/images\] .*d\.png" (cannot be read|is no grey PNG)/);
});
