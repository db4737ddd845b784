import { UserError } from '@langevin/tensor';

/** What pictures and latents of one autoencoder have to be. */
export interface PictureSizes {
  /** "package/part", as errors begin. */
  readonly where: string;
  readonly channels: number;
  /** Of each side. @default 1 */
  readonly smallest?: number;
  /** Sides are multiples of it. @default 1 */
  readonly multiple?: number;
}

/** Refuse what is no batch of pictures [N, channels, H, W] of these sizes. @throws UserError */
export function checkPictures(shape: readonly number[], { where, channels, smallest = 1, multiple = 1 }: PictureSizes): void {
  const sides = shape.slice(2);
  if (shape.length === 4 && shape[0]! > 0 && shape[1] === channels && sides.every((n) => n >= smallest && n % multiple === 0)) return;
  const wanted = multiple > 1 ? `sides that are multiples of ${multiple}` : `sides of at least ${smallest}`;
  throw new UserError(`[${where}] pictures do not fit: x=[${shape.join(', ')}]. Give [N, ${channels}, H, W] with ${wanted}.`);
}

/** Refuse what is no batch of latents [N, channels, h, w]. @throws UserError */
export function checkLatents(shape: readonly number[], { where, channels }: Pick<PictureSizes, 'where' | 'channels'>): void {
  if (shape.length === 4 && shape[1] === channels && shape.every((n) => n > 0)) return;
  throw new UserError(`[${where}] latents do not fit: z=[${shape.join(', ')}]. Give [N, ${channels}, h, w].`);
}
