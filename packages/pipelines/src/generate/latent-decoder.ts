import type { AutoencoderInfo } from '@langevin/core';
import { inFloat32 } from '@langevin/nn';
import { toImages, type Image } from '@langevin/io';
import { add, compile, float32Data, mul, tensor, UserError, type Engine, type Tensor } from '@langevin/tensor';
import type { OpenProduct } from './product.ts';

/**
 * The decoder of a product's latents, compiled once for each shape. Pictures are decoded one at a time: the largest layers of a decoder are
 * the peak of a whole generation.
 */
export function latentDecoder({ autoencoder }: OpenProduct, { engine }: { readonly engine?: Engine }) {
  const onEngine = engine ? { engine } : {};
  const decode = compile(
    (params: unknown, latents: Tensor): Tensor =>
      autoencoder === undefined ? latents : autoencoder.module.decode(inFloat32(params), unscaled(latents, autoencoder.module.info)),
    { freeze: [0], name: 'decoder', ...onEngine },
  );
  return Object.freeze({
    /** @throws UserError when a value is not finite: a picture would be black */
    decode: async (latents: Tensor): Promise<readonly Image[]> => {
      const [count, ...shape] = latents.shape;
      const values = await float32Data(latents, onEngine);
      checkFinite(values, 'latents');
      const size = values.length / count!;
      const images: Image[] = [];
      for (let i = 0; i < count!; i++) {
        const one = tensor(values.slice(i * size, (i + 1) * size), { shape: [1, ...shape] });
        const pixels = await decode((autoencoder?.params ?? {}) as never, one as never);
        const data = await float32Data(pixels, onEngine);
        checkFinite(data, 'pixels');
        images.push(...toImages({ data, shape: pixels.shape as readonly [number, number, number, number] }));
      }
      return images;
    },
    dispose: () => decode.dispose(),
  });
}

/** Latents as the autoencoder gives them: what is diffused over has unit variance. */
function unscaled(latents: Tensor, { scale, shift }: AutoencoderInfo): Tensor {
  return add(
    mul(
      latents,
      perChannel(scale, (value) => 1 / value),
    ),
    perChannel(shift, (value) => value),
  );
}

function perChannel(given: number | readonly number[], of: (value: number) => number): Tensor {
  const values = typeof given === 'number' ? [given] : given;
  return tensor(Float32Array.from(values, of), { shape: [1, values.length, 1, 1] });
}

function checkFinite(values: Float32Array, what: 'latents' | 'pixels'): void {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  const [component, advice] =
    what === 'latents'
      ? ['denoising network', 'Lower guidance, or take another scheduler.']
      : ['autoencoder', 'Its weights may have been damaged when they were converted to 16 bits.'];
  throw new UserError(`[pipelines/generate] values are not finite: component=${component}, ${what}[${at}]=${values[at]}. ${advice}`);
}
