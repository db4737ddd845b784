import {
  constantSchedule,
  cosineSchedule,
  inverseSqrtSchedule,
  linearSchedule,
  oneCycleSchedule,
  piecewiseSchedule,
  sequenceSchedules,
  withWarmUp,
} from '@langevin/nn';
import { describe, expect, it } from 'vitest';

const at = (schedule: (step: number) => number, ...steps: number[]): number[] => steps.map(schedule);
const near = (actual: number[], expected: number[]): void => actual.forEach((x, i) => expect(x).toBeCloseTo(expected[i]!, 12));

describe('learning-rate schedules', () => {
  it('constant', () => expect(at(constantSchedule(0.1), 0, 1e6)).toEqual([0.1, 0.1]));

  it('linear stays at its end', () => near(at(linearSchedule({ from: 1, to: 0, steps: 10 }), 0, 5, 10, 50), [1, 0.5, 0, 0]));

  it('cosine is half way at half time and 3/4 of the way at two thirds', () => {
    near(at(cosineSchedule({ from: 1, to: 0, steps: 30 }), 0, 10, 15, 20, 30, 31), [1, 0.75, 0.5, 0.25, 0, 0]);
  });

  it('inverse square root is flat, then halves when time quadruples', () => {
    near(at(inverseSqrtSchedule({ peak: 0.02, flatSteps: 100 }), 0, 100, 400, 1600), [0.02, 0.02, 0.01, 0.005]);
  });

  it('piecewise changes at its steps', () => {
    const schedule = piecewiseSchedule([
      { from: 0, value: 1 },
      { from: 10, value: 0.1 },
      { from: 20, value: 0.01 },
    ]);
    expect(at(schedule, 0, 9, 10, 19, 20, 99)).toEqual([1, 1, 0.1, 0.1, 0.01, 0.01]);
  });

  it('one cycle starts at peak / 25, peaks after the rise and ends at start / 1e4', () => {
    const schedule = oneCycleSchedule({ peak: 1, steps: 100 });
    near(at(schedule, 0, 29, 99), [0.04, 1, 4e-6]);
    expect(schedule(28)).toBeLessThan(1);
    expect(schedule(30)).toBeLessThan(1);
  });

  it('warm-up multiplies, so it composes with any schedule', () => {
    near(at(withWarmUp(linearSchedule({ from: 1, to: 0, steps: 100 }), 10), 0, 4, 9, 50), [0.1, 0.96 * 0.5, 0.91, 0.5]);
    near(at(withWarmUp(constantSchedule(2), 0), 0), [2]);
  });

  it('sequences restart the count of each part', () => {
    const ramp = linearSchedule({ from: 0, to: 1, steps: 4 });
    const schedule = sequenceSchedules([
      { schedule: ramp, steps: 4 },
      { schedule: constantSchedule(9), steps: 2 },
      { schedule: ramp, steps: 4 },
    ]);
    near(at(schedule, 0, 3, 4, 5, 6, 8, 100), [0, 0.75, 9, 9, 0, 0.5, 1]);
  });

  it.each([
    [() => linearSchedule({ from: 0, to: 1, steps: 0 }), '[nn/linearSchedule] steps is out of range: steps=0.'],
    [() => piecewiseSchedule([{ from: 5, value: 1 }]), 'pieces[0].from=5'],
    [() => piecewiseSchedule([]), 'no pieces'],
    [() => oneCycleSchedule({ peak: 1, steps: 3 }), 'the rise has no steps: steps=3, rise=0.3'],
    [() => sequenceSchedules([]), 'no parts'],
  ])('case %# is rejected', (make, message) => {
    expect(make).toThrow(message);
  });
});
