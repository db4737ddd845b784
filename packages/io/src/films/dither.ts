import type { Image } from '../images/image.ts';
import { nearest, type Palette } from './palette.ts';

/** Levels of a channel that are told apart: 64 keep the table of all colours at 768 kB, and black and white exact. */
const LEVELS = 64;

/** Thresholds of an 8 x 8 ordered dither (Bayer 1973), in 1/64. */
const THRESHOLDS = bayer(3);
const SIDE = 8;

/**
 * Maps pictures to a palette. A colour between two of the palette's becomes a pattern of both; the pattern stands still from frame to
 * frame, which error diffusion's does not: it would boil, and the film would grow by half.
 */
export function ditherer(palette: Palette): (image: Image) => Uint8Array {
  // Filled as colours come; a film has far fewer than the 262,144 cells.
  const known = new Uint8Array(LEVELS ** 3);
  const first = new Uint8Array(LEVELS ** 3);
  const second = new Uint8Array(LEVELS ** 3);
  const share = new Uint8Array(LEVELS ** 3);
  const levelOf = Uint8Array.from({ length: 256 }, (_, value) => Math.round((value * (LEVELS - 1)) / 255));

  const learn = (cell: number): void => {
    const scale = 255 / (LEVELS - 1);
    const colour = [Math.floor(cell / LEVELS ** 2) * scale, (Math.floor(cell / LEVELS) % LEVELS) * scale, (cell % LEVELS) * scale] as const;
    const one = nearest(palette, colour);
    const at = (index: number, axis: number): number => palette[3 * index + axis]!;
    // The colour on the other side: where the first would have to be mixed with as much again.
    const other = nearest(palette, [2 * colour[0] - at(one, 0), 2 * colour[1] - at(one, 1), 2 * colour[2] - at(one, 2)]);
    let along = 0;
    let length = 0;
    for (let axis = 0; axis < 3; axis++) {
      const side = at(other, axis) - at(one, axis);
      along += (colour[axis]! - at(one, axis)) * side;
      length += side * side;
    }
    known[cell] = 1;
    first[cell] = one;
    second[cell] = other;
    share[cell] = length === 0 ? 0 : Math.round(64 * Math.min(1, Math.max(0, along / length)));
  };

  return ({ width, height, data }) => {
    const indices = new Uint8Array(width * height);
    for (let y = 0, pixel = 0; y < height; y++) {
      for (let x = 0; x < width; x++, pixel++) {
        const [r, g, b] = [levelOf[data[3 * pixel]!]!, levelOf[data[3 * pixel + 1]!]!, levelOf[data[3 * pixel + 2]!]!];
        const cell = (r * LEVELS + g) * LEVELS + b;
        if (known[cell] === 0) learn(cell);
        indices[pixel] = share[cell]! > THRESHOLDS[(y % SIDE) * SIDE + (x % SIDE)]! ? second[cell]! : first[cell]!;
      }
    }
    return indices;
  };
}

/** The ordered thresholds of a square of 2^n: each four of a finer one stand around those of the coarser. */
function bayer(n: number): readonly number[] {
  if (n === 0) return [0];
  const half = 2 ** (n - 1);
  const coarse = bayer(n - 1);
  return Array.from({ length: 4 * half * half }, (_, i) => {
    const [x, y] = [i % (2 * half), Math.floor(i / (2 * half))];
    const quarter = [0, 2, 3, 1][2 * Math.floor(y / half) + Math.floor(x / half)]!;
    return 4 * coarse[(y % half) * half + (x % half)]! + quarter;
  });
}
