import type { StepResult } from './task.ts';

/** Above this its square is no float32 any more, and optimisers square gradients. */
const LARGEST = Math.sqrt(3.4028234663852886e38);
/** A loss so many times that of the beginning is not one of a model that still learns. */
const FACTOR = 1000;
/** One batch may be an outlier; this many in a row are not. */
const IN_A_ROW = 10;

/** What the steps so far say about the weights: a value that goes from step to step. */
export interface Health {
  /** The first value of each loss. */
  readonly first: Readonly<Record<string, number>>;
  /** How many of the latest values of each loss were far above it. */
  readonly high: Readonly<Record<string, number>>;
  /** Whether growth is watched at all. */
  readonly growth: 'watched' | 'ignored';
}

/** Before the first step. @param first losses of the first step that was logged, where a run is resumed */
export function newHealth(first: Readonly<Record<string, number>> = {}, growth: Health['growth'] = 'watched'): Health {
  return Object.freeze({ first, high: {}, growth });
}

export interface Verdict {
  readonly health: Health;
  /** What is wrong, as `loss is not finite: distance=NaN`. */
  readonly fault?: string;
  /** Whether the weights that the step began with are good: it was computed from them. */
  readonly weights: 'good' | 'doubtful';
}

/**
 * Judges a step. A run has diverged when a loss or the norm of a gradient is not finite or too large for float32 arithmetic, or when a loss
 * is a thousand times its first value ten times in a row; in the step after the last, once.
 */
export function judge(
  health: Health,
  { losses, norms = {} }: Pick<StepResult<unknown>, 'losses' | 'norms'>,
  at: 'running' | 'end',
): Verdict {
  for (const [what, values] of [
    ['loss', losses],
    ['norm of the gradient', norms],
  ] as const) {
    const broken = Object.entries(values).find(([, value]) => !(Math.abs(value) <= LARGEST));
    if (broken === undefined) continue;
    const [name, value] = broken;
    const how = Number.isFinite(value) ? 'is too large to be computed with' : 'is not finite';
    return { health, fault: `${what} ${how}: ${name}=${value}`, weights: 'doubtful' };
  }
  if (health.growth === 'ignored') return { health, weights: 'good' };
  const first = { ...losses, ...health.first };
  const high = Object.fromEntries(
    Object.entries(losses).map(([name, value]) => {
      const start = first[name]!;
      return [name, start > 0 && value > FACTOR * start ? (health.high[name] ?? 0) + 1 : 0];
    }),
  );
  const next = { ...health, first, high };
  const bad = Object.keys(high).find((name) => high[name]! >= (at === 'end' ? 1 : IN_A_ROW));
  if (bad === undefined) return { health: next, weights: Object.values(high).some((count) => count > 0) ? 'doubtful' : 'good' };
  const fault = `loss is ${FACTOR} times that of the first step: ${bad}=${losses[bad]}, first=${first[bad]}`;
  return { health: next, fault, weights: 'doubtful' };
}
