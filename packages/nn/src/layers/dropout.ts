import { greaterEqual, mul, cast, UserError, type Tensor } from '@langevin/tensor';
import { evalMode } from '../mode.ts';
import { functional, type Layer, type NoParams } from '../module.ts';

/**
 * In training, each element is zero with the given probability and 1 / (1 - probability) times itself otherwise; in evaluation nothing
 * happens. Srivastava et al. 2014.
 *
 * @param probability in [0, 1]
 */
export function dropout(probability: number): Layer<NoParams> {
  if (!(probability >= 0 && probability <= 1))
    throw new UserError(`[nn/dropout] probability is out of range: probability=${probability}. Give a number in [0, 1].`);
  return functional((x: Tensor, mode = evalMode) => {
    if (mode.kind === 'eval' || probability === 0) return x;
    if (probability === 1) return mul(x, 0);
    const kept = cast(greaterEqual(mode.uniform(x.shape), probability), x.dtype);
    return mul(x, mul(kept, 1 / (1 - probability)));
  });
}
