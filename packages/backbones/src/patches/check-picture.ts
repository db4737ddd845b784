import { UserError, type Tensor } from '@langevin/tensor';

/**
 * Holds a noisy sample to what a network of patches takes.
 *
 * @param where "package/part", as errors begin
 * @throws UserError when it is not [N, channels, H, W], or its sides are not multiples of the patch
 */
export function checkPicture(where: string, x: Tensor, { channels, patch }: { readonly channels: number; readonly patch: number }): void {
  const shape = `x=[${x.shape.join(', ')}]`;
  if (x.rank !== 4 || x.shape[1] !== channels)
    throw new UserError(`[${where}] sample does not fit: ${shape}. Give [N, ${channels}, H, W].`);
  if (x.shape.slice(2).some((n) => n === 0 || n % patch !== 0)) {
    throw new UserError(`[${where}] image sides are not multiples of the patch: ${shape}, patch_size=${patch}. Pad or resize the image.`);
  }
}
