import type { Autoencoder, Posterior } from '@langevin/core';
import { reshape, sum, transpose, UserError, type Generator, type Tensor } from '@langevin/tensor';

/** A batch of clips [N, C, T, ...] as one of pictures [N T, C, ...]. */
export function framesOf(clip: Tensor): Tensor {
  const [n, c, t, ...sides] = clip.shape as [number, number, number, ...number[]];
  return reshape(transpose(clip, [0, 2, 1, ...sides.map((_, i) => i + 3)]), [n * t, c, ...sides]);
}

/** The inverse of {@link framesOf}, for `count` clips. */
export function clipsOf(frames: Tensor, count: number): Tensor {
  const [all, c, ...sides] = frames.shape as [number, number, ...number[]];
  return transpose(reshape(frames, [count, all / count, c, ...sides]), [0, 2, 1, ...sides.map((_, i) => i + 3)]);
}

/**
 * An autoencoder of clips [N, C, T, H, W] that codes each frame by one of pictures, as latent video diffusion begins with (Blattmann et al.
 * 2023, arXiv:2304.08818, sec. 3.2). Parameters are those of the autoencoder of pictures, so that its files load as they are.
 *
 * @throws UserError at `encode` and `decode` when shapes do not fit
 * @example
 * const clips = framewise(autoencoderKl({ blockOutChannels: [8], normNumGroups: 2 }));
 * clips.latentShape([1, 3, 5, 8, 8]); // => [1, 4, 5, 8, 8]
 */
export function framewise<Params>(pictures: Autoencoder<Params>): Autoencoder<Params> {
  const where = 'latent-ae/framewise';
  const { info, latentShape: ofPicture, lastLayer } = pictures;
  const check = (shape: readonly number[], size: number, what: string): void => {
    if (shape.length === 3 + info.factor.length && shape[1] === size && shape.every((n) => n > 0)) return;
    const sides = info.factor.length === 2 ? ', H, W' : ', ...';
    throw new UserError(`[${where}] ${what} do not fit: [${shape.join(', ')}]. Give [N, ${size}, T${sides}].`);
  };
  const latentShape = (shape: readonly number[]): readonly number[] => {
    check(shape, info.inputs, 'clips');
    const [n, c, t, ...sides] = shape as [number, number, number, ...number[]];
    const [, channels, ...cells] = ofPicture([n * t, c, ...sides]) as [number, number, ...number[]];
    return [n, channels, t, ...cells];
  };
  return Object.freeze({
    info: Object.freeze({ ...info, factor: [1, ...info.factor] }),
    ...(lastLayer !== undefined && { lastLayer }),
    latentShape,
    init: (generator: Generator) => pictures.init(generator),
    encode(params: Params, x: Tensor): Posterior {
      latentShape(x.shape);
      return clipPosterior(pictures.encode(params, framesOf(x)), x.shape[0]!);
    },
    decode(params: Params, z: Tensor) {
      check(z.shape, info.channels, 'latents');
      return clipsOf(pictures.decode(params, framesOf(z)), z.shape[0]!);
    },
  });
}

/** The posterior of clips out of that of their frames: the divergence of a clip is the sum of its frames'. */
function clipPosterior({ mode, sample, divergence, moments, logits }: Posterior, count: number): Posterior {
  return Object.freeze({
    mode: clipsOf(mode, count),
    sample: (noise: Tensor) => clipsOf(sample(framesOf(noise)), count),
    ...(divergence && { divergence: sum(reshape(divergence, [count, divergence.size / count]), { axes: [1] }) }),
    ...(moments && { moments: clipsOf(moments, count) }),
    ...(logits && { logits: clipsOf(logits, count) }),
  });
}
