/** Told how many milliseconds a part of the work took, for benchmarks. */
export type Trace = (phase: string, milliseconds: number) => void;

/** A stopwatch for the parts of something; each call ends a part. Without a trace it does nothing. */
export function stopwatch(trace: Trace | undefined): (phase: string) => void {
  if (trace === undefined) return () => {};
  let before = performance.now();
  return (phase) => {
    const now = performance.now();
    trace(phase, now - before);
    before = now;
  };
}
