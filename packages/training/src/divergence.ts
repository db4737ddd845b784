import type { Metrics } from './loop.ts';

/** Above this its square is no float32 any more, and optimisers square gradients. */
const LARGEST = Math.sqrt(3.4028234663852886e38);
/** A loss so many times that of the beginning is not one of a model that still learns. */
const FACTOR = 1000;
/** One batch may be an outlier; this many in a row are not. */
const IN_A_ROW = 10;

/** What a run of steps says about the weights: a value that goes from step to step. */
export interface Health {
  /** The loss of the first step, if there was one. */
  readonly first?: number;
  /** How many of the latest steps had a loss that is far above it. */
  readonly high: number;
}

export interface Verdict {
  readonly health: Health;
  /** What is wrong, as `loss is not finite: loss=NaN`. */
  readonly fault?: string;
  /** Whether the weights that the step began with are good: it was computed from them. */
  readonly weights: 'good' | 'doubtful';
}

/**
 * Judge a step by its metrics. A run has diverged when one of them is not finite or too large for float32 arithmetic, or when the loss is a
 * thousand times that of the first step ten times in a row; in the last step of a run, once.
 */
export function judge(health: Health, metrics: Metrics, at: 'running' | 'end'): Verdict {
  const broken = Object.entries(metrics).find(([, value]) => !(Math.abs(value) <= LARGEST));
  if (broken) {
    const [name, value] = broken;
    const what = Number.isFinite(value) ? 'is too large to be computed with' : 'is not finite';
    return { health, fault: `${name} ${what}: ${name}=${value}`, weights: 'doubtful' };
  }
  const { loss } = metrics;
  const { first = loss } = health;
  const high = first > 0 && loss > FACTOR * first ? health.high + 1 : 0;
  const next = { first, high };
  if (high < (at === 'end' ? 1 : IN_A_ROW)) return { health: next, weights: high > 0 ? 'doubtful' : 'good' };
  return { health: next, fault: `loss is ${FACTOR} times that of the first step: loss=${loss}, first=${first}`, weights: 'doubtful' };
}
