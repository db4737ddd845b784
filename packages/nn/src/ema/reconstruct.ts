import { add, isFloating, mapTensors, mul, UserError, type Tensor } from '@langevin/tensor';
import { checkStd, exponentOfStd, profileProduct } from './power-profile.ts';
import { solve } from './solve.ts';

/** When and how wide an average was taken. */
export interface AverageTime {
  /** Number of training steps, > 0. */
  readonly step: number;
  /** Relative width, in (0, 0.2886]. */
  readonly std: number;
}

export interface EmaSnapshot<P> extends AverageTime {
  readonly params: P;
}

/**
 * Coefficients, one for each snapshot, of the combination closest to the average with another width: least squares over profiles,
 * scaled to sum 1. Karras et al. 2024 (arXiv:2312.02696), section 3.2.
 *
 * @param target `step` defaults to that of the last snapshot
 * @throws UserError when there are no snapshots, two are equal, or a width is out of range
 */
export function reconstructionWeights(
  snapshots: readonly AverageTime[],
  target: { readonly std: number; readonly step?: number },
): Float64Array {
  if (snapshots.length === 0)
    throw new UserError(
      '[nn/reconstructionWeights] no snapshots: snapshots=[]. Store power-function averages of two widths while training.',
    );
  checkStd('reconstructionWeights', target.std);
  const profiles = snapshots.map(({ step, std }, i) => {
    checkStd('reconstructionWeights', std);
    if (!(step > 0))
      throw new UserError(
        `[nn/reconstructionWeights] step is not positive: snapshots[${i}].step=${step}. Give the number of training steps.`,
      );
    if (snapshots.findIndex((other) => other.step === step && other.std === std) < i) {
      throw new UserError(
        `[nn/reconstructionWeights] snapshot occurs twice: snapshots[${i}] has step=${step}, std=${std}. Give each once.`,
      );
    }
    return { step, gamma: exponentOfStd(std) };
  });
  const step = target.step ?? Math.max(...profiles.map((profile) => profile.step));
  if (!(step > 0))
    throw new UserError(`[nn/reconstructionWeights] step is not positive: target.step=${step}. Give the number of training steps.`);
  const wanted = { step, gamma: exponentOfStd(target.std) };
  // Profiles of unit length make the system as well conditioned as scaling can.
  const lengths = profiles.map((profile) => Math.sqrt(profileProduct(profile, profile)));
  const gram = profiles.map((a, i) => profiles.map((b, j) => profileProduct(a, b) / (lengths[i]! * lengths[j]!)));
  const unscaled = solve(
    gram,
    profiles.map((profile, i) => profileProduct(profile, wanted) / lengths[i]!),
  );
  const weights = unscaled.map((x, i) => x / lengths[i]!);
  const total = weights.reduce((sum, x) => sum + x, 0);
  return weights.map((x) => x / total);
}

/**
 * Parameters averaged with a width that was not tracked during training, from stored snapshots of two or more widths.
 *
 * @throws UserError when the snapshots differ in structure; see {@link reconstructionWeights} for the rest
 * @example
 * const at = (std: number, value: number) => ({ step: 1000, std, params: { w: tensor([value]) } });
 * const params = reconstructAverage([at(0.05, 1), at(0.1, 1)], { std: 0.07 });
 * await numbers(params.w); // => [1.0000]
 */
export function reconstructAverage<P>(snapshots: readonly EmaSnapshot<P>[], target: { readonly std: number; readonly step?: number }): P {
  const weights = reconstructionWeights(snapshots, target);
  const [first, ...rest] = snapshots;
  return mapTensors(
    first!.params,
    (x, others) => {
      if (!isFloating(x.dtype)) return others[others.length - 1] ?? x;
      return others.reduce<Tensor>((sum, other, i) => add(sum, mul(other, weights[i + 1]!)), mul(x, weights[0]!));
    },
    ...rest.map((snapshot) => snapshot.params),
  );
}
