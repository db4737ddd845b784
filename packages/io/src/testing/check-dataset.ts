import { UserError } from '@langevin/tensor';
import { batches } from '../datasets/batches.ts';
import type { Dataset } from '../datasets/dataset.ts';

/**
 * The conformance kit of data sets: loads one twice and checks everything that training relies on. Throws at the first
 * failure, so that it works in any test runner.
 *
 * @param load loads the data set afresh at each call
 * @throws {UserError} saying which promise is broken
 * @example
 * import { memoryDataset } from '@langevin/io';
 * import { checkDataset } from '@langevin/io/testing';
 * await checkDataset(async () => memoryDataset({ name: 'one', imageShape: [1, 1, 1], images: new Uint8Array(1) }));
 */
export async function checkDataset(load: () => Promise<Dataset>): Promise<void> {
  const [first, second] = [await load(), await load()];
  const { name, length, imageShape, classes } = first;
  const promise = (holds: boolean, what: string): void => {
    if (!holds) throw new UserError(`[io/testing] data set ${JSON.stringify(name)} breaks its contract: ${what}.`);
  };
  promise(Number.isSafeInteger(length) && length > 0, `length=${length} must be a positive integer`);
  promise(
    imageShape.length === 3 && imageShape.every((side) => Number.isSafeInteger(side) && side > 0),
    `imageShape=[${imageShape.join(', ')}] must be three positive integers`,
  );
  promise(
    classes === null || (classes.length > 0 && new Set(classes).size === classes.length),
    'classes must be null, or distinct and not empty',
  );
  promise(second.length === length && String(second.classes) === String(classes), 'loading twice must give the same length and classes');
  const size = imageShape[0] * imageShape[1] * imageShape[2];
  const bound = classes?.length ?? 1;
  for (let i = 0; i < length; i++) {
    const { image, label } = first.item(i);
    const again = second.item(i);
    promise(image instanceof Uint8Array && image.length === size, `item(${i}).image must be a Uint8Array of ${size} bytes`);
    promise(Number.isInteger(label) && label >= 0 && label < bound, `item(${i}).label=${label} must be an integer from 0 to ${bound - 1}`);
    promise(
      again.label === label && again.image.every((byte, at) => byte === image[at]),
      `item(${i}) must be the same after loading again`,
    );
    promise(first.itemName(i).length > 0 && first.itemName(i) === second.itemName(i), `itemName(${i}) must be text, the same each time`);
  }
  for (const i of [-1, length, 0.5, NaN])
    promise(
      refuses(() => first.item(i)),
      `item(${i}) must throw`,
    );
  for (const batch of batches(first, { batchSize: Math.min(8, length), seed: 0, epochs: 1 })) {
    promise(
      batch.images.every((value) => value >= -1 && value <= 1),
      'batches must be in [-1, 1]',
    );
    break;
  }
}

function refuses(call: () => unknown): boolean {
  try {
    call();
    return false;
  } catch {
    return true;
  }
}
