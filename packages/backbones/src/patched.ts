import { reshape, transpose, UserError, type Tensor } from '@langevin/tensor';
import { defineNetwork, type Network } from '@langevin/core';

/** Squares of `patch` x `patch` pixels become channels: [N, C, H, W] -> [N, C patch^2, H/patch, W/patch], PyTorch's pixel_unshuffle. */
export function pixelUnshuffle(x: Tensor, patch: number): Tensor {
  const [n, c, height, width] = x.shape as readonly [number, number, number, number];
  if (height % patch !== 0 || width % patch !== 0) {
    throw new UserError(
      `[backbones/pixelUnshuffle] image does not divide into patches: x=[${x.shape.join(', ')}], patch=${patch}. Height and width `
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

/**
 * A network that works on patches of the image: a quarter of the positions for a patch of 2, so a quarter of the work at its first level.
 * The idea is that of Hoogeboom et al. 2023 (arXiv:2301.11093). Parameters are those of the inner network.
 *
 * @param network takes C patch^2 channels and gives as many times patch^2
 * @param patch side of a patch in pixels; 1 changes nothing
 */
export function patched<Params>(network: Network<Params>, patch: number): Network<Params> {
  if (!Number.isInteger(patch) || patch < 1 || patch > 64)
    throw new UserError(`[backbones/patched] patch is out of range: patch=${patch}. Give an integer in [1, 64].`);
  if (patch === 1) return network;
  const { channels, outChannels, size, multiple } = network.info;
  if (channels % patch ** 2 !== 0 || outChannels % patch ** 2 !== 0) {
    throw new UserError(
      `[backbones/patched] channels do not divide into patches: channels=${channels}, outChannels=${outChannels}, patch=${patch}. Give `
        + 'multiples of patch * patch.',
    );
  }
  return defineNetwork({
    info: {
      ...network.info,
      channels: channels / patch ** 2,
      outChannels: outChannels / patch ** 2,
      size: size === null ? null : size.map((side) => side * patch),
      multiple: multiple * patch,
    },
    init: network.init,
    apply: (params, ...[x, ...rest]) => pixelShuffle(network.apply(params, pixelUnshuffle(x, patch), ...rest), patch),
  });
}
