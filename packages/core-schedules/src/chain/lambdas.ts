/**
 * lambda after each step of a chain: log(alpha / sigma), from the betas. Sums of log(1 - beta) keep the relative accuracy of 1 - alphaBar
 * where it is smallest.
 */
export function lambdasOfBetas(betas: readonly number[]): number[] {
  let total = 0;
  return betas.map((beta) => {
    total += Math.log1p(-beta);
    return (total - Math.log(-Math.expm1(total))) / 2;
  });
}

/** log alphaBar of a lambda: log sigmoid(2 lambda). */
export function logAlphaBar(lambda: number): number {
  return Math.min(0, 2 * lambda) - Math.log1p(Math.exp(-2 * Math.abs(lambda)));
}

/** The betas whose chain has these lambdas. */
export function betasOfLambdas(lambdas: readonly number[]): number[] {
  return lambdas.map((lambda, i) => -Math.expm1(logAlphaBar(lambda) - (i === 0 ? 0 : logAlphaBar(lambdas[i - 1]!))));
}

/**
 * Zero terminal signal (Lin et al. 2023, arXiv:2305.08891, algorithm 1): sqrt(alphaBar) is shifted so that the last is 0, and scaled so
 * that the first stays.
 */
export function withZeroTerminal(lambdas: readonly number[]): number[] {
  const roots = lambdas.map((lambda) => Math.exp(logAlphaBar(lambda) / 2));
  const [first, last] = [roots[0]!, roots.at(-1)!];
  return roots.map((root, i) => {
    if (i === 0) return lambdas[0]!;
    const scaled = ((root - last) * first) / (first - last);
    return Math.log(scaled) - Math.log((1 - scaled) * (1 + scaled)) / 2;
  });
}

/** Where the lambdas of a chain, falling, reach a value: a position between its steps. */
export function positionOfLambda(lambdas: readonly number[], value: number): number {
  let [low, high] = [0, lambdas.length - 1];
  if (value >= lambdas[low]!) return low;
  if (value <= lambdas[high]!) return high;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (lambdas[middle]! > value) low = middle;
    else high = middle;
  }
  const [above, below] = [lambdas[low]!, lambdas[high]!];
  return low + (below === -Infinity ? -Math.expm1(value - above) : (above - value) / (above - below));
}

/** A point between the steps of a chain: lambda, and how alpha / sigma moves by position. */
export interface ChainPoint {
  readonly lambda: number;
  /** d(alpha / sigma) / d position; where two intervals meet, that of the noisier. */
  readonly ratioRate: number;
}

/** Between steps lambda is linear; into pure noise, where it has no line, alpha / sigma is. */
export function betweenSteps(lambdas: readonly number[], position: number): ChainPoint {
  const from = Math.min(Math.floor(position), lambdas.length - 2);
  const share = position - from;
  const [above, below] = [lambdas[from]!, lambdas[from + 1]!];
  if (below === -Infinity) return { lambda: share === 1 ? below : above + Math.log1p(-share), ratioRate: -Math.exp(above) };
  const lambda = share === 0 ? above : share === 1 ? below : above + share * (below - above);
  return { lambda, ratioRate: (below - above) * Math.exp(lambda) };
}
