import { isLevelList, type Algebra, type Asked, type NoiseLevel, type NoiseLevels } from '@langevin/core';
import { predictionConversion, predictions, type Prediction } from '@langevin/core-schedules';
import { checkNumber, shownValue, UserError } from '@langevin/tensor';

export interface RescaleOptions {
  /** How much of the deviation is restored, 0..1: phi of the paper, which takes 0.7. */
  readonly phi: number;
  /**
   * What deviates. `output` is what the denoiser gives, as it is: for a network's own output, which diffusers rescales, and for x0. A
   * prediction is computed of the x0-prediction first, and turned back at the end. @default 'output'
   */
  readonly of?: 'output' | Exclude<Prediction, 'x0'>;
}

/** Throws a UserError unless these are options. */
export function checkRescale(where: string, { phi, of = 'output' }: RescaleOptions): void {
  checkNumber(where, { phi }, { atLeast: 0, atMost: 1 });
  const known: readonly string[] = ['output', ...predictions.filter((name) => name !== 'x0')];
  if (!known.includes(of))
    throw new UserError(`[${where}] rescale is of something unknown: of=${shownValue(of)}. Known: ${known.join(', ')}.`);
}

/**
 * The guided prediction with the deviation that the conditional one has, item by item (Lin et al. 2023, arXiv:2305.08891, eq. 15 and 16):
 * p' = phi p std(conditional) / std(p) + (1 - phi) p, where a deviation is one over all elements of an item.
 *
 * Of epsilon, of v and of x0 it is three different rules, as it does not commute with adding the state: `of` says which.
 */
export async function rescaled<T>(
  algebra: Algebra<NoInfer<T>>,
  { guided, conditional }: { readonly guided: T; readonly conditional: T },
  { x, at, phi, of = 'output' }: RescaleOptions & Asked<T>,
): Promise<T> {
  if (guided === conditional || phi === 0) return guided;
  const terms = eachLevel(at, algebra.items(x), (level) =>
    of === 'output' ? { x: 0, prediction: 1 } : predictionConversion({ from: 'x0', to: of }, level),
  );
  const deviations = async (value: T): Promise<readonly number[]> => {
    const seen = of === 'output' ? value : algebra.linear([terms.map((t) => t.x), x], [terms.map((t) => t.prediction), value]);
    return deviationsOf(await algebra.toHost(seen), algebra.items(x));
  };
  const [wanted, has] = [await deviations(conditional), await deviations(guided)];
  // What does not vary has no deviation to restore.
  const factors = has.map((std, i) => (std === 0 ? 1 : (phi * wanted[i]!) / std + 1 - phi));
  if (of === 'output') return algebra.linear([factors, guided]);
  // Of p = a x + b D, f p = a x + b D' has D' = f D + (f - 1) a / b x.
  return algebra.linear([factors, guided], [factors.map((f, i) => ((f - 1) * terms[i]!.x) / terms[i]!.prediction), x]);
}

function eachLevel<R>(at: NoiseLevels, items: number, fn: (level: NoiseLevel) => R): readonly R[] {
  if (isLevelList(at)) return at.map(fn);
  const one = fn(at);
  return Array.from({ length: items }, () => one);
}

/** Of each item, in float64 around its own mean. */
function deviationsOf(values: Float32Array | Float64Array, items: number): readonly number[] {
  const size = values.length / items;
  return Array.from({ length: items }, (_, item) => {
    let mean = 0;
    for (let i = item * size; i < (item + 1) * size; i++) mean += values[i]! / size;
    let total = 0;
    for (let i = item * size; i < (item + 1) * size; i++) total += (values[i]! - mean) ** 2;
    return Math.sqrt(total / size);
  });
}
