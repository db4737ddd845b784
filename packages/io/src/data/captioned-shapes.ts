import * as v from 'valibot';
import { hash32, hashBelow, wordsOf } from '../sources/hash.ts';
import type { Rgb } from '../images/image.ts';
import { drawShapes, SHAPES, type PlacedShape, type ShapeName } from '../node/data/draw-shapes.ts';
import { drawingEntries } from '../node/data/picture-options.ts';
import { defineDataSource, type ItemNotes, type PictureItem } from '../sources/data-source.ts';
import { defineData, type DataPlugin } from '../sources/define-data.ts';

export interface CaptionedShapesOptions {
  /** Pictures. @default 1000 */
  readonly count?: number;
  /** Width and height. @default 64 */
  readonly size?: number;
  /** The most shapes in a picture: 1, or 2 with a relation between them. @default 2 */
  readonly most?: 1 | 2;
  /** Decides everything. @default 0 */
  readonly seed?: number;
  /** @default white */
  readonly background?: string | readonly [red: number, green: number, blue: number];
}

const COLOURS = {
  red: [220, 40, 40],
  green: [50, 160, 70],
  blue: [50, 90, 220],
  yellow: [240, 200, 40],
  purple: [140, 70, 180],
  orange: [240, 130, 30],
} as const satisfies Readonly<Record<string, Rgb>>;
const COLOUR_NAMES = Object.keys(COLOURS) as (keyof typeof COLOURS)[];
/** Radii in shares of the side; far enough from each other to be told apart. */
const SIZES = { small: [0.11, 0.14], large: [0.2, 0.24] } as const;
const SIZE_NAMES = ['small', 'large'] as const;

const options = v.strictObject({
  ...drawingEntries,
  count: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1e6)), 1000),
  most: v.optional(v.picklist([1, 2]), 2),
  seed: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0)), 0),
});

export const captionedShapesData: DataPlugin<CaptionedShapesOptions, PictureItem> = defineData({
  name: 'captioned-shapes',
  summary: 'Coloured shapes with captions and the truth about each, drawn as they are asked for: nothing is fetched.',
  licences: [{ name: 'CC0-1.0', attribution: 'Drawn by Langevin; nobody has to be named' }],
  options,
  open: ({ count, size, most, seed, background }) => {
    const scenes = Array.from({ length: count }, (_, i) => sceneOf(i, { most, seed }));
    return defineDataSource<PictureItem>({
      name: 'captioned-shapes',
      kind: 'picture',
      notes: scenes.map(notesOf),
      contentOf: (i) => JSON.stringify([scenes[i], size, background]),
      load: (i) => ({
        image: drawShapes(
          scenes[i]!.map(({ placed }) => placed),
          { size, background },
        ),
      }),
    });
  },
});

interface SceneShape {
  readonly shape: ShapeName;
  readonly colour: keyof typeof COLOURS;
  readonly size: keyof typeof SIZES;
  readonly placed: PlacedShape;
}

const [COUNT, SHAPE, COLOUR, SIZE, RADIUS, TURN, SIDE, PLACE] = [31, 32, 33, 34, 35, 36, 37, 38];
const RELATIONS = ['left of', 'right of', 'above', 'below'] as const;

function sceneOf(i: number, { most, seed }: { readonly most: 1 | 2; readonly seed: number }): readonly SceneShape[] {
  const words = [...wordsOf(seed), ...wordsOf(i)];
  const uniform = (use: number, k: number): number => (hash32(use, ...words, k) + 0.5) / 2 ** 32;
  const length = 1 + hashBelow(most, COUNT, ...words);
  const relation = RELATIONS[hashBelow(RELATIONS.length, SIDE, ...words)]!;
  return Array.from({ length }, (_, k) => {
    const shape = SHAPES[hashBelow(SHAPES.length, SHAPE, ...words, k)]!;
    const colour = COLOUR_NAMES[hashBelow(COLOUR_NAMES.length, COLOUR, ...words, k)]!;
    const size = SIZE_NAMES[hashBelow(SIZE_NAMES.length, SIZE, ...words, k)]!;
    const [least, largest] = SIZES[size];
    const radius = least + (largest - least) * uniform(RADIUS, k);
    // Two shapes have a half of the picture each, along which they stand.
    const half =
      length === 1
        ? undefined
        : {
            axis: relation === 'left of' || relation === 'right of' ? 0 : 1,
            at: relation === 'left of' || relation === 'above' ? k : 1 - k,
          };
    const [x, y] = [0, 1].map((axis) => {
      const [from, to] = half?.axis === axis ? [0.5 * half.at, 0.5 * half.at + 0.5] : [0, 1];
      return from + radius + (to - from - 2 * radius) * uniform(PLACE, 2 * k + axis);
    }) as [number, number];
    const rotation = Math.round(30 * (uniform(TURN, k) - 0.5));
    return { shape, colour, size, placed: { shape, colour: COLOURS[colour], x, y, radius, rotation } };
  });
}

function notesOf(scene: readonly SceneShape[], i: number): ItemNotes {
  const [first, second] = scene;
  const words = ({ size, colour, shape }: SceneShape): string => `a ${size} ${colour} ${shape}`;
  const relation = second === undefined ? undefined : relationOf(first!.placed, second.placed);
  const caption = second === undefined ? words(first!) : `${words(first!)} ${relation} ${words(second)}`;
  const round = (value: number): number => Number(value.toFixed(4));
  return {
    caption,
    name: `shapes ${i}`,
    // One combination of shapes and colours, wherever and however large they are: what was trained on is not tested on.
    group: scene
      .map(({ colour, shape }) => `${colour} ${shape}`)
      .sort()
      .join(' + '),
    attributes: {
      shapes: JSON.stringify(
        scene.map(({ shape, colour, size, placed: { x, y, radius, rotation } }) => ({
          shape,
          colour,
          size,
          x: round(x),
          y: round(y),
          radius: round(radius),
          rotation,
        })),
      ),
      ...(relation !== undefined && { relation }),
    },
  };
}

/** The side on which they stand apart the most. */
function relationOf(a: PlacedShape, b: PlacedShape): (typeof RELATIONS)[number] {
  // Their halves do not overlap along one axis; along the other they may.
  const apart = (axis: 'x' | 'y'): number => Math.abs(a[axis] - b[axis]) - a.radius - b.radius;
  return apart('x') >= apart('y') ? (a.x < b.x ? 'left of' : 'right of') : a.y < b.y ? 'above' : 'below';
}
