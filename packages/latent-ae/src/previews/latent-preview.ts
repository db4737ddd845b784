import type { AutoencoderInfo } from '@langevin/core';
import {
  checkChoice,
  clamp,
  matmul,
  reshape,
  shapeOf,
  tensor,
  transpose,
  UnsupportedError,
  UserError,
  type Tensor,
} from '@langevin/tensor';
import { latentFamilies, type LatentFamily, type LatentFamilyName } from './factors.ts';

const WHERE = 'latent-ae/preview';
const families = Object.entries(latentFamilies) as readonly (readonly [LatentFamilyName, LatentFamily])[];

/**
 * Whose latents an autoencoder has, by its number of channels, scale and shift: shapes alone do not tell one family from another.
 *
 * @throws UnsupportedError for latents of another family: colours of a wrong one are no preview
 * @example
 * latentFamilyOf(autoencoderFromConfig({ _class_name: 'AutoencoderKL', scaling_factor: 0.13025 }).info); // => 'stable-diffusion-xl'
 */
export function latentFamilyOf({ channels, scale, shift }: Pick<AutoencoderInfo, 'channels' | 'scale' | 'shift'>): LatentFamilyName {
  const found = families.find(([, family]) => family.colours.length === channels && family.scale === scale && family.shift === shift);
  if (found) return found[0];
  const known = families.map(
    ([name, family]) => `${name} (${family.colours.length} channels, scale ${family.scale}, shift ${family.shift})`,
  );
  throw new UnsupportedError(
    `[${WHERE}] latents are of no family with known colours: channels=${channels}, scale=${String(scale)}, shift=${String(shift)}. Known: `
      + `${known.join('; ')}. Name the family, or decode previews with an AutoencoderTiny.`,
  );
}

/**
 * A rough picture of latents without a decoder: a sum over channels for each pixel of the latent. Give it an estimate of the clean latent,
 * not the noisy state.
 *
 * @param latents [N, channels, h, w] as they are diffused over, not packed
 * @param family whose latents they are: {@link latentFamilyOf} of the autoencoder
 * @returns [N, 3, h, w] in [-1, 1]
 * @throws UserError for a family that is not known, or latents with other channels than it has
 * @example
 * latentPreview(zeros([1, 4, 8, 8]), 'stable-diffusion').shape; // => [1, 3, 8, 8]
 */
export function latentPreview(latents: Tensor, family: LatentFamilyName): Tensor {
  checkChoice(WHERE, { family }, Object.keys(latentFamilies) as LatentFamilyName[]);
  const { colours }: LatentFamily = latentFamilies[family];
  const [n, channels, h, w] = shapeOf(WHERE, latents) as readonly [number, number, number, number];
  if (latents.rank !== 4 || channels !== colours.length)
    throw new UserError(
      `[${WHERE}] latents are not of the family: latents=[${latents.shape.join(', ')}], family=${family}. Give `
        + `[N, ${colours.length}, h, w].`,
    );
  const matrix = transpose(tensor(colours.flat(), { shape: [channels, 3] }), [1, 0]);
  return reshape(clamp(matmul(matrix, reshape(latents, [n, channels, h * w])), { min: -1, max: 1 }), [n, 3, h, w]);
}
