import { defineSource, fromImages, type PictureItem, type Source } from '@langevin/io';
import { cachedOnDisk } from '@langevin/io/node';
import { inFloat32 } from '@langevin/nn';
import { compile, float32Data, tensor, type Engine, type Tensor } from '@langevin/tensor';
import type { LoadedAutoencoder } from './autoencoder-folder.ts';

/** A picture's posterior, as it is, and as that of its mirror image where that was asked for. */
export interface EncodedPicture {
  /** Mean and log variance, [2 channels, h, w], or the latent alone, [channels, h, w], for each of the views. */
  readonly views: readonly Float32Array[];
  /** Of one view. */
  readonly shape: readonly number[];
  /** Whether the log variance is there. */
  readonly kind: 'moments' | 'mode';
}

export interface EncodedPicturesOptions {
  readonly autoencoder: LoadedAutoencoder;
  /** Whether the mirror image is encoded too: a flip of latents is not the latent of a flip. */
  readonly flip: 'none' | 'horizontal';
  /** A folder that keeps what was encoded. @default it is encoded anew by each process */
  readonly folder?: string | undefined;
  readonly engine?: Engine | undefined;
}

/**
 * Pictures as an autoencoder encodes them, once: mean and log variance, so that latents can be drawn anew at each visit. What lies in the
 * folder is named by the hash of the autoencoder's weights, its configuration, the picture's content and the flip: another of any of these
 * is encoded anew.
 *
 * @throws UserError from `load`, when a picture does not fit the autoencoder
 */
export async function encodedPictures(
  source: Source<PictureItem>,
  { autoencoder: loaded, flip, folder, engine }: EncodedPicturesOptions,
): Promise<Source<EncodedPicture>> {
  const { autoencoder, params, config, sha256 } = loaded;
  const on = engine === undefined ? {} : { engine };
  const run = compile(
    (weights: unknown, x: Tensor) => {
      const posterior = autoencoder.encode(inFloat32(weights), x);
      return posterior.moments ?? posterior.mode;
    },
    { freeze: [0], name: 'encoder', ...on },
  );
  const kind = (encoded: number): EncodedPicture['kind'] => (encoded === autoencoder.info.channels ? 'mode' : 'moments');
  const encoded = defineSource<EncodedPicture>({
    name: source.name,
    length: source.length,
    itemName: source.itemName,
    contentOf: source.contentOf,
    load: async (i) => {
      const { image } = await source.load(i);
      const { data, shape } = fromImages([image]);
      const views = flip === 'none' ? [data] : [data, mirrored(data, image.width)];
      const given = await run(
        params as never,
        tensor(Float32Array.from(views.flatMap((view) => [...view])), { shape: [views.length, ...shape.slice(1)] }) as never,
      );
      const values = await float32Data(given, on);
      const size = values.length / views.length;
      return {
        views: views.map((_, v) => values.slice(v * size, (v + 1) * size)),
        shape: given.shape.slice(1),
        kind: kind(given.shape[1]!),
      };
    },
  });
  if (folder === undefined || source.contentOf === undefined) return encoded;
  return cachedOnDisk<EncodedPicture>(encoded, {
    folder,
    key: { latents: sha256, config, flip },
    encode: ({ views, shape }) => bytesOf(views, shape),
    decode: (bytes) => {
      const { views, shape } = fromBytes(bytes);
      return { views, shape, kind: kind(shape[0]!) };
    },
  });
}

/** Each row from its end. */
function mirrored(data: Float32Array, width: number): Float32Array {
  const copy = Float32Array.from(data);
  for (let row = 0; row < copy.length; row += width) copy.subarray(row, row + width).reverse();
  return copy;
}

/** Views, rank, sides; then the numbers. */
function bytesOf(views: readonly Float32Array[], shape: readonly number[]): Uint8Array {
  const head = Uint32Array.of(views.length, shape.length, ...shape);
  return Buffer.concat([head, ...views].map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength)));
}

/** @throws RangeError for bytes of another form, which are then made anew */
function fromBytes(bytes: Uint8Array): { readonly views: readonly Float32Array[]; readonly shape: readonly number[] } {
  const aligned = bytes.slice();
  const [count = 0, rank = 0] = new Uint32Array(aligned.buffer, 0, 2);
  const shape = [...new Uint32Array(aligned.buffer, 8, rank)];
  const size = shape.reduce((product, side) => product * side, 1);
  const from = 8 + 4 * rank;
  if (aligned.byteLength !== from + 4 * size * count) throw new RangeError('no latents');
  return { views: Array.from({ length: count }, (_, v) => new Float32Array(aligned.buffer, from + 4 * size * v, size).slice()), shape };
}
