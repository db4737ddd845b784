import { readOptions, checkNumber, UserError } from '@langevin/tensor';

/** A learning rate for each step: a plain function of the number of steps taken so far (0 at the first), in float64 on the host. */
export type Schedule = (step: number) => number;

export const constantSchedule =
  (value: number): Schedule =>
  () =>
    value;

export interface RampOptions {
  readonly from: number;
  readonly to: number;
  /** Steps from one to the other, > 0; the value stays at `to` afterwards. */
  readonly steps: number;
}

const progress = (step: number, steps: number): number => Math.min(Math.max(step / steps, 0), 1);

/** A straight line. */
export function linearSchedule(options: RampOptions): Schedule {
  const { from, to, steps } = readOptions('nn/linearSchedule', options);
  checkNumber('nn/linearSchedule', { steps }, { above: 0 });
  return (step) => from + (to - from) * progress(step, steps);
}

/** Half a cosine wave, flat at both ends. Loshchilov and Hutter 2017 (arXiv:1608.03983), eq. 5. */
export function cosineSchedule(options: RampOptions): Schedule {
  const { from, to, steps } = readOptions('nn/cosineSchedule', options);
  checkNumber('nn/cosineSchedule', { steps }, { above: 0 });
  return (step) => to + ((from - to) * (1 + Math.cos(Math.PI * progress(step, steps)))) / 2;
}

/** peak / sqrt(max(step / flatSteps, 1)). Karras et al. 2024 (arXiv:2312.02696), appendix B. */
export function inverseSqrtSchedule(options: { readonly peak: number; readonly flatSteps: number }): Schedule {
  const { peak, flatSteps } = readOptions('nn/inverseSqrtSchedule', options);
  checkNumber('nn/inverseSqrtSchedule', { flatSteps }, { above: 0 });
  return (step) => peak / Math.sqrt(Math.max(step / flatSteps, 1));
}

/**
 * Constant pieces.
 *
 * @param pieces each holds from its step on; the first from step 0, steps strictly rising
 * @example
 * piecewiseSchedule([{ from: 0, value: 1e-3 }, { from: 1000, value: 1e-4 }])(1000); // => 1e-4
 */
export function piecewiseSchedule(pieces: readonly { readonly from: number; readonly value: number }[]): Schedule {
  pieces.forEach(({ from }, i) => {
    const ordered = i === 0 ? from === 0 : from > pieces[i - 1]!.from;
    if (!ordered)
      throw new UserError(
        `[nn/piecewiseSchedule] pieces are not in order: pieces[${i}].from=${from}. The first starts at 0, each next one later.`,
      );
  });
  if (pieces.length === 0) throw new UserError('[nn/piecewiseSchedule] no pieces: pieces=[]. Give at least { from: 0, value }.');
  return (step) => pieces.findLast(({ from }) => from <= Math.max(step, 0))!.value;
}

export interface OneCycleOptions {
  readonly peak: number;
  /** Length of the whole cycle, >= 2. */
  readonly steps: number;
  /** Share of the cycle that rises, in (0, 1). @default 0.3, PyTorch's */
  readonly rise?: number;
  /** peak / first value. @default 25, PyTorch's */
  readonly startDivisor?: number;
  /** First value / last value. @default 1e4, PyTorch's */
  readonly endDivisor?: number;
}

/**
 * Up to the peak and far down by half cosine waves, as `torch.optim.lr_scheduler.OneCycleLR` with two phases. Smith and Topin 2018
 * (arXiv:1708.07120).
 */
export function oneCycleSchedule(options: OneCycleOptions): Schedule {
  const { peak, steps, rise = 0.3, startDivisor = 25, endDivisor = 1e4 } = readOptions('nn/oneCycleSchedule', options);
  checkNumber('nn/oneCycleSchedule', { steps }, { atLeast: 2 });
  checkNumber('nn/oneCycleSchedule', { rise }, { above: 0, below: 1 });
  checkNumber('nn/oneCycleSchedule', { startDivisor, endDivisor }, { above: 0 });
  const top = rise * steps - 1;
  if (!(top > 0)) throw new UserError(`[nn/oneCycleSchedule] the rise has no steps: steps=${steps}, rise=${rise}. Give steps * rise > 1.`);
  const start = peak / startDivisor;
  const up = cosineSchedule({ from: start, to: peak, steps: top });
  const down = cosineSchedule({ from: peak, to: start / endDivisor, steps: steps - 1 - top });
  return (step) => (step <= top ? up(step) : down(step - top));
}

/**
 * A schedule that starts with a straight rise: value(step) * min((step + 1) / steps, 1), never 0 at the first step.
 *
 * @param steps length of the rise; 0 leaves the schedule as it is
 */
export function withWarmUp(schedule: Schedule, steps: number): Schedule {
  checkNumber('nn/withWarmUp', { steps }, { atLeast: 0 });
  return (step) => schedule(step) * (steps === 0 ? 1 : Math.min((step + 1) / steps, 1));
}

/** Schedules one after another, each counting from its own first step; `steps` is the length of each but the last. */
export function sequenceSchedules(parts: readonly { readonly schedule: Schedule; readonly steps: number }[]): Schedule {
  if (parts.length === 0) throw new UserError('[nn/sequenceSchedules] no parts: parts=[]. Give at least one schedule.');
  return (step) => {
    let start = 0;
    for (const { schedule, steps } of parts.slice(0, -1)) {
      if (step < start + steps) return schedule(step - start);
      start += steps;
    }
    return parts[parts.length - 1]!.schedule(step - start);
  };
}
