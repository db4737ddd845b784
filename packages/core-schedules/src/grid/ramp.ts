/** `count` numbers from `first` to `last`, both included; one alone is `first`. */
export function ramp(first: number, last: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) =>
    i === count - 1 && i > 0 ? last : first + (count > 1 ? (i * (last - first)) / (count - 1) : 0),
  );
}

/** Numpy's rounding, which the integer timesteps of DDPM's descendants follow: halves go to the even neighbour. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The values in order, those that equal the one before left out. */
export function withoutRepeats(values: readonly number[]): number[] {
  return values.filter((value, i) => i === 0 || value !== values[i - 1]);
}
