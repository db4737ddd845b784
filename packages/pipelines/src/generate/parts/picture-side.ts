import type { Network } from '@langevin/core';
import type { Evidence } from '../../checkpoint/evidence.ts';
import type { Loaded } from '../../checkpoint/load-network.ts';
import type { PictureSize } from '../product.ts';

/** Configurations of diffusers before this one say sides that no model was trained for. */
const RIGHT_SINCE = [0, 9];

/**
 * The size of pictures that a network was trained for: its own size times the factor of the autoencoder. Files of diffusers before 0.9.0
 * say 32 for networks of 64, which diffusers corrects.
 *
 * @param early the side of the latents that such a file means
 */
export function pictureSide(
  { module, component: { config, name } }: Loaded<Network<unknown>>,
  { factor, early }: { readonly factor: number; readonly early: number },
): PictureSize & { readonly evidence: readonly Evidence[] } {
  const [height = early, width = early] = module.info.size ?? [];
  const version = /^(\d+)\.(\d+)\./u.exec(String(config['_diffusers_version'] ?? ''));
  const isOld = version !== null && Number(version[1]) === RIGHT_SINCE[0] && Number(version[2]) < RIGHT_SINCE[1]!;
  if (!isOld || height >= early) return { width: factor * width, height: factor * height, evidence: [] };
  return {
    width: factor * early,
    height: factor * early,
    evidence: [
      {
        component: name,
        what: 'sample_size',
        value: String(early),
        from: `repaired as in diffusers: the file is of ${version[0]} and says ${height}`,
      },
    ],
  };
}
