import type { SplatCloud } from '../splats/cloud.ts';
import type { SplatAsset4d } from '../splats/asset-4d.ts';
import { encodeSplats4d, encodeSplatScene4d } from '../splats/formats/container-4d.ts';
import type { SplatScene4d } from '../splats/placement-4d.ts';
import type { ReadSplatsOptions } from '../splats/options.ts';
import {
  detectSplatFormat,
  encodeSplats,
  readSplats,
  readSplats4d,
  readSplatScene4d,
  splatFormatForName,
  type WriteSplatsOptions,
} from '../splats/registry.ts';
import { fileSource } from './file-source.ts';
import { writeFileAtomic } from './write-file-atomic.ts';

/** Read Gaussians from a file, in pieces; the format is recognised by the content. @throws {UserError} as `readSplats` does */
export async function readSplatFile(path: string, options: ReadSplatsOptions = {}): Promise<SplatCloud> {
  const source = await fileSource(path);
  try {
    return await readSplats(source, options);
  } finally {
    await source.close();
  }
}

/**
 * Write Gaussians to a file, whole or not at all. The format follows from the end of the name unless it is given.
 *
 * @throws {UserError} when the name fits no format, the format cannot hold the cloud, or the disk fails
 */
export async function writeSplatFile(path: string, cloud: SplatCloud, options: Partial<WriteSplatsOptions> = {}): Promise<void> {
  const format = options.format ?? splatFormatForName(path, { ...(options.formats && { formats: options.formats }), use: 'write' }).name;
  await writeFileAtomic(path, encodeSplats(cloud, { ...options, format }));
}

/** Read a moving asset with its weights. @throws {UserError} when the file is not a 4D container, or damaged */
export async function readSplats4dFile(path: string): Promise<SplatAsset4d> {
  const source = await fileSource(path);
  try {
    return await readSplats4d(source);
  } finally {
    await source.close();
  }
}

/** Write a moving asset to a file, whole or not at all. */
export async function writeSplats4dFile(path: string, asset: SplatAsset4d): Promise<void> {
  await writeFileAtomic(path, encodeSplats4d(asset));
}

/**
 * Read several assets with their places and times; a file of one asset is a scene of it alone.
 * @throws {UserError} when the file is no 4D container, or damaged
 */
export async function readSplatScene4dFile(path: string, options: Omit<ReadSplatsOptions, 'format'> = {}): Promise<SplatScene4d> {
  const source = await fileSource(path);
  try {
    return await readSplatScene4d(source, options);
  } finally {
    await source.close();
  }
}

/** Write several assets to a file, whole or not at all. */
export async function writeSplatScene4dFile(path: string, scene: SplatScene4d): Promise<void> {
  await writeFileAtomic(path, encodeSplatScene4d(scene));
}

/** The name of the format of a file, by its content. @throws {UserError} when none fits */
export async function splatFormatOfFile(path: string): Promise<string> {
  const source = await fileSource(path);
  try {
    return (await detectSplatFormat(source)).name;
  } finally {
    await source.close();
  }
}
