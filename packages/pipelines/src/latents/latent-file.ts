import type { AutoencoderInfo } from '@langevin/core';
import { openSafetensors, writeSafetensors } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import { widened } from '../widened.ts';
import type { LoadedAutoencoder } from './autoencoder-folder.ts';

/** The name of the tensor in a file of latents, and of what its header says. */
const TENSOR = 'latents';
const HASH = 'autoencoder_sha256';
/** Names of pictures in a header: more are not kept. */
const MOST_NAMES = 100_000;

/** Latents of several pictures, shifted and scaled as they are diffused over. */
export interface LatentFile {
  /** float32 [N, channels, h, w] */
  readonly data: Float32Array;
  readonly shape: readonly [count: number, channels: number, height: number, width: number];
  /** What the pictures were called, in order; numbers where the file does not say. */
  readonly names: readonly string[];
}

/** Writes latents with the hash of their autoencoder, which alone decodes them. @throws UserError when the disk fails */
export async function writeLatents(
  path: string,
  { data, shape, names }: LatentFile,
  { sha256 }: Pick<LoadedAutoencoder, 'sha256'>,
): Promise<void> {
  await writeSafetensors(path, new Map([[TENSOR, { dtype: 'float32' as const, shape, data }]]), {
    metadata: { [HASH]: sha256, ...(names.length <= MOST_NAMES && { names: JSON.stringify(names) }) },
  });
}

/**
 * Reads latents that an autoencoder is to decode.
 *
 * @throws UserError when the file has none, or they are those of another autoencoder
 */
export async function readLatents(
  path: string,
  { sha256, autoencoder }: { readonly sha256: string; readonly autoencoder: { readonly info: AutoencoderInfo } },
): Promise<LatentFile> {
  const file = await openSafetensors(path);
  try {
    const entry = file.entries.get(TENSOR);
    if (entry === undefined || entry.shape.length !== 4 || entry.shape[0] === 0)
      throw new UserError(
        `[pipelines/latents] file holds no latents: path=${path}, ${TENSOR}=${entry ? `[${entry.shape.join(', ')}]` : 'missing'}. `
          + 'Give what "langevin encode" wrote.',
      );
    const shape = entry.shape as unknown as LatentFile['shape'];
    const made = file.metadata[HASH];
    if (made !== undefined && made !== sha256)
      throw new UserError(
        `[pipelines/latents] latents are those of another autoencoder: path=${path}, sha256=${made.slice(0, 12)}, the one given has `
          + `${sha256.slice(0, 12)}. Decode them by the autoencoder that they were encoded by.`,
      );
    if (shape[1] !== autoencoder.info.channels)
      throw new UserError(
        `[pipelines/latents] latents have other channels: path=${path}, channels=${shape[1]}, autoencoder=`
          + `${autoencoder.info.channels}. Give another autoencoder.`,
      );
    const { data, dtype } = widened(await file.read(TENSOR));
    if (dtype !== 'float32' || !(data as Float32Array).every(Number.isFinite))
      throw new UserError(`[pipelines/latents] latents are no finite floats: path=${path}, dtype=${dtype}. Encode pictures anew.`);
    return { data: data as Float32Array, shape, names: namesOf(file.metadata['names'], shape[0]) };
  } finally {
    await file.close();
  }
}

/** Names from a header; numbers where they are none. */
function namesOf(text: string | undefined, count: number): readonly string[] {
  const numbered = Array.from({ length: count }, (_, i) => String(i));
  if (text === undefined) return numbered;
  try {
    const names: unknown = JSON.parse(text);
    return Array.isArray(names) && names.length === count && names.every((name) => typeof name === 'string') ? names : numbered;
  } catch {
    return numbered;
  }
}
