import { UserError } from '@langevin/tensor';
import * as v from 'valibot';
import { hash32, hashBelow, wordsOf } from '../sources/hash.ts';
import type { Image } from '../images/image.ts';
import { loadMnist, MNIST_LICENCE, mnistParts } from '../node/data/mnist-parts.ts';
import { idxContent, type IdxPictures } from '../node/data/read-idx.ts';
import { folderSchema } from '../node/data/picture-options.ts';
import { defineDataSource, type ClipItem } from '../sources/data-source.ts';
import { defineData, type DataPlugin } from '../sources/define-data.ts';

export interface MovingMnistOptions {
  /** Whose digits move: clips of `test` show none that clips of `train` show. @default 'train' */
  readonly split?: 'train' | 'test';
  /** Clips. @default 10000, as published */
  readonly count?: number;
  /** Digits of a clip. @default 2 */
  readonly digits?: number;
  /** Frames of a clip. @default 20 */
  readonly frames?: number;
  /** Width and height. @default 64 */
  readonly size?: number;
  /** Steps are this share of the way that a digit has. @default 0.1, as published */
  readonly speed?: number;
  /** Decides which digits, where and whither. @default 0 */
  readonly seed?: number;
  /** Where the files of MNIST lie. @default they are fetched */
  readonly folder?: string;
}

const options = v.strictObject({
  split: v.optional(v.picklist(['train', 'test']), 'train'),
  count: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1e6)), 10_000),
  digits: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(8)), 2),
  frames: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1024)), 20),
  size: v.optional(v.pipe(v.number(), v.integer(), v.minValue(8), v.maxValue(1024)), 64),
  speed: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1)), 0.1),
  seed: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0)), 0),
  folder: v.optional(folderSchema),
});

/** What the films are shown at; the digits know no seconds. */
const FRAMES_PER_SECOND = 10;
const [WHICH, PLACE, DIRECTION] = [21, 22, 23];

export const movingMnistData: DataPlugin<MovingMnistOptions, ClipItem> = defineData({
  name: 'moving-mnist',
  summary: 'Clips of handwritten digits that move and bounce, made from MNIST, with captions and paths.',
  licences: [MNIST_LICENCE, { name: 'MIT', attribution: 'Moving MNIST after Srivastava, Mansimov and Salakhutdinov (arXiv:1502.04681)' }],
  options,
  parts: mnistParts,
  open: async (chosen, context) => {
    const { split, count, frames, size, speed } = chosen;
    const pictures = await loadMnist(chosen, context);
    const [, height, width] = pictures.shape;
    if (size < Math.max(width, height))
      throw new UserError(`[io/data] digits do not fit: size=${size}, digits are ${width}x${height}. Make size at least that.`);
    const clips = Array.from({ length: count }, (_, i) => actorsOf(i, chosen, pictures));
    const notes = clips.map((actors, i) => {
      const digits = actors.map(({ item }) => String(pictures.labels![item]!));
      return {
        caption: `${digits.length === 1 ? 'the digit' : 'the digits'} ${listed(digits)}, handwritten, moving`,
        name: `clip ${i}`,
        group: `clip ${i}`,
        attributes: {
          digits: digits.join(','),
          items: actors.map(({ item }) => item).join(','),
          paths: JSON.stringify(actors.map(pathStart)),
        },
      };
    });
    return defineDataSource<ClipItem>({
      name: `moving-mnist (${split})`,
      kind: 'clip',
      notes,
      contentOf: (i) =>
        JSON.stringify([frames, size, clips[i]!.map(({ item, places }) => [idxContent(pictures, item), places.slice(0, 2), speed])]),
      load: (i) => ({
        frames: Array.from({ length: frames }, (_, k) => frameAt(k, { actors: clips[i]!, pictures, size })),
        framesPerSecond: FRAMES_PER_SECOND,
      }),
    });
  },
});

/** A digit with its place in each frame, as shares 0..1 of the way that it has. */
interface Actor {
  readonly item: number;
  readonly places: readonly (readonly [x: number, y: number])[];
}

function pathStart({ places }: Actor): readonly (readonly [number, number])[] {
  return places.slice(0, 2).map(([x, y]) => [Number(x.toFixed(4)), Number(y.toFixed(4))] as const);
}

function actorsOf(
  clip: number,
  { digits, frames, speed, seed }: Pick<v.InferOutput<typeof options>, 'digits' | 'frames' | 'speed' | 'seed'>,
  { count }: IdxPictures,
): readonly Actor[] {
  return Array.from({ length: digits }, (_, d) => {
    const words = [...wordsOf(seed), clip, d];
    const uniform = (use: number, k: number): number => (hash32(use, ...words, k) + 0.5) / 2 ** 32;
    const item = hashBelow(count, WHICH, ...words);
    const angle = 2 * Math.PI * uniform(DIRECTION, 0);
    let [x, y, vx, vy] = [uniform(PLACE, 0), uniform(PLACE, 1), speed * Math.cos(angle), speed * Math.sin(angle)];
    const places = Array.from({ length: frames }, () => {
      const here = [x, y] as const;
      [x, vx] = bounced(x + vx, vx);
      [y, vy] = bounced(y + vy, vy);
      return here;
    });
    return { item, places };
  });
}

/** At an edge the digit stops for a step and turns, as in the published generator. */
function bounced(place: number, velocity: number): [number, number] {
  if (place <= 0) return [0, -velocity];
  return place >= 1 ? [1, -velocity] : [place, velocity];
}

/** Where digits cross, the brighter one is seen. */
function frameAt(
  k: number,
  { actors, pictures, size }: { readonly actors: readonly Actor[]; readonly pictures: IdxPictures; readonly size: number },
): Image {
  const [, height, width] = pictures.shape;
  const data = new Uint8Array(size * size);
  for (const { item, places } of actors) {
    // Of one channel, so that planes and pixels are the same.
    const image = pictures.data.subarray(item * height * width, (item + 1) * height * width);
    const left = Math.round((size - width) * places[k]![0]);
    const top = Math.round((size - height) * places[k]![1]);
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        const at = (top + y) * size + left + x;
        data[at] = Math.max(data[at]!, image[y * width + x]!);
      }
    }
  }
  return { width: size, height: size, channels: 1, data };
}

function listed(words: readonly string[]): string {
  return words.length === 1 ? words[0]! : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
