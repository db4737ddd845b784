const LOG_ROOT_TWO_PI = Math.log(2 * Math.PI) / 2;

/** The probability that a standard normal is below x; about 1e-15 relative, in the tails too. */
export function normalCdf(x: number): number {
  if (x > 0) return 1 - normalCdf(-x);
  return x > -3 ? 0.5 + x * seriesOf(x) : normalDensity(x) * millsRatio(-x);
}

export function normalDensity(x: number): number {
  return Math.exp(-(x ** 2) / 2 - LOG_ROOT_TWO_PI);
}

/** log of {@link normalCdf}, finite however small the probability. */
export function logNormalCdf(x: number): number {
  return x > -3 ? Math.log(normalCdf(x)) : -(x ** 2) / 2 - LOG_ROOT_TWO_PI + Math.log(millsRatio(-x));
}

/** log of the probability that a standard normal lies between, low < high; finite in the tails. */
export function logNormalInterval(low: number, high: number): number {
  // On the side where probabilities are small, their difference keeps its digits.
  const [a, b] = low + high > 0 ? [-high, -low] : [low, high];
  const top = logNormalCdf(b);
  return top + Math.log(-Math.expm1(logNormalCdf(a) - top));
}

/** (Phi(x) - 1/2) / x = phi(x) sum of x^(2k) / (1 3 5 ... (2k + 1)), all terms positive (Abramowitz and Stegun 26.2.11). */
function seriesOf(x: number): number {
  let term = 1;
  let total = 1;
  for (let k = 1; term > 1e-17 * total; k++) {
    term *= x ** 2 / (2 * k + 1);
    total += term;
  }
  return normalDensity(x) * total;
}

/** (1 - Phi(x)) / phi(x) for x >= 3, by Laplace's continued fraction (Abramowitz and Stegun 26.2.14). */
function millsRatio(x: number): number {
  let value = x;
  for (let k = 80; k >= 1; k--) value = x + k / value;
  return 1 / value;
}
