/** Rate and remaining time of a long job, from a moving average over recent steps. */
export interface Progress {
  /** Steps done since the last call. */
  advance(step: number, now: number): { readonly stepsPerSecond: number; readonly remainingSeconds: number };
}

/**
 * @param steps the step at which the job is done
 * @param window how many recent steps the rate is taken over: long enough to be calm, short enough to follow the machine. @default 50
 */
export function progressMeter(steps: number, window = 50): Progress {
  const times: { readonly step: number; readonly now: number }[] = [];
  return {
    advance(step, now) {
      times.push({ step, now });
      if (times.length > window) times.shift();
      const first = times[0]!;
      const elapsed = (now - first.now) / 1000;
      const stepsPerSecond = elapsed > 0 ? (step - first.step) / elapsed : 0;
      return { stepsPerSecond, remainingSeconds: stepsPerSecond > 0 ? (steps - step) / stepsPerSecond : Infinity };
    },
  };
}

/** `1 h 02 min`, `3 min 20 s`, `45 s`. */
export function showDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'unknown';
  const whole = Math.round(seconds);
  if (whole >= 3600) return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`;
  return whole >= 60 ? `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s` : `${whole} s`;
}
