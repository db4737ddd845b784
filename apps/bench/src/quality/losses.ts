import { sigmaLevel } from '@langevin/core';
import { edmWeight, minSnrWeight, snrPlusOneWeight, snrWeight, uniformWeight, type LossWeight } from '@langevin/core-schedules';
import { networkDenoiser } from '@langevin/diffusion';
import { fromImages } from '@langevin/io';
import { labelCount, type DiffusionModel } from '@langevin/pipelines';
import { counterGenerator, float32Data, tensor, type Engine } from '@langevin/tensor';
import type { Pictures } from './pictures.ts';

/** Noise-to-signal ratios of the table, from hardly visible to hardly anything else. */
export const SIGMAS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30] as const;

/** Weightings of the squared x0 error, as they are used. */
export const WEIGHTINGS: readonly { readonly weight: LossWeight; readonly says: string }[] = [
  { weight: uniformWeight(), says: 'x0' },
  { weight: snrWeight(), says: 'epsilon' },
  { weight: snrPlusOneWeight(), says: 'v' },
  { weight: edmWeight(), says: 'EDM' },
  { weight: minSnrWeight(), says: 'min-SNR 5' },
];

/** Mean squared error of the x0-prediction at each of {@link SIGMAS}, on held-out pictures, all models on the same noise. */
export async function lossesByLevel(
  model: DiffusionModel,
  { pictures, engine }: { readonly pictures: Pictures; readonly engine: Engine },
): Promise<readonly number[]> {
  const { images, labels } = pictures;
  const { data, shape } = fromImages(images);
  const told = labelCount(model.network) === undefined ? {} : { label: tensor(labels, { dtype: 'int32', shape: [images.length] }) };
  const unit = counterGenerator({ seed: 1, stream: [0] }).normal(data.length);
  const denoise = networkDenoiser({ network: model.network, params: model.params, noise: model.noise, engine });
  try {
    const losses: number[] = [];
    for (const sigma of SIGMAS) {
      const x = tensor(
        Float32Array.from(data, (value, i) => value + sigma * unit[i]!),
        { shape },
      );
      const denoised = await float32Data(await denoise(x, sigmaLevel(sigma), told), { engine });
      losses.push(denoised.reduce((sum, value, i) => sum + (value - data[i]!) ** 2, 0) / data.length);
    }
    return losses;
  } finally {
    await denoise.dispose();
  }
}
