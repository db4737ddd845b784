import { UserError } from '@langevin/tensor';
import type { SourcePoints } from '../source.ts';
import { cameraRecord, modelOf, type CameraRecord, type ColmapFiles, type ColmapModel, type ImageRecord } from './model.ts';

/** Read COLMAP's cameras.txt, images.txt and points3D.txt. @throws as {@link parseColmapBinary} */
export function parseColmapText(files: ColmapFiles<string>): ColmapModel {
  const { cameras, images, points = '' } = files;
  return modelOf({ cameras: parseCameras(cameras), images: parseImages(images), points: parsePoints(points) }, 'images.txt');
}

function parseCameras(text: string): ReadonlyMap<number, CameraRecord> {
  const cameras = new Map<number, CameraRecord>();
  for (const { line, where } of lines(text, 'cameras.txt')) {
    const words = wordsOf(line);
    if (words.length === 0) continue;
    const [id = NaN, width = NaN, height = NaN, ...values] = [words[0], words[2], words[3], ...words.slice(4)].map(toNumber);
    if (!Number.isSafeInteger(id) || words.length < 4) throw wrongNumbers(line, where);
    cameras.set(id, cameraRecord({ width, height, model: words[1]!, values }, where));
  }
  return cameras;
}

/**
 * Each image has a second line, with the points it saw; empty when it saw none. Some programs leave those lines out, so a line counts as
 * one of points only if it is one: triples of numbers.
 */
function parseImages(text: string): readonly ImageRecord[] {
  const images: ImageRecord[] = [];
  let after: 'image' | 'points' = 'points';
  for (const { line, where } of lines(text, 'images.txt')) {
    if (after === 'image' && isPoints(line)) {
      after = 'points';
      continue;
    }
    if (line === '') continue;
    // Blanks within a name belong to it.
    const [, head = '', name = ''] = /^((?:\S+\s+){9})(.*)$/.exec(line) ?? [];
    if (name === '')
      throw new UserError(`[gaussians/colmap] ${where}: an image needs 10 entries, found ${wordsOf(line).length}. Export the model again.`);
    const words = wordsOf(head);
    const values = words.map(toNumber);
    if (!Number.isSafeInteger(values[8]) || !words.slice(1, 8).every(isNumeric)) throw wrongNumbers(line, where);
    images.push({ name, cameraId: values[8]!, rotation: values.slice(1, 5), translation: values.slice(5, 8) });
    after = 'image';
  }
  return images;
}

function isPoints(line: string): boolean {
  const words = wordsOf(line);
  return words.length % 3 === 0 && words.every(isNumeric);
}

function parsePoints(text: string): SourcePoints {
  const positions: number[] = [];
  const colors: number[] = [];
  for (const { line, where } of lines(text, 'points3D.txt')) {
    if (line === '') continue;
    const values = wordsOf(line).slice(1, 7).map(toNumber);
    const bytes = values.slice(3);
    if (values.length !== 6 || !values.every(Number.isFinite) || bytes.some((value) => value < 0 || value > 255))
      throw wrongNumbers(line, where);
    for (let i = 0; i < 3; i++) {
      positions.push(values[i]!);
      colors.push(bytes[i]!);
    }
  }
  return { count: positions.length / 3, positions: Float64Array.from(positions), colors: Uint8Array.from(colors) };
}

/** Lines without blanks at their ends; those of comments are left out. */
function* lines(text: string, file: string): Iterable<{ readonly line: string; readonly where: string }> {
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (!line.startsWith('#')) yield { line, where: `${file} line ${i + 1}` };
  }
}

function wordsOf(line: string): readonly string[] {
  return line === '' ? [] : line.trim().split(/\s+/);
}

/** NaN for what is none. */
function toNumber(word: string | undefined): number {
  return word === undefined ? NaN : Number(word);
}

/** A number, or what C++ writes where there is none: `nan`, `-inf`. */
function isNumeric(word: string): boolean {
  return !Number.isNaN(Number(word)) || /^[+-]?(nan|inf)(\(.*\))?$/i.test(word);
}

function wrongNumbers(line: string, where: string): UserError {
  const shown = line.length > 100 ? `${line.slice(0, 100)}...` : line;
  return new UserError(`[gaussians/colmap] ${where} does not have the numbers it should: "${shown}". Export the model again.`);
}
