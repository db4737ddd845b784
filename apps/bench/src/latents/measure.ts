import { fromImages, toImages, type Image } from '@langevin/io';
import {
  extrapolatedFrechet,
  frechetDistance,
  kernelDistance,
  momentsOf,
  precisionRecall,
  psnr,
  spectrumOf,
  ssim,
  type FeatureExtractor,
  type FeatureSet,
} from '@langevin/metrics';
import { plainFeatures } from '../samplers/features.ts';
import { inFloat32 } from '@langevin/nn';
import type { LoadedAutoencoder } from '@langevin/pipelines';
import { isCoded, latentStatistics, perplexity } from '@langevin/latent-ae';
import { compile, counterGenerator, float32Data, item, mean, numbers, tensor, type Engine, type Tensor } from '@langevin/tensor';

const BATCH = 50;

/** How far a set of pictures is from data, in the features of a judge that took no part in any training. */
export interface Distances {
  readonly count: number;
  readonly frechet: number;
  readonly extrapolated: number;
  readonly kernel: number;
  readonly kernelError: number;
  readonly precision: number;
  readonly recall: number;
  /** Extrapolated Frechet distance in colours, outlines and texture, without any network. */
  readonly texture: number;
}

export async function distancesOf(
  images: readonly Image[],
  {
    judge,
    data,
    plain,
    engine,
  }: { readonly judge: FeatureExtractor; readonly data: FeatureSet; readonly plain: FeatureSet; readonly engine: Engine },
): Promise<Distances> {
  const features = await judge.features(images);
  const kernel = await kernelDistance(features, data, { engine });
  const { precision, recall } = await precisionRecall(features, data, { engine });
  return {
    count: images.length,
    frechet: frechetDistance(momentsOf(features), momentsOf(data)).value,
    extrapolated: (await extrapolatedFrechet(features, data)).value,
    kernel: kernel.value,
    kernelError: kernel.standardError,
    precision,
    recall,
    texture: (await extrapolatedFrechet(plainFeatures(images), plain)).value,
  };
}

/** What an autoencoder's latents are like over pictures. */
export interface LatentFindings {
  /** Numbers of a latent, and of a picture. */
  readonly numbers: readonly [latent: number, picture: number];
  /** Deviation over all numbers of the modes, before scaling. */
  readonly std: number;
  /** Mean deviation of the posterior itself; 0 for codes. */
  readonly noise: number;
  /** Divergence from N(0, I) for each number, in nats; undefined for codes. */
  readonly divergence?: number;
  /** Codes in use, as if all were used equally, of so many; undefined without codes. */
  readonly perplexity?: readonly [used: number, of: number];
}

export interface Reconstructed {
  readonly images: readonly Image[];
  readonly latents: LatentFindings;
  /** Pictures a second on this machine, both ways. */
  readonly encodePerSecond: number;
  readonly decodePerSecond: number;
}

/** Pictures through an autoencoder and back by the mode of the posterior. */
export async function reconstruct(
  images: readonly Image[],
  { autoencoder, params }: LoadedAutoencoder,
  engine: Engine,
): Promise<Reconstructed> {
  const on = { engine };
  const encode = compile(
    (weights: unknown, x: Tensor) => {
      const { mode, moments, divergence } = autoencoder.encode(inFloat32(weights), x);
      const coded = isCoded(autoencoder) ? { indices: autoencoder.quantize(inFloat32(weights), mode).indices } : {};
      return { mode, ...(moments && { moments }), ...(divergence && { divergence: mean(divergence) }), ...coded };
    },
    { freeze: [0], ...on },
  );
  const decode = compile((weights: unknown, z: Tensor) => autoencoder.decode(inFloat32(weights), z), { freeze: [0], ...on });
  const meter = latentStatistics();
  const made: Image[] = [];
  const seconds = { encode: 0, decode: 0 };
  const sums = { divergence: 0, noise: 0, batches: 0 };
  const indices: Int32Array[] = [];
  let size = 0;
  try {
    for (let at = 0; at < images.length; at += BATCH) {
      const { data, shape } = fromImages(images.slice(at, at + BATCH));
      let before = performance.now();
      const encoded = await encode(params as never, tensor(data, { shape }) as never);
      const mode = await float32Data(encoded.mode, on);
      const first = at === 0;
      if (!first) seconds.encode += (performance.now() - before) / 1000;
      meter.add(mode, encoded.mode.shape);
      size = mode.length / shape[0];
      if ('divergence' in encoded && encoded.divergence) sums.divergence += (await item(encoded.divergence, on)) / size;
      if ('moments' in encoded && encoded.moments) sums.noise += noiseOf(await float32Data(encoded.moments, on), shape[0]);
      if ('indices' in encoded) indices.push(Int32Array.from(await numbers(encoded.indices as Tensor, on)));
      sums.batches += 1;
      before = performance.now();
      const decoded = await decode(params as never, encoded.mode as never);
      const pixels = await float32Data(decoded, on);
      if (!first) seconds.decode += (performance.now() - before) / 1000;
      made.push(...toImages({ data: pixels, shape }));
    }
  } finally {
    await encode.dispose();
    await decode.dispose();
  }
  const { std, mean: centre } = meter.result();
  const middle = centre.reduce((sum, m) => sum + m, 0) / centre.length;
  const variance = std.reduce((sum, s, c) => sum + s * s + (centre[c]! - middle) ** 2, 0) / std.length;
  const counted = images.length - BATCH;
  const { width = 0, height = 0, channels = 0 } = images[0] ?? {};
  return {
    images: made,
    latents: {
      numbers: [size, width * height * channels],
      std: Math.sqrt(variance),
      noise: sums.noise / sums.batches,
      ...(!isCoded(autoencoder) && { divergence: sums.divergence / sums.batches }),
      ...(isCoded(autoencoder) && {
        perplexity: [await usedCodes(indices, { codes: autoencoder.codes, engine }), autoencoder.codes] as const,
      }),
    },
    encodePerSecond: counted / seconds.encode,
    decodePerSecond: counted / seconds.decode,
  };
}

/** Mean deviation of posteriors whose moments are [N, 2 channels, ...]. */
function noiseOf(moments: Float32Array, count: number): number {
  const size = moments.length / count;
  let sum = 0;
  for (let n = 0; n < count; n += 1) for (let i = size / 2; i < size; i += 1) sum += Math.exp(moments[n * size + i]! / 2);
  return sum / (count * (size / 2));
}

async function usedCodes(
  parts: readonly Int32Array[],
  { codes, engine }: { readonly codes: number; readonly engine: Engine },
): Promise<number> {
  const all = Int32Array.from(parts.flatMap((part) => [...part]));
  return item(perplexity(tensor(all, { dtype: 'int32', shape: [all.length] }), codes), { engine });
}

/** How close reconstructions are to what was encoded, and how sharp. */
export interface Likeness {
  readonly psnr: number;
  readonly ssim: number;
  /** Power of the upper half of all frequencies, relative to that of the pictures: 1 is as sharp. */
  readonly sharpness: number;
}

export function likenessOf(made: readonly Image[], wanted: readonly Image[]): Likeness {
  const [a, b] = [fromImages(made), fromImages(wanted)];
  const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const high = (pictures: typeof a): number => {
    const { sum } = spectrumOf(pictures);
    return sum.subarray(Math.ceil(sum.length / 2)).reduce((total, power) => total + power, 0);
  };
  return { psnr: average(psnr(a, b)), ssim: average(ssim(a, b)), sharpness: high(a) / high(b) };
}

/** Pictures that an autoencoder makes of normal noise, as if its latents were N(0, I). */
export async function decodedNoise(
  count: number,
  { autoencoder, params }: LoadedAutoencoder,
  { engine, like }: { readonly engine: Engine; readonly like: Image },
): Promise<readonly Image[]> {
  const [, ...latent] = autoencoder.latentShape([1, like.channels, like.height, like.width]);
  const size = latent.reduce((product, n) => product * n, 1);
  const decode = compile((weights: unknown, z: Tensor) => autoencoder.decode(inFloat32(weights), z), { freeze: [0], engine });
  const images: Image[] = [];
  try {
    for (let at = 0; at < count; at += BATCH) {
      const noise = counterGenerator({ seed: 11, stream: [at] }).normal(BATCH * size);
      const made = await decode(params as never, tensor(noise, { shape: [BATCH, ...latent] }) as never);
      images.push(
        ...toImages({ data: await float32Data(made, { engine }), shape: made.shape as readonly [number, number, number, number] }),
      );
    }
  } finally {
    await decode.dispose();
  }
  return images.slice(0, count);
}
