import { UserError } from '@langevin/tensor';

/** What pictures and latents of one autoencoder have to be. */
export interface PictureSizes {
  /** "package/part", as errors begin. */
  readonly where: string;
  readonly channels: number;
  /** Names of the axes behind the channels. @default ['H', 'W'] */
  readonly axes?: readonly string[];
  /** Of each side. @default 1 */
  readonly smallest?: number;
  /** Sides are multiples of it. @default 1 */
  readonly multiple?: number;
}

/** Refuse what is no batch [N, channels, ...axes] of these sizes. @throws UserError */
export function checkPictures(
  shape: readonly number[],
  { where, channels, axes = ['H', 'W'], smallest = 1, multiple = 1 }: PictureSizes,
): void {
  const sides = shape.slice(2);
  if (shape.length === 2 + axes.length && shape[0]! > 0 && shape[1] === channels && sides.every((n) => n >= smallest && n % multiple === 0))
    return;
  const wanted = multiple > 1 ? `sides that are multiples of ${multiple}` : `sides of at least ${smallest}`;
  const what = axes.length === 2 ? 'pictures' : 'items';
  throw new UserError(
    `[${where}] ${what} do not fit: x=[${shape.join(', ')}]. Give [N, ${[channels, ...axes].join(', ')}] with ${wanted}.`,
  );
}

/** Refuse what is no batch of latents [N, channels, ...axes]. @throws UserError */
export function checkLatents(
  shape: readonly number[],
  { where, channels, axes = ['h', 'w'] }: Pick<PictureSizes, 'where' | 'channels' | 'axes'>,
): void {
  if (shape.length === 2 + axes.length && shape[1] === channels && shape.every((n) => n > 0)) return;
  throw new UserError(`[${where}] latents do not fit: z=[${shape.join(', ')}]. Give [N, ${[channels, ...axes].join(', ')}].`);
}
