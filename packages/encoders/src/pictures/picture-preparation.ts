import { flattenAlpha, resizeBicubic, type Image } from '@langevin/io';
import { tensor, UserError, type Tensor } from '@langevin/tensor';
import { flag, integer, list, number, oneOf, readFields, showEntry, type Field } from '@langevin/tensor/fields';

const WHERE = 'encoders/pictures';
const MOST_PIXELS = 8192;

/** What CLIP's pictures were trained with. */
const MEAN = [0.48145466, 0.4578275, 0.40821073];
const DEVIATION = [0.26862954, 0.26130258, 0.27577711];
/** PIL's number for it. */
const BICUBIC = 3;

/** What an image encoder is fed with: pictures to pixels. */
export interface PicturePreparation {
  /** Of the pixels that come out. */
  readonly side: number;
  /** Pixels [N, 3, side, side] of pictures of any size. @throws UserError for what is no picture */
  readonly pixels: (pictures: readonly Image[]) => Tensor;
}

const side: Field<number | { readonly shortest_edge?: number; readonly height?: number; readonly width?: number }> = {
  fallback: 224,
  parse: (given) => {
    const whole = (value: unknown): boolean => Number.isInteger(value) && (value as number) > 0 && (value as number) <= MOST_PIXELS;
    if (whole(given)) return { value: given as number };
    const sides = typeof given === 'object' && given !== null ? Object.entries(given) : [];
    if (sides.length > 0 && sides.every(([name, value]) => ['shortest_edge', 'height', 'width'].includes(name) && whole(value)))
      return { value: given as { readonly shortest_edge?: number } };
    return { expected: `a number from 1 to ${MOST_PIXELS}, or { shortest_edge }` };
  },
};

const fields = {
  do_resize: flag(true),
  size: side,
  resample: integer(BICUBIC, { atLeast: BICUBIC, atMost: BICUBIC }),
  do_center_crop: flag(true),
  crop_size: side,
  do_rescale: flag(true),
  rescale_factor: number(1 / 255, { atLeast: 0, atMost: 1 }),
  do_normalize: flag(true),
  image_mean: list(MEAN, number(0, { atLeast: -10, atMost: 10 }), { atLeast: 3, atMost: 3 }),
  image_std: list(DEVIATION, number(1, { atLeast: 1e-6, atMost: 10 }), { atLeast: 3, atMost: 3 }),
  image_processor_type: oneOf('CLIPImageProcessor', ['CLIPImageProcessor', 'CLIPImageProcessorFast', 'CLIPFeatureExtractor']),
};

/**
 * The preparation that a parsed `preprocessor_config.json` describes, as transformers' `CLIPImageProcessor` does it with Pillow: the
 * shorter side to a size, the middle of it, mean and deviation of each channel.
 *
 * @param from the file, for messages
 * @throws UserError naming the entry that is wrong
 */
export function picturePreparation(json: unknown, from = 'preprocessor_config.json'): PicturePreparation {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new UserError(`[${WHERE}] file holds no object: file=${from}, content=${showEntry(json)}. Download it again.`);
  const { values } = readFields(json as Readonly<Record<string, unknown>>, fields, ({ key, value, expected }) => {
    throw new UserError(`[${WHERE}] entry is not valid: file=${from}, ${key}=${showEntry(value)}. Give ${expected}.`);
  });
  const shortest = typeof values.size === 'number' ? values.size : (values.size.shortest_edge ?? values.size.height ?? 224);
  const cropped = typeof values.crop_size === 'number' ? values.crop_size : (values.crop_size.height ?? shortest);
  const out = values.do_center_crop ? cropped : shortest;
  const factor = values.do_rescale ? values.rescale_factor : 1;
  const [mean, deviation] = values.do_normalize
    ? [values.image_mean, values.image_std]
    : [
        [0, 0, 0],
        [1, 1, 1],
      ];
  return Object.freeze({
    side: out,
    pixels: (pictures: readonly Image[]): Tensor => {
      const size = out * out;
      const all = new Float32Array(pictures.length * 3 * size);
      for (const [i, picture] of pictures.entries()) {
        const { data, channels, ...own } = middle(values.do_resize ? withShortest(opaque(picture), shortest) : opaque(picture), out);
        if (own.width !== out || own.height !== out)
          throw new UserError(
            `[${WHERE}] picture is not a square, and is not to be cut: picture=${own.width}x${own.height}. Cut it first.`,
          );
        for (let at = 0; at < size; at++)
          for (let c = 0; c < 3; c++)
            all[(i * 3 + c) * size + at] =
              (Math.fround(data[at * channels + Math.min(c, channels - 1)]! * factor) - mean[c]!) / deviation[c]!;
      }
      return tensor(all, { shape: [pictures.length, 3, out, out] });
    },
  });
}

function opaque(picture: Image): Image {
  return picture.channels === 2 || picture.channels === 4 ? flattenAlpha(picture) : picture;
}

function withShortest(picture: Image, shortest: number): Image {
  const { width, height } = picture;
  const short = Math.min(width, height);
  const long = Math.trunc((shortest * Math.max(width, height)) / short);
  return resizeBicubic(picture, width <= height ? { width: shortest, height: long } : { width: long, height: shortest });
}

/** The middle of a picture; black where it is too small. */
function middle({ width, height, channels, data }: Image, out: number): Image {
  const [left, top] = [Math.floor((width - out) / 2), Math.floor((height - out) / 2)];
  const cut = new Uint8Array(out * out * channels);
  for (let y = Math.max(0, -top); y < Math.min(out, height - top); y++)
    for (let x = Math.max(0, -left); x < Math.min(out, width - left); x++)
      for (let c = 0; c < channels; c++) cut[(y * out + x) * channels + c] = data[((y + top) * width + x + left) * channels + c]!;
  return { width: out, height: out, channels, data: cut };
}
