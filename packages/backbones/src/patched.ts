import { defineNetwork, type Network } from '@langevin/core';
import { pixelShuffle, pixelUnshuffle } from '@langevin/nn';
import { UserError } from '@langevin/tensor';

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
