import { UnsupportedError, UserError } from '@langevin/tensor';
import { importOptional } from './optional-package.ts';
import { readBytes } from './read-json.ts';

/** Numbers of 16 bits, [height, width]: a depth map in units of the one who made it. */
export interface Grey16 {
  readonly width: number;
  readonly height: number;
  readonly data: Uint16Array;
}

const MAX_BYTES = 512 * 1024 * 1024;
const MAX_PIXELS = 2 ** 26;

/**
 * Read a grey PNG of 16 bits as the numbers that it holds.
 * @throws {UserError} when it cannot be read, is damaged or too large; {UnsupportedError} when it is of another kind, or sharp is not
 *   installed
 */
export async function readGrey16(path: string): Promise<Grey16> {
  const label = JSON.stringify(path);
  const bytes = await readBytes(path, { maxBytes: MAX_BYTES });
  // Signature, then the header: depth of 16 bits, colour type grey.
  const isGrey16 = bytes.byteLength > 33 && bytes[0] === 0x89 && bytes[1] === 0x50 && bytes[24] === 16 && bytes[25] === 0;
  if (!isGrey16) throw new UnsupportedError(`[io/images] ${label} is no grey PNG of 16 bits. Save the depth map as one.`);
  const { default: sharp } = await importOptional('sharp', 'images', () => import('sharp'));
  try {
    const image = sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: 'warning' });
    const { data, info } = await image.toColourspace('grey16').raw({ depth: 'ushort' }).toBuffer({ resolveWithObject: true });
    const values = new Uint16Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
    return {
      width: info.width,
      height: info.height,
      data: info.channels === 1 ? values : values.filter((_, i) => i % info.channels === 0),
    };
  } catch (cause) {
    throw new UserError(
      `[io/images] ${label} cannot be read: ${cause instanceof Error ? cause.message.split('\n')[0] : String(cause)}. Save it `
        + `again; at most ${MAX_PIXELS} pixels are read.`,
      { cause },
    );
  }
}
