import type { DiffusionBatch } from '@langevin/diffusion';
import { fromImages, prefetched, shuffled, type PictureItem, type StreamBatch } from '@langevin/io';
import { counterGenerator, tensor, UserError } from '@langevin/tensor';
import type { Position } from '@langevin/training';
import type { LabelledPictures } from './labelled-pictures.ts';

export interface PictureBatchesOptions {
  /** Form that the network takes. */
  readonly form: { readonly channels: number; readonly height: number; readonly width: number };
  readonly batchSize: number;
  /** Decides order and flips. */
  readonly seed: number;
  readonly flip: 'none' | 'horizontal';
  /** Whether the network takes labels; `none` is the one that stands for no label, where labels are dropped. */
  readonly label?: { readonly none?: number } | undefined;
}

/** Keeps draws of flips apart from others of the same seed. */
const FLIP = 0x666c6970;

/**
 * Batches of pictures as float32 [N, C, H, W] in [-1, 1], each a function of its position; the next one is loaded while a step runs.
 *
 * @throws UserError from a batch, when a picture has another form than the network takes
 */
export function pictureBatches(
  { source, labels }: Pick<LabelledPictures, 'source' | 'labels'>,
  { form, batchSize, seed, flip, label }: PictureBatchesOptions,
): (position: Position) => Promise<DiffusionBatch> {
  const stream = prefetched(shuffled(source, { batchSize, seed }));
  return async (position) => {
    const { items, numbers, epochs, next }: StreamBatch<PictureItem> = await stream.at(position);
    for (const item of items) checkForm(item, form);
    const { data, shape } = fromImages(items.map(({ image }) => image));
    if (flip === 'horizontal') {
      const size = data.length / items.length;
      numbers.forEach((number, i) => {
        if (counterGenerator({ seed, stream: [FLIP, epochs[i]!, number] }).uniform(1)[0]! >= 0.5) return;
        const picture = data.subarray(i * size, (i + 1) * size);
        for (let row = 0; row < size; row += form.width) picture.subarray(row, row + form.width).reverse();
      });
    }
    const all = (value: (number: number) => number) => tensor(Int32Array.from(numbers, value), { dtype: 'int32', shape: [numbers.length] });
    return {
      x0: data,
      shape,
      next,
      items: numbers.map((number) => source.itemName(number)),
      ...(label && { conditions: { label: all((number) => labels[number]!) } }),
      ...(label?.none !== undefined && { nulls: { label: all(() => label.none!) } }),
    };
  };
}

/** @throws UserError when a picture is not of the network's form */
export function checkForm({ name, image }: PictureItem, form: PictureBatchesOptions['form']): void {
  const { channels, height, width } = image;
  if (channels === form.channels && height === form.height && width === form.width) return;
  throw new UserError(
    `[pipelines/data] a picture does not fit the network: ${name} is [${channels}, ${height}, ${width}], the network takes `
      + `[${form.channels}, ${form.height}, ${form.width}]. Change in_channels, sample_size or patch, or the size that the data set gives.`,
  );
}
