import { fromImages, toImages, type Image } from '@langevin/io';
import { scaledLatents, unscaledLatents } from '@langevin/latent-ae';
import { inFloat32 } from '@langevin/nn';
import { compile, float32Data, tensor, type Engine, type Tensor } from '@langevin/tensor';
import type { LoadedAutoencoder } from './autoencoder-folder.ts';

/** Between pictures and what is diffused over: pixels themselves, or latents. */
export interface PictureCoder {
  /** [N, C, H, W]: what is diffused over for pictures; of latents the mode. */
  readonly encode: (pictures: readonly Image[]) => Promise<Tensor>;
  /** Pictures of what is diffused over, [N, C, h, w]. */
  readonly decode: (x: Tensor) => Promise<readonly Image[]>;
  readonly dispose: () => Promise<void>;
}

/** The coder of a model: of its autoencoder, or none where pixels are diffused over. */
export function pictureCoder(
  loaded: LoadedAutoencoder | undefined,
  { engine }: { readonly engine?: Engine | undefined } = {},
): PictureCoder {
  const on = engine === undefined ? {} : { engine };
  const pixels = (pictures: readonly Image[]): Tensor => {
    const { data, shape } = fromImages(pictures);
    return tensor(data, { shape });
  };
  const images = async (x: Tensor): Promise<readonly Image[]> =>
    toImages({ data: await float32Data(x, on), shape: x.shape as readonly [number, number, number, number] });
  if (loaded === undefined) {
    return Object.freeze({
      encode: async (pictures: readonly Image[]) => pixels(pictures),
      decode: images,
      dispose: async () => {},
    });
  }
  const { autoencoder, params } = loaded;
  const encode = compile((weights: unknown, x: Tensor) => scaledLatents(autoencoder.encode(inFloat32(weights), x).mode, autoencoder.info), {
    freeze: [0],
    name: 'encoder',
    ...on,
  });
  const decode = compile((weights: unknown, z: Tensor) => autoencoder.decode(inFloat32(weights), unscaledLatents(z, autoencoder.info)), {
    freeze: [0],
    name: 'decoder',
    ...on,
  });
  return Object.freeze({
    encode: async (pictures: readonly Image[]) => encode(params as never, pixels(pictures) as never),
    decode: async (x: Tensor) => images(await decode(params as never, x as never)),
    dispose: async () => {
      await encode.dispose();
      await decode.dispose();
    },
  });
}
