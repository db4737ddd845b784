import { numbersOf } from '@langevin/nn/testing';
import { tensor, type Tensor } from '@langevin/tensor';

export { numbersOf };
export { weightOf } from '@langevin/nn/testing';

/** An input of a golden file: the shape behind a batch of 2 of what follows from its name, or its values. */
export type Given = { readonly shape: readonly number[] } | { readonly values: readonly number[] | readonly (readonly number[])[] };

/** @param options whether a label is one of a table of classes, or a number */
export function givenTensor(name: string, given: Given, options: { readonly labels?: 'classes' | 'numbers' } = {}): Tensor {
  if ('shape' in given) return numbersOf(name, [2, ...given.shape]);
  const { values } = given;
  const [first] = values;
  const dtype = name.endsWith('.mask') ? 'bool' : name.endsWith('/label') && options.labels !== 'numbers' ? 'int32' : 'float32';
  return tensor(values.flat(), { shape: typeof first === 'number' ? [2] : [2, first!.length], dtype });
}
