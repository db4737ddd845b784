import { UserError } from '@langevin/tensor';
import type { PointCloud } from '../scene.ts';
import type { LensCamera } from '../lens.ts';
import type { ColmapFiles } from './binary.ts';
import { checkModel, lensCamera, parameterNames, worldToCameraOf, type ColmapImage, type ColmapModel } from './model.ts';

/** Read COLMAP's cameras.txt, images.txt and points3D.txt. @throws as {@link parseColmapBinary} */
export function parseColmapText(files: ColmapFiles<string>): ColmapModel {
  return checkModel(
    { cameras: parseCameras(files.cameras), images: parseImages(files.images), points: parsePoints(files.points) },
    'images.txt',
  );
}

function parseCameras(text: string): ReadonlyMap<number, LensCamera> {
  const cameras = new Map<number, LensCamera>();
  for (const { words, where } of lines(text, 'cameras.txt')) {
    if (words.length === 0) continue;
    const [id, width, height] = numbers([words[0], words[2], words[3]], where);
    const names = parameterNames(words[1] ?? '', 'cameras.txt');
    const values = numbers(words.slice(4), where);
    if (values.length !== names.length)
      throw new UserError(
        `[gaussians/colmap] ${where}: ${words[1]} has ${names.length} parameters (${names.join(', ')}), found ${values.length}. `
          + 'Export the model again.',
      );
    cameras.set(id!, lensCamera({ width: width!, height: height!, names, values }, 'cameras.txt'));
  }
  return cameras;
}

function parseImages(text: string): readonly ColmapImage[] {
  const images: ColmapImage[] = [];
  // Each image has a second line, empty when it saw no point.
  let second = false;
  for (const { words, where } of lines(text, 'images.txt')) {
    if (second) {
      second = false;
      continue;
    }
    if (words.length === 0) continue;
    if (words.length < 10)
      throw new UserError(`[gaussians/colmap] ${where}: an image needs 10 entries, found ${words.length}. Export the model again.`);
    const values = numbers(words.slice(1, 9), where);
    images.push({
      name: words.slice(9).join(' '),
      cameraId: values[7]!,
      worldToCamera: worldToCameraOf(values.slice(0, 4), values.slice(4, 7), where),
    });
    second = true;
  }
  return images;
}

function parsePoints(text: string): PointCloud {
  const rows: number[][] = [];
  for (const { words, where } of lines(text, 'points3D.txt')) {
    if (words.length > 0) rows.push(numbers(words.slice(1, 7), where, 6));
  }
  return {
    count: rows.length,
    positions: Float32Array.from(rows.flatMap((row) => row.slice(0, 3))),
    colors: Uint8Array.from(rows.flatMap((row) => row.slice(3))),
  };
}

function* lines(text: string, file: string): Iterable<{ readonly words: readonly string[]; readonly where: string }> {
  for (const [i, line] of text.split('\n').entries()) {
    if (line.startsWith('#')) continue;
    const words = line
      .trim()
      .split(/\s+/)
      .filter((word) => word !== '');
    yield { words, where: `${file} line ${i + 1}` };
  }
}

function numbers(words: readonly (string | undefined)[], where: string, count = words.length): number[] {
  const values = words.map((word) => (word === undefined ? NaN : Number(word)));
  if (values.length === count && values.every(Number.isFinite)) return values;
  throw new UserError(`[gaussians/colmap] ${where} does not have the numbers it should: "${words.join(' ')}". Export the model again.`);
}
