import type { Image } from '@langevin/io';
import { checkNumber, shownValue, UserError } from '@langevin/tensor';
import { checkGiven, checkImages } from './given.ts';
import type { NetworkArray } from './extractor.ts';
import { resamplePlane, resizeFilters, type ResizeFilter } from './resample.ts';

/** How a network wants its pictures. */
export interface PictureInput {
  readonly width: number;
  readonly height: number;
  /** @default 'rgb' */
  readonly channels?: 'rgb' | 'bgr' | 'grey';
  /** By which filter pictures of other sizes come to this one: it is part of the name of every number. */
  readonly resize: ResizeFilter;
  /** What bytes 0 and 255 become, before `mean` and `std`. @default [-1, 1] */
  readonly range?: readonly [low: number, high: number];
  /** Subtracted, one for each channel. @default zeros */
  readonly mean?: readonly number[];
  /** Divided by, one for each channel. @default ones */
  readonly std?: readonly number[];
  /** @default 'nchw' */
  readonly layout?: 'nchw' | 'nhwc';
}

/** In words, for the name of a number. */
export function describeInput(input: PictureInput): string {
  const { width, height, channels, resize, range, mean, std, layout } = checked(input);
  const normal = mean.some((value) => value !== 0) || std.some((value) => value !== 1);
  return [
    `${width}x${height} ${channels}`,
    `resize ${resize}`,
    `${range[0]} to ${range[1]}`,
    ...(normal ? [`mean ${mean.join(' ')}`, `std ${std.join(' ')}`] : []),
    ...(layout === 'nchw' ? [] : [layout]),
  ].join(', ');
}

/**
 * Pictures as a network takes them.
 *
 * @throws UserError for a picture with alpha, or of another size where `resize` is 'none'
 */
export function preparePictures(pictures: readonly Image[], given: PictureInput): NetworkArray {
  checkImages('metrics/features', 'pictures', pictures);
  const input = checked(given);
  const { width, height, range, mean, std, layout } = input;
  const depth = mean.length;
  const size = width * height;
  const data = new Float32Array(pictures.length * depth * size);
  pictures.forEach((picture, i) => {
    planesOf(picture, input).forEach((plane, c) => {
      const sized = resamplePlane(plane, { from: picture, to: input, filter: input.resize });
      for (let p = 0; p < size; p += 1) {
        const value = (range[0] + (sized[p]! / 255) * (range[1] - range[0]) - mean[c]!) / std[c]!;
        data[layout === 'nchw' ? (i * depth + c) * size + p : (i * size + p) * depth + c] = value;
      }
    });
  });
  return { data, shape: layout === 'nchw' ? [pictures.length, depth, height, width] : [pictures.length, height, width, depth] };
}

function checked(input: PictureInput): Required<PictureInput> {
  checkGiven('metrics/features', 'an object', { input });
  const { width, height, channels = 'rgb', resize, range = [-1, 1], layout = 'nchw' } = input;
  const depth = channels === 'grey' ? 1 : 3;
  const { mean = new Array<number>(depth).fill(0), std = new Array<number>(depth).fill(1) } = input;
  checkNumber('metrics/features', { width, height }, { atLeast: 1, atMost: 4096, kind: 'integer' });
  checkGiven('metrics/features', 'a list', { range, mean, std });
  const wrong = (what: string, remedy: string): never => {
    throw new UserError(`[metrics/features] input of the network is not described well: ${what}. ${remedy}`);
  };
  if (!['rgb', 'bgr', 'grey'].includes(channels)) wrong(`channels=${shownValue(channels)}`, 'Known: rgb, bgr, grey.');
  if (!['nchw', 'nhwc'].includes(layout)) wrong(`layout=${shownValue(layout)}`, 'Known: nchw, nhwc.');
  if (!resizeFilters.includes(resize)) wrong(`resize=${shownValue(resize)}`, `Known: ${resizeFilters.join(', ')}.`);
  if (range.length !== 2 || !range.every(Number.isFinite) || range[0] === range[1])
    wrong(`range=[${range.map(shownValue).join(', ')}]`, 'Give two different numbers, such as [-1, 1].');
  if (mean.length !== depth || !mean.every(Number.isFinite)) wrong(`mean=[${mean.map(shownValue).join(', ')}]`, `Give ${depth} numbers.`);
  if (std.length !== depth || !std.every((value) => Number.isFinite(value) && value > 0))
    wrong(`std=[${std.map(shownValue).join(', ')}]`, `Give ${depth} numbers above 0.`);
  return { width, height, channels, resize, range, layout, mean, std };
}

/** The channels that are wanted, as planes of 0..255; grey is Rec. 601 luma, as in @langevin/io. */
function planesOf({ width, height, channels, data }: Image, { channels: wanted }: Required<PictureInput>): readonly Float64Array[] {
  if (channels === 2 || channels === 4)
    throw new UserError(
      `[metrics/features] picture has alpha: channels=${channels}. Put it on a background first, with flattenAlpha() of @langevin/io.`,
    );
  const size = width * height;
  const plane = (value: (p: number) => number): Float64Array => Float64Array.from({ length: size }, (_, p) => value(p));
  const channel = (c: number): Float64Array => plane((p) => data[p * channels + (channels === 1 ? 0 : c)]!);
  switch (wanted) {
    case 'rgb':
      return [channel(0), channel(1), channel(2)];
    case 'bgr':
      return [channel(2), channel(1), channel(0)];
    case 'grey':
      return channels === 1
        ? [channel(0)]
        : [plane((p) => Math.round(0.299 * data[3 * p]! + 0.587 * data[3 * p + 1]! + 0.114 * data[3 * p + 2]!))];
  }
}
