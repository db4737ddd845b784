import { progressMeter, showDuration } from '@langevin/training';
import { describe, expect, it } from 'vitest';

describe('progress', () => {
  it('is a mean over recent steps', () => {
    const meter = progressMeter(100, 3);
    expect(meter.advance(0, 0)).toEqual({ stepsPerSecond: 0, remainingSeconds: Infinity });
    expect(meter.advance(10, 1000)).toEqual({ stepsPerSecond: 10, remainingSeconds: 9 });
    meter.advance(20, 2000);
    // The first call has left the window of three.
    expect(meter.advance(30, 6000)).toEqual({ stepsPerSecond: 4, remainingSeconds: 17.5 });
  });

  it.each([
    [3725, '1 h 02 min'],
    [200, '3 min 20 s'],
    [44.6, '45 s'],
    [Infinity, 'unknown'],
  ])('shows %s seconds as %s', (seconds, text) => {
    expect(showDuration(seconds)).toBe(text);
  });
});
