import type { Image } from '@langevin/io';
import { gaussianPictures } from '@langevin/metrics';
import type { Engine } from '@langevin/tensor';
import type { Pictures } from './pictures.ts';

/** Pictures of the Gaussian of each class alone: as many of each, class after class in turn. */
export async function gaussianPicturesByClass(
  { images, labels, classes }: Pictures,
  { count, seed, engine }: { readonly count: number; readonly seed: number; readonly engine: Engine },
): Promise<readonly Image[]> {
  const each = Math.ceil(count / classes.length);
  const drawn: (readonly Image[])[] = [];
  for (let label = 0; label < classes.length; label += 1) {
    const own = images.filter((_, i) => labels[i] === label);
    drawn.push(await gaussianPictures(own, { count: each, seed: seed * classes.length + label, engine }));
  }
  return Array.from({ length: count }, (_, i) => drawn[i % classes.length]![Math.floor(i / classes.length)]!);
}
