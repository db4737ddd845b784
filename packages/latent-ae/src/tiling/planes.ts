import { float32Data, tensor, type Engine, type Tensor } from '@langevin/tensor';

/** One picture on the host: [channels, height, width], row-major. */
export interface Planes {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly data: Float32Array<ArrayBuffer>;
}

export interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

export function emptyPlanes({ channels, height, width }: Omit<Planes, 'data'>): Planes {
  return { channels, height, width, data: new Float32Array(channels * height * width) };
}

/** A box of a picture as a tensor [1, channels, height, width]. */
export function cutOut(from: Planes, { top, left, height, width }: Box): Tensor {
  const part = emptyPlanes({ channels: from.channels, height, width });
  for (let c = 0; c < from.channels; c++)
    for (let y = 0; y < height; y++) {
      const start = (c * from.height + top + y) * from.width + left;
      part.data.set(from.data.subarray(start, start + width), (c * height + y) * width);
    }
  return toTensor(part);
}

export interface Placement {
  readonly top: number;
  readonly left: number;
  /** How many rows and columns of the part are taken, from its top left. */
  readonly height: number;
  readonly width: number;
}

/** Write the top left of a part into a picture. */
export function putInto(to: Planes, part: Planes, { top, left, height, width }: Placement): void {
  for (let c = 0; c < to.channels; c++)
    for (let y = 0; y < height; y++) {
      const start = (c * part.height + y) * part.width;
      to.data.set(part.data.subarray(start, start + width), (c * to.height + top + y) * to.width + left);
    }
}

export const toTensor = ({ channels, height, width, data }: Planes): Tensor => tensor(data, { shape: [1, channels, height, width] });

/** The pictures of a batch [N, C, H, W]. */
export async function picturesOf(batch: Tensor, options: { readonly engine?: Engine }): Promise<readonly Planes[]> {
  const [n, channels, height, width] = batch.shape as readonly [number, number, number, number];
  const values = await float32Data(batch, options);
  const size = channels * height * width;
  return Array.from({ length: n }, (_, i) => ({
    channels,
    height,
    width,
    data: Float32Array.from(values.subarray(i * size, (i + 1) * size)),
  }));
}

/** A batch [N, C, H, W] of pictures of one size. */
export function batchOf(pictures: readonly Planes[]): Tensor {
  const { channels, height, width } = pictures[0]!;
  const size = channels * height * width;
  const data = new Float32Array(pictures.length * size);
  pictures.forEach((picture, i) => {
    data.set(picture.data, i * size);
  });
  return tensor(data, { shape: [pictures.length, channels, height, width] });
}
