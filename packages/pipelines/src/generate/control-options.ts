import type { Image } from '@langevin/io';
import { checkNumber, readOptions, shownValue, UserError } from '@langevin/tensor';
import { pictureForEach, type Wanted } from './picture-lists.ts';
import type { OpenProduct } from './product.ts';
import type { ControlCall } from './steer/steering.ts';

const WHERE = 'pipelines/generate';

/** What steers one control of a model. */
export interface ControlOptions {
  /** Edges, poses, depths: what the control was trained on; of the size of the picture that is made, which
   * it decides where nothing else does; one for all or one for each prompt. */
  readonly image: Image | readonly Image[];
  /** How strongly it steers. @default 1 */
  readonly scale?: number;
  /** The share of the steps from which on it steers, 0..1. @default 0 */
  readonly from?: number;
  /** The share of the steps until which it steers, 0..1. @default 1 */
  readonly until?: number;
}

/** What each control of a model is told. @throws UserError when there are not as many, or pictures do not fit */
export function controlCalls(given: unknown, { model, ...wanted }: Wanted & { readonly model: OpenProduct }): readonly ControlCall[] {
  const controls = model.controls ?? [];
  const list: readonly unknown[] | undefined = given === undefined ? [] : Array.isArray(given) ? given : undefined;
  if (list === undefined) throw new UserError(`[${WHERE}] controls are a list: controls=${shownValue(given)}. Pass [{ image }].`);
  if (list.length !== controls.length)
    throw new UserError(
      `[${WHERE}] each control of the model has its picture: controls=${list.length}, of the model=${controls.length}. `
        + (controls.length === 0 ? 'Open the model with controls.' : 'Pass as many, in their order.'),
    );
  return list.map((each, i) => {
    const { image, scale = 1, from = 0, until = 1 } = readOptions(WHERE, each as ControlOptions, ['image', 'scale', 'from', 'until']);
    checkNumber(WHERE, { scale }, { atLeast: -100, atMost: 100 });
    checkNumber(WHERE, { from }, { atLeast: 0, atMost: 1 });
    checkNumber(WHERE, { until }, { atLeast: 0, atMost: 1 });
    if (from >= until)
      throw new UserError(`[${WHERE}] a control steers from one share of the steps until a later one: from=${from}, until=${until}.`);
    const pictures = pictureForEach('picture of a control', image, wanted);
    const { channels } = controls[i]!.info.hint;
    const other = pictures.find((picture) => picture.channels !== channels);
    if (other !== undefined)
      throw new UserError(
        `[${WHERE}] the control reads pictures of ${channels} channels: controls[${i}].image has ${other.channels}. Convert it.`,
      );
    return { pictures, scale, from, until };
  });
}
