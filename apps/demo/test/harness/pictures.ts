import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { expect } from 'vitest';

/** The stage as it is on the screen, RGB. */
export type Pixels = Buffer;

/** What the stage shows once it shows something and has come to rest: two pictures in a row are the same, and not of one colour. */
export async function settled(page: Page): Promise<Pixels> {
  let before = await shoot(page);
  let now = before;
  await expect
    .poll(
      async () => {
        before = now;
        now = await shoot(page);
        return now.equals(before) && contrast(now) > 10;
      },
      { timeout: 120_000, message: 'the stage shows nothing, or does not come to rest' },
    )
    .toBe(true);
  return now;
}

/** Waits until the stage at rest shows something else. */
export async function settledOn(page: Page, other: (picture: Pixels) => boolean): Promise<Pixels> {
  let picture = await settled(page);
  await expect
    .poll(
      async () => {
        picture = await settled(page);
        return other(picture);
      },
      { timeout: 120_000, message: 'the picture did not become what it should' },
    )
    .toBe(true);
  return picture;
}

/** Mean of the absolute differences, 0..255. */
export function distance(a: Pixels, b: Pixels): number {
  if (a.length !== b.length) return 255;
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
  return sum / a.length;
}

async function shoot(page: Page): Promise<Pixels> {
  const png = await page.locator('#viewport').screenshot({ animations: 'disabled', style: '.overlay, .frusta { visibility: hidden }' });
  return sharp(png).removeAlpha().raw().toBuffer();
}

function contrast(picture: Pixels): number {
  let [least, most] = [255, 0];
  for (const value of picture) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return most - least;
}
