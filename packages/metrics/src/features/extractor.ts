import type { Image } from '@langevin/io';
import { checkChoice, checkNumber, readOptions, UserError } from '@langevin/tensor';
import { featureSet, type FeatureInfo, type FeatureSet } from './feature-set.ts';
import { checkGiven, checkImages, checkRun } from './given.ts';
import { describeInput, preparePictures, type PictureInput } from './picture-input.ts';

/** Numbers with their shape, as a network takes or gives them. */
export interface NetworkArray {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

export interface FeatureRunOptions {
  /** Aborts between batches, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told after each batch how many pictures are done, of how many. */
  readonly progress?: ((done: number, of: number) => void) | undefined;
}

/** What turns pictures into features, with all that makes its numbers comparable. */
export interface FeatureExtractor {
  /** The width is known after the first pictures. */
  readonly info: Omit<FeatureInfo, 'width'>;
  /** @throws UserError for no pictures, or pictures that the network cannot take */
  readonly features: (pictures: readonly Image[], options?: FeatureRunOptions) => Promise<FeatureSet>;
}

export interface PictureFeaturesOptions {
  /** Of the network, the version of its recipe included. */
  readonly name: string;
  /** SHA-256 of the file of the weights, in hexadecimal; `none` for features that are computed without any. */
  readonly hash: string;
  /** Which output of the network is taken. */
  readonly layer: string;
  readonly input: PictureInput;
  /** The network: a batch of pictures to [N, width], or to [N, C, H, W] where `pool` makes one number of each channel. */
  readonly network: (batch: NetworkArray) => Promise<NetworkArray>;
  /** What becomes of axes behind the second: their mean, or numbers of their own. @default 'mean' */
  readonly pool?: 'mean' | 'flatten';
  /** Pictures at a time, always as many: convolutions round differently in batches of other sizes. @default 64 */
  readonly batch?: number;
}

/**
 * An extractor around any network: it is told what the network takes, brings pictures into that form, and gives float64 features with the
 * network's name, layer, hash and input.
 *
 * @throws UserError when an option is out of range; from `features`, for pictures or outputs that do not fit
 * @example
 * import type { Image } from '@langevin/io';
 * const brightness = pictureFeatures({
 *   name: 'brightness', hash: 'none', layer: 'mean', batch: 2,
 *   input: { width: 1, height: 1, channels: 'grey', resize: 'area' },
 *   network: async ({ data, shape }) => ({ data, shape: [shape[0]!, 1] }),
 * });
 * const white: Image = { width: 2, height: 2, channels: 1, data: new Uint8Array(4).fill(255) };
 * (await brightness.features([white])).rows; // => [1]
 */
export function pictureFeatures(options: PictureFeaturesOptions): FeatureExtractor {
  checkGiven('metrics/features', 'an object', { options });
  const { name, hash, layer, input, network, pool = 'mean', batch = 64 } = readOptions('metrics/features', options, OPTIONS);
  checkGiven('metrics/features', 'a text', { name, hash, layer });
  checkGiven('metrics/features', 'a function', { network });
  checkChoice('metrics/features', { pool }, ['mean', 'flatten']);
  checkNumber('metrics/features', { batch }, { atLeast: 1, atMost: 65_536, kind: 'integer' });
  if (!/^(?:none|[0-9a-f]{64})$/u.test(hash))
    throw new UserError(`[metrics/features] not a SHA-256 of weights: hash=${hash}. Give 64 hexadecimal digits, or none.`);
  const info = Object.freeze({ name, layer: pool === 'mean' ? layer : `${layer}, flattened`, hash, input: describeInput(input) });
  return Object.freeze<FeatureExtractor>({
    info,
    features: async (pictures, run = {}) => {
      checkImages('metrics/features', 'pictures', pictures);
      checkRun('metrics/features', run);
      const { signal, progress } = run;
      if (pictures.length === 0) throw new UserError(`[metrics/features] no picture is given: network=${name}. Give at least one.`);
      let rows: Float64Array | undefined;
      for (let from = 0; from < pictures.length; from += batch) {
        signal?.throwIfAborted();
        const own = pictures.slice(from, from + batch);
        // The last batch is filled up with its first picture; what comes of it is dropped.
        const filled = Array.from({ length: batch }, (_, i) => own[i] ?? own[0]!);
        const given = pooled(await network(preparePictures(filled, input)), { batch, pool, name });
        rows ??= new Float64Array(pictures.length * given.width);
        if (rows.length !== pictures.length * given.width)
          throw new UserError(`[metrics/features] network changes its width: network=${name}, width=${given.width}. Give one output.`);
        rows.set(given.rows.subarray(0, own.length * given.width), from * given.width);
        progress?.(from + own.length, pictures.length);
      }
      return featureSet({ ...info, width: rows!.length / pictures.length }, rows!);
    },
  });
}

const OPTIONS = ['name', 'hash', 'layer', 'input', 'network', 'pool', 'batch'];

/** [N, C, ...] as [N, C] or [N, all], float64. */
function pooled(
  output: NetworkArray,
  { batch, pool, name }: { readonly batch: number; readonly pool: 'mean' | 'flatten'; readonly name: string },
): { readonly rows: Float64Array; readonly width: number } {
  checkGiven('metrics/features', 'an object', { output });
  const { data, shape } = output;
  checkGiven('metrics/features', 'a list', { 'output.shape': shape });
  checkGiven('metrics/features', 'an array of floats', { 'output.data': data });
  const size = shape.reduce((product, n) => product * n, 1);
  const [count, channels = 0, ...rest] = shape;
  if (count !== batch || channels < 1 || size < 1 || data.length !== size)
    throw new UserError(
      `[metrics/features] output of the network is not one row for each picture: network=${name}, shape=[${shape.join(', ')}], `
        + `numbers=${data.length}, pictures=${batch}. Choose an output of the form [N, width] or [N, channels, ...].`,
    );
  const places = rest.reduce((product, n) => product * n, 1);
  if (pool === 'flatten' || places === 1) return { rows: Float64Array.from(data), width: size / batch };
  const rows = new Float64Array(batch * channels);
  for (let k = 0; k < size; k += 1) rows[Math.floor(k / places)]! += data[k]! / places;
  return { rows, width: channels };
}
