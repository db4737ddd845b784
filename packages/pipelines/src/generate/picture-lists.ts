import { fromImages, type Image } from '@langevin/io';
import { UserError } from '@langevin/tensor';

const WHERE = 'pipelines/generate';

/** Prompts of a call, and pictures for each. */
export interface Wanted {
  readonly texts: readonly string[];
  readonly count: number;
}

/**
 * One picture for each that is made, of one that is for all or one for each prompt.
 *
 * @throws UserError naming the option, when there are others, or what is given is no picture
 */
export function pictureForEach(
  name: string,
  given: Image | readonly Image[],
  { texts, count }: Wanted,
): readonly [Image, ...(readonly Image[])] {
  const pictures = Array.isArray(given) ? (given as readonly Image[]) : [given as Image];
  if (pictures.length !== 1 && pictures.length !== texts.length)
    throw new UserError(
      `[${WHERE}] there is one ${name} for all, or one for each: prompts=${texts.length}, ${name}=${pictures.length}. Pass as many.`,
    );
  // What is no picture is refused here.
  for (const picture of pictures) checkPicture(name, picture);
  return texts.flatMap((_, i) => Array.from({ length: count }, () => pictures[i] ?? pictures[0]!)) as unknown as readonly [Image];
}

/** Says which option holds what is no picture. */
function checkPicture(name: string, picture: Image): void {
  try {
    fromImages([picture]);
  } catch (cause) {
    const why = (cause as Error).message.replace(/^\[[^\]]*\] (?:fromImages got )?/u, '');
    throw new UserError(`[${WHERE}] ${name} is no picture: ${why}`, { cause });
  }
}

/** Throws a UserError unless all pictures have this size. */
export function checkSize(name: string, pictures: readonly Image[], wanted: { readonly width: number; readonly height: number }): void {
  const other = pictures.find(({ width, height }) => width !== wanted.width || height !== wanted.height);
  if (other !== undefined)
    throw new UserError(
      `[${WHERE}] ${name} has another size than the picture that is made: ${name}=${other.width}x${other.height}, `
        + `picture=${wanted.width}x${wanted.height}. Resize it.`,
    );
}
