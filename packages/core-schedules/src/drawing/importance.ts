import type { NoiseLevel } from '@langevin/core';
import { checkNumber, readOptions, UserError } from '@langevin/tensor';
import type { NoiseDistribution } from '../noise-distribution.ts';
import { drawUniforms, type DrawOptions } from './draw.ts';

const WHERE = 'core-schedules/importance';

/**
 * The losses seen last in each of K equally likely bands of a distribution: plain data, passed from step to step and saved with a run.
 * Bands are ordered by noise, and so are the losses within one by age.
 */
export interface LossHistory {
  /** Losses kept in each band. */
  readonly length: number;
  /** [bands][0..length] */
  readonly losses: readonly (readonly number[])[];
}

export interface LossHistoryOptions {
  /** Bands K, 1..100000: for a chain, its steps. @default 1000 */
  readonly bands?: number;
  /** Losses kept in each band, 1..1000. @default 10, as in iDDPM */
  readonly length?: number;
}

/**
 * A history that has seen nothing.
 *
 * @example
 * lossHistory({ bands: 4 }).losses.length; // => 4
 */
export function lossHistory(options: LossHistoryOptions = {}): LossHistory {
  const { bands = 1000, length = 10 } = readOptions('core-schedules/importance', options);
  checkNumber(WHERE, { bands }, { atLeast: 1, atMost: 100_000, kind: 'integer' });
  checkNumber(WHERE, { length }, { atLeast: 1, atMost: 1000, kind: 'integer' });
  return { length, losses: Array.from({ length: bands }, () => []) };
}

export interface RecordedLosses {
  /** The bands that drawByImportance() named, [N]. */
  readonly bands: readonly number[];
  /** Their losses before importance weights, [N]: `perImage` of the training loss. */
  readonly losses: ArrayLike<number>;
}

/**
 * The history with one more batch; the oldest losses of full bands are forgotten.
 *
 * @example
 * recordLosses(lossHistory({ bands: 2 }), { bands: [1, 1], losses: [0.5, 0.25] }).losses; // => [[], [0.5, 0.25]]
 */
export function recordLosses(history: LossHistory, { bands, losses }: RecordedLosses): LossHistory {
  if (bands.length !== losses.length)
    throw new UserError(
      `[${WHERE}] there is one loss for each band drawn: bands=${bands.length}, losses=${losses.length}. Pass those of one batch.`,
    );
  const all = [...history.losses];
  bands.forEach((band, i) => {
    checkNumber(WHERE, { [`bands[${i}]`]: band }, { atLeast: 0, atMost: all.length - 1, kind: 'integer' });
    checkNumber(WHERE, { [`losses[${i}]`]: losses[i] }, { atLeast: 0 });
    all[band] = [...all[band]!, losses[i]!].slice(-history.length);
  });
  return { length: history.length, losses: all };
}

/**
 * How likely each band is: the root mean square of its losses, mixed with a little of the uniform distribution so that none is
 * forgotten; uniform until every band is full (Nichol and Dhariwal 2021, arXiv:2102.09672, section 3.3).
 *
 * @param uniformShare in [0, 1]. @default 0.001, as in the authors' code
 * @example
 * const history = recordLosses(lossHistory({ bands: 2, length: 1 }), { bands: [0, 1], losses: [1, 3] });
 * bandProbabilities(history); // => [0.2502, 0.7497]
 */
export function bandProbabilities({ losses, length }: LossHistory, uniformShare = 0.001): Float64Array {
  checkNumber(WHERE, { uniformShare }, { atLeast: 0, atMost: 1 });
  const even = 1 / losses.length;
  const roots = losses.map((band) => Math.sqrt(band.reduce((total, loss) => total + loss ** 2, 0) / band.length));
  const total = roots.reduce((sum, root) => sum + root, 0);
  if (losses.some((band) => band.length < length) || total === 0) return Float64Array.from(losses, () => even);
  return Float64Array.from(roots, (root) => ((1 - uniformShare) * root) / total + uniformShare * even);
}

export interface ImportanceOptions extends DrawOptions {
  readonly history: LossHistory;
  /** See {@link bandProbabilities}. @default 0.001 */
  readonly uniformShare?: number;
}

/** Levels drawn by importance, and what is needed to weigh and to remember them. */
export interface ImportanceDraws {
  readonly levels: readonly NoiseLevel[];
  /** 1 / (K p) for each level: losses times these have the mean that draws from the distribution itself give. */
  readonly importance: readonly number[];
  readonly bands: readonly number[];
}

/**
 * Draws levels more often where the loss has been large, which makes the gradient of a bound on the likelihood less noisy.
 *
 * @example
 * const [times, history] = [uniformTimes({ process: vpLinear() }), lossHistory({ bands: 4 })];
 * const drawn = drawByImportance(times, { history, generator: torchGenerator(0), count: 2 });
 * drawn.importance; // => [1, 1]
 */
export function drawByImportance(
  distribution: NoiseDistribution,
  { history, uniformShare, ...options }: ImportanceOptions,
): ImportanceDraws {
  const probabilities = bandProbabilities(history, uniformShare);
  const count = probabilities.length;
  let sum = 0;
  const ends = probabilities.map((p) => (sum += p));
  const draws = drawUniforms(options).map((u) => {
    const share = u * sum;
    const found = ends.findIndex((end) => share < end);
    const band = found === -1 ? count - 1 : found;
    const start = ends[band - 1] ?? 0;
    // What is left of u within its band is uniform there.
    const within = Math.min(1 - 2 ** -30, Math.max(2 ** -54, (share - start) / probabilities[band]!));
    return { band, level: distribution.quantile((band + within) / count), importance: 1 / (count * probabilities[band]!) };
  });
  return {
    levels: draws.map(({ level }) => level),
    importance: draws.map(({ importance }) => importance),
    bands: draws.map(({ band }) => band),
  };
}
