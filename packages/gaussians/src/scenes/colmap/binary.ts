import { ByteReader } from '../byte-reader.ts';
import type { SourcePoints } from '../source.ts';
import { cameraRecord, modelNumbered, modelOf, type CameraRecord, type ColmapFiles, type ColmapModel, type ImageRecord } from './model.ts';

const MAX_NAME_BYTES = 4096;

/**
 * Read COLMAP's cameras.bin, images.bin and points3D.bin.
 *
 * @throws UserError when a file is truncated or contradicts itself; UnsupportedError for camera models that are not read
 */
export function parseColmapBinary(files: ColmapFiles<Uint8Array>): ColmapModel {
  const { cameras, images, points } = files;
  return modelOf({ cameras: parseCameras(cameras), images: parseImages(images), points: parsePoints(points) }, 'images.bin');
}

/** How many images a model has, of the first bytes of images.bin. */
export function countImages(bytes: Uint8Array): number {
  return new ByteReader(bytes, 'images.bin').u64('number of images');
}

function parseCameras(bytes: Uint8Array): ReadonlyMap<number, CameraRecord> {
  const reader = new ByteReader(bytes, 'cameras.bin');
  const cameras = new Map<number, CameraRecord>();
  for (let left = reader.count('number of cameras', 4 + 4 + 8 + 8 + 3 * 8); left > 0; left--) {
    const id = reader.u32();
    const { name, parameters } = modelNumbered(reader.i32(), 'cameras.bin');
    const width = reader.u64('width');
    const height = reader.u64('height');
    cameras.set(id, cameraRecord({ width, height, model: name, values: reader.f64s(parameters) }, 'cameras.bin'));
  }
  reader.end();
  return cameras;
}

function parseImages(bytes: Uint8Array): readonly ImageRecord[] {
  const reader = new ByteReader(bytes, 'images.bin');
  const images: ImageRecord[] = [];
  for (let left = reader.count('number of images', 4 + 7 * 8 + 4 + 1 + 8); left > 0; left--) {
    reader.skip(4);
    const rotation = reader.f64s(4);
    const translation = reader.f64s(3);
    const cameraId = reader.u32();
    const name = reader.text('name of an image', MAX_NAME_BYTES);
    images.push({ name, cameraId, rotation, translation });
    // Where points were seen: not needed here.
    reader.skip(24 * reader.count('number of image points', 24));
  }
  reader.end();
  return images;
}

function parsePoints(bytes: Uint8Array | undefined): SourcePoints {
  if (bytes === undefined) return { count: 0, positions: new Float64Array(0), colors: new Uint8Array(0) };
  const reader = new ByteReader(bytes, 'points3D.bin');
  const count = reader.count('number of points', 8 + 3 * 8 + 3 + 8 + 8);
  const positions = new Float64Array(3 * count);
  const colors = new Uint8Array(3 * count);
  for (let i = 0; i < count; i++) {
    reader.skip(8);
    for (let axis = 0; axis < 3; axis++) positions[3 * i + axis] = reader.f64();
    for (let channel = 0; channel < 3; channel++) colors[3 * i + channel] = reader.u8();
    reader.skip(8);
    reader.skip(8 * reader.count('length of a track', 8));
  }
  reader.end();
  if (!positions.every(Number.isFinite)) throw reader.error('a point is not finite');
  return { count, positions, colors };
}
