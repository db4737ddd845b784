import { UserError } from '@langevin/tensor';
import type { FloatArray } from '../gaussians.ts';
import type { PictureSize } from './ssim.ts';

/**
 * A distance of pictures that a network judges, such as LPIPS: given by whoever has its weights. Pictures are [height, width, 3] in 0..1.
 */
export interface PerceptualMetric {
  readonly name: string;
  readonly distance: (image: Float32Array, target: Float32Array, size: PictureSize) => Promise<number>;
}

/**
 * Peak signal-to-noise ratio in dB for values in [0, 1], over everything; Infinity for equal pictures.
 * @throws UserError when sizes differ
 */
export function psnr(image: FloatArray, target: FloatArray): number {
  if (image.length !== target.length || image.length === 0)
    throw new UserError(
      `[gaussians/metrics] pictures differ in size: image.length=${image.length}, target.length=${target.length}. Resize one.`,
    );
  let sum = 0;
  for (let i = 0; i < image.length; i++) sum += (image[i]! - target[i]!) ** 2;
  return -10 * Math.log10(sum / image.length);
}
