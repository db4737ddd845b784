import { add, UserError, type Tensor } from '@langevin/tensor';

/**
 * Features of a network and what somebody adds to them: of the same sides, or of one pixel that stands for all. Nothing given, they stay.
 *
 * @param name of the condition, for messages
 * @throws UserError when the sides differ
 */
export function addFeatures(x: Tensor, added: Tensor | undefined, name: string): Tensor {
  if (added === undefined) return x;
  const fits =
    added.rank === x.rank && added.shape[1] === x.shape[1] && added.shape.slice(2).every((n, i) => n === 1 || n === x.shape[i + 2]);
  if (fits) return add(x, added);
  throw new UserError(
    `[backbones/unet] what is added has other sides than the features there: ${name}=[${added.shape.join(', ')}], features=`
      + `[${x.shape.join(', ')}]. Give a ControlNet or an adapter a picture of the sample's size.`,
  );
}
