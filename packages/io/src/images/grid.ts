import { checkNumber, readOptions, UserError } from '@langevin/tensor';
import { GLYPH_ADVANCE, GLYPH_HEIGHT, textPixels } from './font.ts';
import type { Image, Rgb } from './image.ts';
import { checkImage, checkImages, checkRgb, flattenAlpha, WHITE } from './image.ts';

export interface GridOptions {
  /** Images in a row. @default the nearest to a square */
  readonly columns?: number;
  /** Pixels between and around images. @default 2 */
  readonly padding?: number;
  /** @default white */
  readonly background?: Rgb;
  /** Each pixel is drawn as a block of scale x scale, so that 32x32 images can be seen. @default 1 */
  readonly scale?: number;
  /** Text under each image, cut to its width. */
  readonly labels?: readonly string[];
  /** Lines that a label may take, broken between words. @default 1 */
  readonly labelLines?: number;
  /** A line left of each row. */
  readonly rowLabels?: readonly string[];
}

const LABEL_GAP = 2;
const LINE_HEIGHT = GLYPH_HEIGHT + LABEL_GAP;

// A picture larger than this is a mistake in the arguments, not a grid to look at.
const MAX_PIXELS = 2 ** 28;

/**
 * Lay images of one size out on a grid, row by row.
 *
 * @returns an RGB image; grey images become RGB and alpha is put on the background
 * @throws {UserError} when there is no image, sizes differ, or there are not as many labels as images (or rows)
 * @example
 * import { imageGrid } from '@langevin/io';
 * const red = { width: 1, height: 1, channels: 3, data: Uint8Array.of(255, 0, 0) } as const;
 * imageGrid([red, red, red], { columns: 3, padding: 0 }).width; // => 3
 */
export function imageGrid(images: readonly Image[], options: GridOptions = {}): Image {
  checkImages(images, '[io/images] imageGrid');
  images.forEach((image) => checkImage(image, '[io/images] imageGrid'));
  const first = images[0]!;
  const {
    columns = Math.ceil(Math.sqrt(images.length)),
    padding = 2,
    background = WHITE,
    scale = 1,
    labelLines = 1,
    labels,
    rowLabels,
  } = readOptions('io/images', options);
  checkNumber('io/images', { columns, scale }, { kind: 'integer', atLeast: 1 });
  checkNumber('io/images', { padding }, { kind: 'integer', atLeast: 0 });
  checkRgb(background, '[io/images] imageGrid');
  const rows = Math.ceil(images.length / columns);
  checkLabels('labels', labels, images.length);
  checkLabels('rowLabels', rowLabels, rows);

  const tileWidth = first.width * scale;
  const tileHeight = first.height * scale;
  const longest = rowLabels === undefined ? 0 : Math.max(...rowLabels.map((text) => [...text].length));
  const left = padding + (longest > 0 ? longest * GLYPH_ADVANCE + padding : 0);
  const pitchX = tileWidth + padding;
  const pitchY = tileHeight + padding + (labels === undefined ? 0 : labelLines * LINE_HEIGHT + LABEL_GAP);
  const width = left + columns * pitchX;
  const height = padding + rows * pitchY;
  if (width * height > MAX_PIXELS)
    throw new UserError(`[io/images] imageGrid would be ${width}x${height} pixels. Use fewer images or a smaller scale.`);

  const canvas = new Canvas(width, height, background);
  for (const [i, image] of images.entries()) {
    checkImage(image, `[io/images] imageGrid: images[${i}]`);
    if (image.width !== first.width || image.height !== first.height) {
      throw new UserError(
        `[io/images] imageGrid: images[${i}] is ${image.width}x${image.height}, images[0] is ${first.width}x${first.height}. `
          + 'Resize them to one size first.',
      );
    }
    const x = left + (i % columns) * pitchX;
    const y = padding + Math.floor(i / columns) * pitchY;
    canvas.drawImage(flattenAlpha(image, background), { x, y, scale });
    const label = labels?.[i];
    if (label !== undefined) {
      const fits = Math.max(1, Math.floor((tileWidth + Math.min(padding, 2) - 2) / GLYPH_ADVANCE));
      for (const [k, text] of linesOf(label, { fits, most: labelLines }).entries())
        canvas.drawText(text, { x, y: y + tileHeight + LABEL_GAP + k * LINE_HEIGHT });
    }
  }
  for (const [row, text] of (rowLabels ?? []).entries()) {
    const middle = padding + row * pitchY + Math.max(0, Math.floor((tileHeight - GLYPH_HEIGHT) / 2));
    canvas.drawText(text, { x: padding, y: middle });
  }
  return canvas.image();
}

/** A text in lines of `fits` characters, broken between words where it can be; what does not fit into `most` of them is cut. */
function linesOf(text: string, { fits, most }: { readonly fits: number; readonly most: number }): readonly string[] {
  const lines: string[] = [];
  let rest = Array.from(text);
  while (rest.length > 0 && lines.length < most) {
    const space = rest.lastIndexOf(' ', fits);
    const end = rest.length <= fits || lines.length + 1 === most || space < 1 ? fits : space;
    lines.push(rest.slice(0, end).join(''));
    rest = rest.slice(rest[end] === ' ' ? end + 1 : end);
  }
  return lines;
}

class Canvas {
  readonly #width: number;
  readonly #height: number;
  readonly #ink: Rgb;
  readonly #data: Uint8Array;

  constructor(width: number, height: number, background: Rgb) {
    this.#width = width;
    this.#height = height;
    const dark = background[0] + background[1] + background[2] < 384;
    this.#ink = dark ? [255, 255, 255] : [0, 0, 0];
    this.#data = new Uint8Array(width * height * 3);
    for (let i = 0; i < this.#data.length; i++) this.#data[i] = background[i % 3]!;
  }

  drawImage(image: Image, { x, y, scale }: { readonly x: number; readonly y: number; readonly scale: number }): void {
    for (let row = 0; row < image.height * scale; row++) {
      for (let column = 0; column < image.width * scale; column++) {
        const from = (Math.floor(row / scale) * image.width + Math.floor(column / scale)) * image.channels;
        const to = ((y + row) * this.#width + x + column) * 3;
        for (let c = 0; c < 3; c++) this.#data[to + c] = image.data[from + (image.channels === 1 ? 0 : c)]!;
      }
    }
  }

  drawText(text: string, { x, y }: { readonly x: number; readonly y: number }): void {
    for (const [dx, dy] of textPixels(text)) {
      if (x + dx >= this.#width || y + dy >= this.#height) continue;
      this.#data.set(this.#ink, ((y + dy) * this.#width + x + dx) * 3);
    }
  }

  image(): Image {
    return { width: this.#width, height: this.#height, channels: 3, data: this.#data };
  }
}

function checkLabels(name: string, labels: readonly string[] | undefined, count: number): void {
  if (labels === undefined || labels.length === count) return;
  throw new UserError(`[io/images] imageGrid: ${name} has ${labels.length} lines, ${count} are needed.`);
}
