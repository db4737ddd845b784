import { checkNumber } from '@langevin/tensor';
import type { FloatArray } from '../gaussians.ts';
import type { PictureSize, Ssim, SsimTarget } from './ssim.ts';

/** The loss on a picture, and its gradient. */
export interface PhotometricResult<A extends FloatArray> {
  readonly loss: number;
  /** Mean absolute difference. */
  readonly l1: number;
  /** Mean squared difference. */
  readonly mse: number;
  readonly ssim: number;
  /** dL/d(image), [height, width, channels]. */
  readonly gradient: A;
}

/**
 * (1 - dssim) L1 + dssim (1 - SSIM): the loss of Kerbl et al. 2023, eq. 7. Both are means over the whole picture.
 *
 * @param given.mask what counts, [height, width], 0..255: elsewhere the image is taken to be the target
 * @param given.dssim 0..1. @default 0.2
 */
export function photometricLoss<A extends FloatArray>(given: {
  readonly image: A;
  readonly target: SsimTarget<A>;
  readonly ssim: Ssim<A>;
  readonly size: PictureSize;
  readonly mask?: Uint8Array | undefined;
  readonly dssim?: number;
}): PhotometricResult<A> {
  const { target, ssim, size, mask, dssim = 0.2 } = given;
  checkNumber('gaussians/losses', { dssim }, { atLeast: 0, atMost: 1 });
  const { picture } = target;
  const image = mask === undefined ? given.image : masked(given.image, { target: picture, mask, channels: size.channels });
  const count = image.length;
  const gradient = image.slice() as A;
  const scale = (1 - dssim) / count;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < count; i++) {
    const difference = image[i]! - picture[i]!;
    sum += Math.abs(difference);
    squares += difference * difference;
    gradient[i] = difference > 0 ? scale : difference < 0 ? -scale : 0;
  }
  const similarity = dssim === 0 ? ssim.value(image, target) : ssim.addGradient(image, target, { scale: -dssim, into: gradient });
  if (mask !== undefined) for (let i = 0; i < count; i++) gradient[i] = (gradient[i]! * mask[Math.floor(i / size.channels)]!) / 255;
  const l1 = sum / count;
  return { loss: (1 - dssim) * l1 + dssim * (1 - similarity), l1, mse: squares / count, ssim: similarity, gradient };
}

function masked<A extends FloatArray>(
  image: A,
  { target, mask, channels }: { readonly target: A; readonly mask: Uint8Array; readonly channels: number },
): A {
  const out = image.slice() as A;
  for (let i = 0; i < out.length; i++) {
    const weight = mask[Math.floor(i / channels)]! / 255;
    out[i] = weight * image[i]! + (1 - weight) * target[i]!;
  }
  return out;
}
