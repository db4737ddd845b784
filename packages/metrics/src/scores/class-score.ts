import { checkNumber, readOptions, shownValue, UserError } from '@langevin/tensor';
import { checkGiven } from '../features/given.ts';

/** A score in the form of the inception score. */
export interface ClassScore {
  /** Mean over the splits, in 1..classes. */
  readonly value: number;
  /** Standard deviation over the splits; 0 for one. */
  readonly std: number;
  readonly splits: number;
}

/**
 * exp(E KL(p(y | x) || p(y))) (Salimans et al. 2016, arXiv:1606.03498, section 4): high where each picture has a clear class and all
 * classes occur. Called inception score only with the official Inception network; it sees no difference within a class and no data.
 *
 * @param probabilities [count, classes], rows that sum to 1
 * @param options.splits the list is cut into so many parts, in order. @default 10
 * @throws UserError for rows that are no distributions, or fewer items than splits
 * @example
 * classScore({ probabilities: Float64Array.of(1, 0, 0, 1), classes: 2 }, { splits: 1 }).value; // => 2
 */
export function classScore(
  given: { readonly probabilities: Float64Array | Float32Array; readonly classes: number },
  options: { readonly splits?: number } = {},
): ClassScore {
  checkProbabilities(given);
  const { probabilities, classes } = given;
  const { splits = 10 } = readOptions('metrics/class-score', options, ['splits']);
  const count = probabilities.length / classes;
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new UserError(
      `[metrics/class-score] numbers are not whole rows: length=${probabilities.length}, classes=${classes}. Pass [count, classes].`,
    );
  }
  checkNumber('metrics/class-score', { splits }, { atLeast: 1, atMost: count, kind: 'integer' });
  checkDistributions(probabilities, classes);
  const scores = Array.from({ length: splits }, (_, s) => {
    const [from, to] = [Math.floor((s * count) / splits), Math.floor(((s + 1) * count) / splits)];
    return scoreOfTally(tallyOf({ probabilities: probabilities.subarray(from * classes, to * classes), classes }));
  });
  const value = scores.reduce((sum, score) => sum + score, 0) / splits;
  // Over the number of splits, not one less: the form in which the score is published.
  return Object.freeze({ value, std: Math.sqrt(scores.reduce((sum, score) => sum + (score - value) ** 2, 0) / splits), splits });
}

/**
 * What a class score needs of a stream of pictures, in memory that does not grow with it: plain data, to be saved and gone on with.
 */
export interface ClassTally {
  readonly count: number;
  /** Sum of the probabilities of each class, [classes]. */
  readonly sum: Float64Array;
  /** Sum over pictures and classes of p log p. */
  readonly negativeEntropy: number;
}

/** A tally of no pictures, to add to. */
export function noTally(classes: number): ClassTally {
  checkNumber('metrics/class-score', { classes }, { atLeast: 2, atMost: 1e6, kind: 'integer' });
  return Object.freeze({ count: 0, sum: new Float64Array(classes), negativeEntropy: 0 });
}

/**
 * The tally of pictures.
 *
 * @param probabilities [count, classes], rows that sum to 1
 * @throws UserError for rows that are no distributions
 */
export function tallyOf(given: { readonly probabilities: Float64Array | Float32Array; readonly classes: number }): ClassTally {
  checkProbabilities(given);
  const { probabilities, classes } = given;
  const sum = noTally(classes).sum;
  checkDistributions(probabilities, classes);
  let negativeEntropy = 0;
  for (let k = 0; k < probabilities.length; k += 1) {
    const p = probabilities[k]!;
    sum[k % classes]! += p;
    if (p > 0) negativeEntropy += p * Math.log(p);
  }
  return Object.freeze({ count: probabilities.length / classes, sum, negativeEntropy });
}

/** Tallies of two streams put together. @throws UserError when they count other classes */
export function mergeTallies(a: ClassTally, b: ClassTally): ClassTally {
  checkTallies({ a, b });
  if (a.sum.length !== b.sum.length)
    throw new UserError(`[metrics/class-score] tallies count other classes: classes=${a.sum.length} and ${b.sum.length}. Use one judge.`);
  const sum = a.sum.map((value, c) => value + b.sum[c]!);
  return Object.freeze({ count: a.count + b.count, sum, negativeEntropy: a.negativeEntropy + b.negativeEntropy });
}

/**
 * exp(E KL(p(y | x) || p(y))) over all pictures of a tally: that of {@link classScore} with one split.
 *
 * @throws UserError for no pictures
 * @example
 * const first = tallyOf({ probabilities: Float64Array.of(1, 0), classes: 2 });
 * const second = tallyOf({ probabilities: Float64Array.of(0, 1), classes: 2 });
 * scoreOfTally(mergeTallies(first, second)); // => 2
 */
export function scoreOfTally(tally: ClassTally): number {
  checkTallies({ tally });
  const { count, sum, negativeEntropy } = tally;
  if (count < 1) throw new UserError('[metrics/class-score] a tally is of no pictures: count=0. Add some.');
  // E sum_c p log(p / m) = (sum of p log p) / n - sum_c m log m, with m the mean of p.
  const ofMean = sum.reduce((total, value) => total + (value > 0 ? (value / count) * Math.log(value / count) : 0), 0);
  return Math.exp(negativeEntropy / count - ofMean);
}

function checkProbabilities(given: { readonly probabilities?: unknown; readonly classes?: unknown }): void {
  checkGiven('metrics/class-score', 'an object', { given });
  checkGiven('metrics/class-score', 'an array of floats', { probabilities: given.probabilities });
  checkNumber('metrics/class-score', { classes: given.classes }, { atLeast: 2, atMost: 1e6, kind: 'integer' });
}

function checkTallies(tallies: Readonly<Record<string, Partial<ClassTally> | null | undefined>>): void {
  for (const [name, tally] of Object.entries(tallies)) {
    if (tally?.sum instanceof Float64Array && Number.isSafeInteger(tally.count) && Number.isFinite(tally.negativeEntropy)) continue;
    throw new UserError(
      `[metrics/class-score] not what tallyOf() gives: ${name}=${shownValue(tally)}. Pass tallyOf({ probabilities, classes }).`,
    );
  }
}

function checkDistributions(rows: Float64Array | Float32Array, classes: number): void {
  for (let item = 0; item < rows.length / classes; item += 1) {
    let sum = 0;
    let valid = true;
    for (let c = 0; c < classes; c += 1) {
      const p = rows[item * classes + c]!;
      valid &&= p >= 0 && p <= 1 + 1e-5;
      sum += p;
    }
    // A softmax in single precision sums to 1 within a few units in the last place of each class.
    if (valid && Math.abs(sum - 1) <= 1e-4) continue;
    throw new UserError(`[metrics/class-score] a row is no distribution: item=${item}, sum=${sum}. Pass probabilities, not logits.`);
  }
}
