/** The error function to full float64 precision: 2/sqrt(pi) exp(-x^2) sum 2^n x^(2n+1) / (2n+1)!!, whose terms are all of one sign. */
export function erf(x: number): number {
  if (Number.isNaN(x)) return NaN;
  if (Math.abs(x) > 6) return Math.sign(x); // 1 - erf(6) < 2^-54
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 2 ** -54; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

export function roundHalfToEven(x: number): number {
  const low = Math.floor(x);
  const distance = x - low;
  if (distance !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

/** C's pow: 1 to any power is 1, and -1 to an infinite one, where JavaScript has NaN. */
export function power(x: number, exponent: number): number {
  if (x === 1 || (x === -1 && Math.abs(exponent) === Infinity)) return 1;
  return x ** exponent;
}
