import type { AutoencoderInfo } from '@langevin/core';
import type { DiffusionBatch } from '@langevin/diffusion';
import { cachedInMemory, prefetched, shuffled, type Source } from '@langevin/io';
import { counterGenerator, tensor } from '@langevin/tensor';
import type { Position } from '@langevin/training';
import type { EncodedPicture } from './encoded-pictures.ts';

export interface LatentBatchesOptions {
  readonly info: Pick<AutoencoderInfo, 'scale' | 'shift'>;
  readonly batchSize: number;
  /** Decides order, flips and draws. */
  readonly seed: number;
  /** Whether a latent is drawn from its posterior at each visit, or is its mode. */
  readonly draw: 'sample' | 'mode';
  /** Of each picture, where the network takes labels; `none` is the one that stands for no label, where labels are dropped. */
  readonly label?: { readonly of: Int32Array; readonly none?: number } | undefined;
}

/** Keep draws of one seed apart. */
const FLIP = 0x666c6970;
const POSTERIOR = 0x706f7374;
/** Bounds of a log variance, those of the posterior over tensors. */
const LOG_VARIANCE = { min: -30, max: 20 } as const;

/**
 * Batches of latents as float32 [N, channels, h, w], shifted and scaled as they are diffused over, each a function of its position: order,
 * flips and draws depend on the seed alone.
 */
export function latentBatches(
  source: Source<EncodedPicture>,
  { info, batchSize, seed, draw, label }: LatentBatchesOptions,
): (position: Position) => Promise<DiffusionBatch> {
  const kept = cachedInMemory(source, { bytesOf: ({ views }) => views.reduce((bytes, view) => bytes + view.byteLength, 0) });
  const stream = prefetched(shuffled(kept, { batchSize, seed }));
  return async (position) => {
    const { items, numbers, epochs, next } = await stream.at(position);
    const [{ shape, kind }] = items as [EncodedPicture];
    const channels = kind === 'moments' ? shape[0]! / 2 : shape[0]!;
    const latent = [channels, ...shape.slice(1)];
    const size = latent.reduce((product, side) => product * side, 1);
    const x0 = new Float32Array(items.length * size);
    items.forEach(({ views }, k) => {
      const place = [epochs[k]!, numbers[k]!];
      const mirrored = views.length > 1 && counterGenerator({ seed, stream: [FLIP, ...place] }).uniform(1)[0]! < 0.5;
      const view = views[mirrored ? 1 : 0]!;
      const noise =
        kind === 'moments' && draw === 'sample' ? counterGenerator({ seed, stream: [POSTERIOR, ...place] }).normal(size) : undefined;
      fill(x0.subarray(k * size, (k + 1) * size), { view, noise, info, perChannel: size / channels });
    });
    const all = (value: (number: number) => number) => tensor(Int32Array.from(numbers, value), { dtype: 'int32', shape: [numbers.length] });
    return {
      x0,
      shape: [items.length, ...latent],
      next,
      items: numbers.map((number) => source.itemName(number)),
      ...(label && { conditions: { label: all((number) => label.of[number]!) } }),
      ...(label?.none !== undefined && { nulls: { label: all(() => label.none!) } }),
    };
  };
}

interface Filling {
  readonly view: Float32Array;
  readonly noise: Float32Array | undefined;
  readonly info: LatentBatchesOptions['info'];
  readonly perChannel: number;
}

/** (mean + deviation noise - shift) * scale. */
function fill(out: Float32Array, { view, noise, info: { scale, shift }, perChannel }: Filling): void {
  const of = (given: number | readonly number[], channel: number): number => (typeof given === 'number' ? given : given[channel]!);
  for (let i = 0; i < out.length; i += 1) {
    const channel = Math.floor(i / perChannel);
    const mean = view[i]!;
    const logVariance = noise === undefined ? 0 : Math.min(LOG_VARIANCE.max, Math.max(LOG_VARIANCE.min, view[out.length + i]!));
    const drawn = noise === undefined ? mean : mean + Math.exp(logVariance / 2) * noise[i]!;
    out[i] = (drawn - of(shift, channel)) * of(scale, channel);
  }
}
