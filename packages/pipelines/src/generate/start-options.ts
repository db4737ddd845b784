import type { Image } from '@langevin/io';
import { checkChoice, checkNumber, shownValue, UserError } from '@langevin/tensor';
import type { GenerateOptions } from './options.ts';
import { checkSize, pictureForEach, type Wanted } from './picture-lists.ts';
import type { OpenProduct } from './product.ts';

const WHERE = 'pipelines/generate';

/** What pictures begin with, one for each that is made. */
export interface CheckedStart {
  readonly pictures: readonly Image[];
  readonly strength: number;
  /** Absent where all of them may change. */
  readonly masks?: readonly Image[];
  /** What they are outside of the masks: as they were, or as decoded. */
  readonly outside: 'kept' | 'decoded';
}

/** What pictures begin with, of the options that say it. @throws UserError for options that do not go together, or not with the model */
export function startOf(
  { image, mask, outside, strength: given }: Pick<GenerateOptions, 'image' | 'mask' | 'outside' | 'strength'>,
  { model, steps, ...wanted }: Wanted & { readonly model: OpenProduct; readonly steps: number },
): CheckedStart | undefined {
  if (image === undefined) {
    if (model.fills === 'joined')
      throw new UserError(
        `[${WHERE}] the model makes parts of a picture anew: image=undefined, model=${model.label}. Pass image and mask.`,
      );
    for (const [name, value] of Object.entries({ strength: given, mask, outside }))
      if (value !== undefined)
        throw new UserError(
          `[${WHERE}] ${name} is of a picture to begin with, and there is none: ${name}=${shownValue(value)}. Pass image.`,
        );
    return undefined;
  }
  if (mask === undefined && model.fills === 'joined')
    throw new UserError(`[${WHERE}] the model makes parts of a picture anew: mask=undefined, model=${model.label}. Pass mask.`);
  const strength = given === undefined ? (mask === undefined ? 0.8 : 1) : given;
  checkNumber(WHERE, { strength }, { atLeast: 0, atMost: 1 });
  const pictures = pictureForEach('image', image, wanted);
  const [{ width, height }] = pictures;
  const other = pictures.find((each) => each.width !== width || each.height !== height || each.channels !== 3);
  if (other !== undefined)
    throw new UserError(
      `[${WHERE}] pictures to begin with are of one size and three channels: first=${width}x${height}, `
        + `other=${other.width}x${other.height} with ${other.channels} channels. Resize them, and put what is transparent on a background.`,
    );
  if (mask === undefined && outside !== undefined)
    throw new UserError(`[${WHERE}] outside is of a mask, and there is none: outside=${shownValue(outside)}. Pass mask.`);
  checkChoice(WHERE, { outside: outside ?? 'kept' }, ['kept', 'decoded']);
  if (mask === undefined) return { pictures, strength, outside: 'decoded' };
  if (model.partialStep === 'run' ? strength === 0 : steps * strength + 1e-9 < 1)
    throw new UserError(
      `[${WHERE}] nothing would be made anew: steps=${steps}, strength=${strength}, which runs no step. Raise one of them.`,
    );
  const masks = pictureForEach('mask', mask, wanted);
  checkSize('mask', masks, { width, height });
  return { pictures, strength, masks, outside: outside ?? 'kept' };
}
