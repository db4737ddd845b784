import type { Autoencoder, Network } from '@langevin/core';
import { UserError, type Tensor } from '@langevin/tensor';

/** What stands in for the autoencoder of a network that is trained on pixels: they are its latents. */
export function pixels({ info }: Network<unknown>): Autoencoder<unknown> {
  const { channels } = info;
  return Object.freeze({
    info: { inputs: channels, channels, factor: [1, 1], scale: 1, shift: 0 },
    init: () => ({}),
    latentShape: (shape: readonly number[]) => {
      if (shape[1] === channels) return shape;
      throw new UserError(`[pipelines/pixels] pictures have other channels: shape=[${shape.join(', ')}], channels=${channels}.`);
    },
    encode: (_: unknown, x: Tensor) => ({ mode: x, sample: () => x }),
    decode: (_: unknown, z: Tensor) => z,
  });
}
