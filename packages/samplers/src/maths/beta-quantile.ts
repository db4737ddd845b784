export interface BetaShape {
  /** > 0 */
  readonly a: number;
  /** > 0 */
  readonly b: number;
}

/**
 * The quantile of the beta distribution: the x at which the regularised incomplete beta function is p, by bisection to the last
 * digits of float64.
 */
export function betaQuantile(p: number, shape: BetaShape): number {
  if (p <= 0) return 0;
  if (p >= 1) return 1;
  let [low, high] = [0, 1];
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (betaCdf(middle, shape) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The regularised incomplete beta function by its continued fraction (DLMF 8.17.22), on the side where it converges fast. */
export function betaCdf(x: number, { a, b }: BetaShape): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - betaCdf(1 - x, { a: b, b: a });
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b)) / a;
  // From the tail to the head; terms fall fast enough for 120 of them at any x here.
  let tail = 1;
  for (let m = 120; m >= 1; m--) {
    const half = Math.floor(m / 2);
    const d = m % 2 === 0 ? (half * (b - half) * x) / ((a + m - 1) * (a + m)) : (-(a + half) * (a + b + half) * x) / ((a + m - 1) * (a + m));
    tail = 1 + d / tail;
  }
  return front / tail;
}

/** log Gamma of x > 0: Stirling's series above 15, reached by the recurrence. */
export function logGamma(x: number): number {
  let shift = 0;
  let y = x;
  for (; y < 15; y++) shift -= Math.log(y);
  const r = 1 / (y * y);
  const series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r / 1188)))) / y;
  return shift + (y - 0.5) * Math.log(y) - y + Math.log(2 * Math.PI) / 2 + series;
}
