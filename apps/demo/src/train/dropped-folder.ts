import type { PictureOptions, SceneFolder } from '@langevin/gaussians';
import { withoutExif, type Image } from '@langevin/io';
import { UserError } from '@langevin/tensor';
import type { PathFile } from '../files/dropped.ts';

/** More than 8192 x 8192: the canvas that decodes it would not be there. */
const MOST_PIXELS = 2 ** 26;

/** Files of a page as the folder of a scene; photographs are decoded by the browser. */
export function droppedFolder(name: string, files: readonly PathFile[]): SceneFolder {
  const byPath = new Map(files.map(({ path, file }) => [path, file]));
  const file = (path: string): File => {
    const found = byPath.get(path);
    if (found === undefined)
      throw new UserError(`[demo/scene] file is not there: path=${path}. Choose the folder that has the photographs as well.`);
    return found;
  };
  return {
    name,
    has: async (path) => byPath.has(path),
    bytes: async (path, { maxBytes }) => {
      const found = file(path);
      if (found.size > maxBytes)
        throw new UserError(
          `[demo/scene] file is too large: path=${path}, size=${found.size} bytes, limit=${maxBytes}. Check that it is the right one.`,
        );
      return new Uint8Array(await found.arrayBuffer());
    },
    image: (path, options) => decode(file(path), path, options),
    label: (path) => (path === '' ? name : `${name}/${path}`),
    names: async () => [...new Set([...byPath.keys()].map((path) => path.split('/')[0]!))],
  };
}

async function decode(file: File, path: string, { channels, orientation }: PictureOptions): Promise<Image> {
  // Browsers turn pictures by their EXIF tag, whatever is asked; poses are of the pixels as they are stored.
  const source =
    orientation === 'upright' ? file : new Blob([withoutExif(new Uint8Array(await file.arrayBuffer())) as Uint8Array<ArrayBuffer>]);
  const bitmap = await createImageBitmap(source, { premultiplyAlpha: 'none' }).catch((cause: unknown) => {
    throw new UserError(
      `[demo/scene] image cannot be decoded: path=${path}, ${file.size} bytes. It is damaged, or of a format that this browser `
        + 'does not know.',
      { cause },
    );
  });
  const { width, height } = bitmap;
  try {
    if (width * height > MOST_PIXELS)
      throw new UserError(`[demo/scene] image is too large: path=${path}, ${width}x${height}. Shrink the photographs first.`);
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    if (context === null)
      throw new UserError(`[demo/scene] no memory to decode: path=${path}, ${width}x${height}. Shrink the photographs first.`);
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    const rgba = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    if (channels === 'rgba') return { width, height, channels: 4, data: rgba };
    const grey = Uint8Array.from({ length: width * height }, (_, i) =>
      Math.round(0.299 * rgba[4 * i]! + 0.587 * rgba[4 * i + 1]! + 0.114 * rgba[4 * i + 2]!),
    );
    return { width, height, channels: 1, data: grey };
  } finally {
    bitmap.close();
  }
}
