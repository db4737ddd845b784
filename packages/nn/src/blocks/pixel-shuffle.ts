import { reshape, transpose, UserError, type Tensor } from '@langevin/tensor';

/** Squares of `patch` x `patch` pixels become channels: [N, C, H, W] -> [N, C patch^2, H/patch, W/patch], PyTorch's pixel_unshuffle. */
export function pixelUnshuffle(x: Tensor, patch: number): Tensor {
  const [n, c, height, width] = x.shape as readonly [number, number, number, number];
  if (height % patch !== 0 || width % patch !== 0) {
    throw new UserError(
      `[nn/pixelUnshuffle] image does not divide into patches: x=[${x.shape.join(', ')}], patch=${patch}. Height and width `
        + 'are multiples of the patch.',
    );
  }
  const cells = reshape(x, [n, c, height / patch, patch, width / patch, patch]);
  return reshape(transpose(cells, [0, 1, 3, 5, 2, 4]), [n, c * patch * patch, height / patch, width / patch]);
}

/** The inverse of {@link pixelUnshuffle}, PyTorch's pixel_shuffle. */
export function pixelShuffle(x: Tensor, patch: number): Tensor {
  const [n, c, height, width] = x.shape as readonly [number, number, number, number];
  const cells = reshape(x, [n, c / (patch * patch), patch, patch, height, width]);
  return reshape(transpose(cells, [0, 1, 4, 2, 5, 3]), [n, c / (patch * patch), height * patch, width * patch]);
}
