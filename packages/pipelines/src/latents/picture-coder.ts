import { fromImages, toImages, type Image } from '@langevin/io';
import { float32Data, tensor, type Engine, type Tensor } from '@langevin/tensor';
import { latentCoder, type DecodeOptions } from '../generate/parts/latent-coder.ts';
import type { LoadedAutoencoder } from './autoencoder-folder.ts';

/** Between pictures and what is diffused over: pixels themselves, or latents. */
export interface PictureCoder {
  /** [N, C, H, W]: what is diffused over for pictures; of latents the mode. */
  readonly encode: (pictures: readonly Image[]) => Promise<Tensor>;
  /** Pictures of what is diffused over, [N, C, h, w], all at once. @param how in tiles or bands, for large ones */
  readonly decode: (x: Tensor, how?: DecodeOptions) => Promise<readonly Image[]>;
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
  const coder = latentCoder({ module: autoencoder, params }, on);
  return Object.freeze({
    encode: async (pictures: readonly Image[]) => coder.encodeMode(pixels(pictures)),
    decode: async (x: Tensor, how: DecodeOptions = {}) => coder.decode(x, { together: x.shape[0]!, ...how }),
    dispose: coder.dispose,
  });
}
