import type { AutoencoderInfo } from '@langevin/core';
import { add, div, mul, sub, tensor, type Tensor } from '@langevin/tensor';

/** What is diffused over for latents as an autoencoder gives them: (z - shift) * scale, for each channel. */
export function scaledLatents(latents: Tensor, { scale, shift }: Pick<AutoencoderInfo, 'scale' | 'shift'>): Tensor {
  return mul(sub(latents, perChannel(shift, latents.rank)), perChannel(scale, latents.rank));
}

/** Latents as an autoencoder decodes them, of what is diffused over: z / scale + shift. */
export function unscaledLatents(latents: Tensor, { scale, shift }: Pick<AutoencoderInfo, 'scale' | 'shift'>): Tensor {
  return add(div(latents, perChannel(scale, latents.rank)), perChannel(shift, latents.rank));
}

function perChannel(given: number | readonly number[], rank: number): Tensor {
  const values = typeof given === 'number' ? [given] : given;
  return tensor(Float32Array.from(values), { shape: [1, values.length, ...new Array<number>(Math.max(0, rank - 2)).fill(1)] });
}
