import type { Autoencoder } from '@langevin/core';
import { decodeInTiles, inBands, scaledLatents, unscaledLatents } from '@langevin/latent-ae';
import { inFloat32 } from '@langevin/nn';
import { toImages, type Image } from '@langevin/io';
import { compile, float32Data, tensor, UserError, type Engine, type Tensor } from '@langevin/tensor';
import type { WithParams } from '../product.ts';

/**
 * How latents become pixels: all of a picture at once; in bands of rows, one layer after the other, with the same result;
 * or in tiles that are blended, as diffusers does, with the least memory and tones that may differ.
 */
export const decodings = ['whole', 'bands', 'tiles'] as const;
export type Decoding = (typeof decodings)[number];

export interface DecodeOptions {
  /** @default 'whole' */
  readonly decoding?: Decoding;
  /** Pictures that are decoded at once, where they are decoded whole. @default 1: a decoder is the peak of a generation's memory */
  readonly together?: number;
  readonly signal?: AbortSignal;
}

/** Pictures to latents and back, compiled once for each shape. */
export interface LatentCoder {
  /**
   * What is diffused over for pictures [N, C, H, W] in [-1, 1]: drawn from the posterior with unit noise in the form of the latents.
   *
   * @throws UserError when a value is not finite
   */
  readonly encode: (pixels: Tensor, noise: Tensor) => Promise<Tensor>;
  /** The same of the most probable latents. */
  readonly encodeMode: (pixels: Tensor) => Promise<Tensor>;
  /** @throws UserError when a value is not finite: a picture would be black; UnsupportedError for bands where the class has none */
  readonly decode: (latents: Tensor, how?: DecodeOptions) => Promise<readonly Image[]>;
  readonly dispose: () => Promise<void>;
}

/** The coder of an autoencoder. */
export function latentCoder({ module, params }: WithParams<Autoencoder<unknown>>, onEngine: { readonly engine?: Engine }): LatentCoder {
  const { info } = module;
  const encode = compile(
    (weights: unknown, pixels: Tensor, noise: Tensor): Tensor =>
      scaledLatents(module.encode(inFloat32(weights), pixels).sample(noise), info),
    { freeze: [0], name: 'encoder', ...onEngine },
  );
  const encodeMode = compile(
    (weights: unknown, pixels: Tensor): Tensor => scaledLatents(module.encode(inFloat32(weights), pixels).mode, info),
    { freeze: [0], name: 'encoder', ...onEngine },
  );
  const decode = compile((weights: unknown, latents: Tensor): Tensor => module.decode(inFloat32(weights), unscaledLatents(latents, info)), {
    freeze: [0],
    name: 'decoder',
    ...onEngine,
  });
  return Object.freeze({
    encode: async (pixels: Tensor, noise: Tensor) => {
      const latents = await encode(params as never, pixels as never, noise as never);
      checkFinite(await float32Data(latents, onEngine), 'latents of the picture');
      return latents;
    },
    encodeMode: async (pixels: Tensor) => {
      const latents = await encodeMode(params as never, pixels as never);
      checkFinite(await float32Data(latents, onEngine), 'latents of the picture');
      return latents;
    },
    decode: async (latents: Tensor, { decoding = 'whole', together = 1, signal }: DecodeOptions = {}): Promise<readonly Image[]> => {
      const stopping = signal ? { signal } : {};
      const whole = async (z: Tensor): Promise<Tensor> => decode(params as never, z as never);
      const ways: Readonly<Record<Decoding, (z: Tensor) => Promise<Tensor>>> = {
        whole,
        tiles: (z) => decodeInTiles(z, { autoencoder: module, run: whole, ...stopping, ...onEngine }),
        bands: (z) => inBands(module, onEngine).decode(params, unscaledLatents(z, info), stopping),
      };
      const [count, ...shape] = latents.shape;
      const values = await float32Data(latents, onEngine);
      checkFinite(values, 'latents');
      const size = values.length / count!;
      const images: Image[] = [];
      const step = decoding === 'whole' ? together : 1;
      for (let i = 0; i < count!; i += step) {
        const some = Math.min(step, count! - i);
        const one = tensor(values.slice(i * size, (i + some) * size), { shape: [some, ...shape] });
        signal?.throwIfAborted();
        const pixels = await ways[decoding](one);
        const data = await float32Data(pixels, onEngine);
        checkFinite(data, 'pixels');
        images.push(...toImages({ data, shape: pixels.shape as readonly [number, number, number, number] }));
      }
      return images;
    },
    dispose: async () => {
      await encode.dispose();
      await encodeMode.dispose();
      await decode.dispose();
    },
  });
}

function checkFinite(values: Float32Array, what: 'latents of the picture' | 'latents' | 'pixels'): void {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  const [component, advice] =
    what === 'latents'
      ? ['denoising network', 'Lower guidance, or take another scheduler.']
      : ['autoencoder', 'Its weights may have been damaged when they were converted to 16 bits.'];
  throw new UserError(`[pipelines/generate] values are not finite: component=${component}, ${what}[${at}]=${values[at]}. ${advice}`);
}
