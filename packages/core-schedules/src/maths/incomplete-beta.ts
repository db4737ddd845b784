import { checkNumber, UserError } from '@langevin/tensor';

/** Both > 0. */
export interface BetaShape {
  readonly a: number;
  readonly b: number;
}

/** Stirling's series of log Gamma: B_2k / (2k (2k - 1)); eight terms are exact to float64 from x = 10 on. */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400];
const STIRLING_FROM = 10;

/** log Gamma(x), x > 0. */
export function logGamma(x: number): number {
  let product = 1;
  let shifted = x;
  while (shifted < STIRLING_FROM) product *= shifted++;
  const inverse = 1 / shifted;
  const series = STIRLING.reduceRight((sum, c) => sum * inverse * inverse + c, 0) * inverse;
  return (shifted - 0.5) * Math.log(shifted) - shifted + Math.log(2 * Math.PI) / 2 + series - Math.log(product);
}

const SHAPES = 1e4;

function checkShape({ a, b }: BetaShape): void {
  checkNumber('core-schedules/maths', { a }, { above: 0, atMost: SHAPES });
  checkNumber('core-schedules/maths', { b }, { above: 0, atMost: SHAPES });
}

/**
 * The regularised incomplete beta function I_x(a, b): the share of a beta distribution below x in [0, 1].
 *
 * The continued fraction of DLMF 8.17.22, on the side of the mean where it converges fast.
 *
 * @example
 * incompleteBeta(0.5, { a: 2, b: 2 }); // => 0.5
 */
export function incompleteBeta(x: number, shape: BetaShape): number {
  checkShape(shape);
  checkNumber('core-schedules/maths', { x }, { atLeast: 0, atMost: 1 });
  if (x === 0 || x === 1) return x;
  const { a, b } = shape;
  return x <= (a + 1) / (a + b + 2) ? Math.exp(logTail(x, shape)) : -Math.expm1(logTail(1 - x, { a: b, b: a }));
}

/** log I_x(a, b) for x in (0, (a + 1) / (a + b + 2)]. */
function logTail(x: number, { a, b }: BetaShape): number {
  return a * Math.log(x) + b * Math.log1p(-x) - Math.log(a) - logBeta({ a, b }) + Math.log(fraction(x, a, b));
}

function logBeta({ a, b }: BetaShape): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/** 1 / (1 + d1 / (1 + d2 / (1 + ...))) by Lentz' algorithm. */
function fraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  let [c, d, value] = [Infinity, 1, 1];
  for (let n = 1; n < 10_000; n++) {
    const m = n >> 1;
    const over = n % 2 === 0 ? m * (b - m) * x : -(a + m) * (a + b + m) * x;
    const term = over / ((a + n - 1) * (a + n));
    d = 1 / (1 + term * d || tiny);
    c = 1 + term / c || tiny;
    value *= c * d;
    if (Math.abs(c * d - 1) < 1e-16) break;
  }
  return value;
}

/**
 * The x below which a beta distribution has the share p in [0, 1]: the inverse of {@link incompleteBeta} in x, scipy's `beta.ppf`.
 *
 * Newton's method on log I against log x, which is almost a line, with the interval halved where it would leave it; the smaller of the two
 * tails is inverted, so that x keeps its relative accuracy near 0.
 *
 * @example
 * betaQuantile(0.5, { a: 2, b: 2 }); // => 0.5
 */
export function betaQuantile(p: number, shape: BetaShape): number {
  checkShape(shape);
  checkNumber('core-schedules/maths', { p }, { atLeast: 0, atMost: 1 });
  if (p === 0 || p === 1) return p;
  const middle = (shape.a + 1) / (shape.a + shape.b + 2);
  return p <= incompleteBeta(middle, shape)
    ? lowerQuantile(p, shape, middle)
    : 1 - lowerQuantile(1 - p, { a: shape.b, b: shape.a }, 1 - middle);
}

function lowerQuantile(p: number, { a, b }: BetaShape, top: number): number {
  const wanted = Math.log(p);
  const norm = logBeta({ a, b });
  let [low, high] = [-Infinity, Math.log(top)];
  let u = Math.min(high, (wanted + Math.log(a) + norm) / a);
  for (let i = 0; i < 200; i++) {
    const x = Math.exp(u);
    const error = logTail(x, { a, b }) - wanted;
    if (error > 0) high = u;
    else low = u;
    // d log I / d log x = x density / I
    const slope = Math.exp(a * u + (b - 1) * Math.log1p(-x) - norm - error - wanted);
    const next = u - error / slope;
    const inside = next > low && next < high ? next : low === -Infinity ? high - 1 - Math.abs(high) : (low + high) / 2;
    if (Math.abs(inside - u) <= 1e-16 * Math.max(1, Math.abs(u)) || inside === low || inside === high) return Math.exp(inside);
    u = inside;
  }
  throw new UserError(
    `[core-schedules/maths] no quantile of the beta distribution was found: p=${p}, a=${a}, b=${b}. Take shapes of moderate size.`,
  );
}
