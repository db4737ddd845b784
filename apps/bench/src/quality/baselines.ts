import { toImages, type Image } from '@langevin/io';
import { counterGenerator, float32Data, matmul, tensor, type Engine } from '@langevin/tensor';
import { pixels } from './judge.ts';
import type { Pictures } from './pictures.ts';

/** Training pictures that a Gaussian is made of, at most; a few thousand change nothing that a distance would show. */
const MOST = 12_000;

/**
 * Samples of the Gaussian with the mean and covariance of training pictures, all pixels together: what a model that knows only how pairs of
 * pixels go together can do. mean + sum_i z_i (x_i - mean) / sqrt(n) with unit normals z has exactly the covariance of the pictures x, and
 * nothing has to be factorised. Values out of range are clipped, as in any picture.
 */
export async function gaussianPictures(
  { images }: Pick<Pictures, 'images'>,
  { count, seed, engine }: { readonly count: number; readonly seed: number; readonly engine: Engine },
): Promise<readonly Image[]> {
  const chosen = images.slice(0, MOST);
  const { rows, width: size } = pixels(chosen);
  const n = chosen.length;
  const mean = new Float64Array(size);
  for (let k = 0; k < rows.length; k += 1) mean[k % size]! += rows[k]! / n;
  const centred = Float32Array.from(rows, (value, k) => (value - mean[k % size]!) / Math.sqrt(n));
  const z = Float32Array.from(counterGenerator({ seed, stream: [0] }).normal(count * n));
  const moved = await float32Data(matmul(tensor(z, { shape: [count, n] }), tensor(centred, { shape: [n, size] })), { engine });
  const { width, height, channels } = chosen[0]!;
  // Interleaved bytes become planes, as networks and toImages() have them.
  const planes = new Float32Array(count * size);
  for (let i = 0; i < count; i += 1) {
    for (let j = 0; j < size; j += 1) {
      const [pixel, channel] = [Math.floor(j / channels), j % channels];
      planes[i * size + channel * width * height + pixel] = 2 * (mean[j]! + moved[i * size + j]!) - 1;
    }
  }
  return toImages({ data: planes, shape: [count, channels, height, width] });
}

/** The same for each class alone: as many of each, class after class in turn. */
export async function gaussianPicturesByClass(
  { images, labels, classes }: Pictures,
  { count, seed, engine }: { readonly count: number; readonly seed: number; readonly engine: Engine },
): Promise<readonly Image[]> {
  const each = Math.ceil(count / classes.length);
  const drawn: (readonly Image[])[] = [];
  for (let label = 0; label < classes.length; label += 1) {
    const own = images.filter((_, i) => labels[i] === label);
    drawn.push(await gaussianPictures({ images: own }, { count: each, seed: seed * classes.length + label, engine }));
  }
  return Array.from({ length: count }, (_, i) => drawn[i % classes.length]![Math.floor(i / classes.length)]!);
}
