import { UserError } from '@langevin/tensor';
import { bytesOfArray } from '../host-tensor.ts';
import { checkRgb, flattenAlpha, type Image, type Rgb } from '../images/image.ts';
import { importOptional } from './optional-package.ts';

/** Drawings of icons are kilobytes; a megabyte of paths takes a renderer seconds. */
const MOST_CHARACTERS = 2 ** 20;

/** What could reach for another file, or run: a drawing needs none of it. */
const FOREIGN = new RegExp(
  [
    String.raw`<\s*(?:script|foreignObject|image|iframe|!DOCTYPE|!ENTITY|\?)`,
    String.raw`@import|\bon\w+\s*=`,
    String.raw`(?:href|src)\s*=\s*(?:"(?!#)|'(?!#)|[^"'\s])`,
    String.raw`url\(\s*["']?(?!#|["'])`,
  ].join('|'),
  'iu',
);

export interface SvgOptions {
  /** Sides of the picture in pixels; the drawing fills the smaller one and stands in the middle. */
  readonly size: number;
  /** What shows through where nothing is drawn. */
  readonly background: Rgb;
}

/**
 * Draw an SVG at a size, RGB.
 *
 * @param label what it is, for messages
 * @throws UserError when it refers to anything outside of itself, is too long, or cannot be drawn
 * @throws UnsupportedError when sharp is not installed
 */
export async function rasterizeSvg(svg: string, label: string, { size, background }: SvgOptions): Promise<Image> {
  checkRgb(background, '[io/svg] drawing');
  if (svg.length > MOST_CHARACTERS)
    throw new UserError(`[io/svg] drawing is too long: ${label}, characters=${svg.length}, limit=${MOST_CHARACTERS}. Leave it out.`);
  const foreign = FOREIGN.exec(svg)?.[0];
  if (foreign !== undefined)
    throw new UserError(
      `[io/svg] drawing refers to something outside of itself, or holds a program: ${label}, found=${JSON.stringify(foreign)}. `
        + 'Leave it out.',
    );
  const { default: sharp } = await importOptional('sharp', 'svg', () => import('sharp'));
  try {
    const { data, info } = await sharp(new TextEncoder().encode(svg), { limitInputPixels: 2 ** 26 })
      .resize(size, size, { fit: 'contain', background: { r: 0, g: 0, b: 0, alpha: 0 } })
      .toColourspace('srgb')
      .ensureAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return flattenAlpha(
      { width: info.width, height: info.height, channels: info.channels as Image['channels'], data: bytesOfArray(data) },
      background,
    );
  } catch (cause) {
    throw new UserError(`[io/svg] drawing cannot be drawn: ${label}, ${(cause as Error).message.trim()}. It is damaged.`, { cause });
  }
}
