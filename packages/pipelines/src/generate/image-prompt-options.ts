import type { Image } from '@langevin/io';
import { checkNumber, readOptions, shownValue, UserError } from '@langevin/tensor';
import { pictureForEach, type Wanted } from './picture-lists.ts';
import type { OpenProduct } from './product.ts';
import type { ImagePromptCall } from './steer/image-prompts.ts';

const WHERE = 'pipelines/generate';

/** What one IP-Adapter of a model is shown. */
export interface ImagePromptOptions {
  /** A picture of any size for all that are made, or one for each prompt. */
  readonly image: Image | readonly Image[];
  /** How strongly it acts. @default 1 */
  readonly scale?: number;
}

/** What each IP-Adapter of a model is shown. @throws UserError when there are not as many, or what is shown is no picture */
export function imagePromptCalls(
  given: unknown,
  { model, ...wanted }: Wanted & { readonly model: OpenProduct },
): readonly ImagePromptCall[] {
  const adapters = model.imagePrompts ?? [];
  const list: readonly unknown[] | undefined = given === undefined ? [] : Array.isArray(given) ? given : undefined;
  if (list === undefined) throw new UserError(`[${WHERE}] imagePrompts are a list: imagePrompts=${shownValue(given)}. Pass [{ image }].`);
  if (list.length !== adapters.length)
    throw new UserError(
      `[${WHERE}] each IP-Adapter of the model is shown a picture: imagePrompts=${list.length}, of the model=${adapters.length}. `
        + (adapters.length === 0 ? 'Open the model with imagePrompts.' : 'Pass as many, in their order.'),
    );
  return list.map((each) => {
    const { image, scale = 1 } = readOptions(WHERE, each as ImagePromptOptions, ['image', 'scale']);
    checkNumber(WHERE, { scale }, { atLeast: -100, atMost: 100 });
    return { pictures: pictureForEach('picture of an image prompt', image, wanted), scale };
  });
}
