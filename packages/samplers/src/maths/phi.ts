/** Below this the Taylor series is taken; above it the recurrence loses no more than two digits. */
const SERIES_BELOW = 2;

/**
 * The phi functions of exponential integrators (Hochbruck and Ostermann 2010, eq. 2.10): phi_0(z) = e^z and
 * phi_k(z) = integral over theta in 0..1 of e^((1 - theta) z) theta^(k-1) / (k-1)!, without cancellation near z = 0.
 *
 * @param k an integer >= 0
 * @param z any number; phi_k(-Infinity) = 0
 * @example
 * phi(1, 0); // => 1
 */
export function phi(k: number, z: number): number {
  if (k === 0) return Math.exp(z);
  if (z === -Infinity) return 0;
  if (k === 1) return z === 0 ? 1 : Math.expm1(z) / z;
  if (Math.abs(z) < SERIES_BELOW) return series(k, z);
  let value = Math.expm1(z) / z;
  let inverseFactorial = 1;
  for (let i = 1; i < k; i++) {
    // phi_{i+1} = (phi_i - 1 / i!) / z
    value = (value - inverseFactorial) / z;
    inverseFactorial /= i + 1;
  }
  return value;
}

/** The sum of z^n / (n + k)!. */
function series(k: number, z: number): number {
  let term = 1;
  for (let i = 2; i <= k; i++) term /= i;
  let total = term;
  for (let n = 1; n < 40; n++) {
    term *= z / (n + k);
    total += term;
    if (Math.abs(term) < 1e-18 * Math.abs(total)) break;
  }
  return total;
}

/** e^-h phi_k(h) = integral over theta in 0..1 of e^(-theta h) theta^(k-1) / (k-1)!: finite for any h, also Infinity. */
export function dampedPhi(k: number, h: number): number {
  if (h <= SERIES_BELOW) return Math.exp(-h) * phi(k, h);
  // The incomplete gamma function: (1 - e^-h (1 + h + ... + h^(k-1) / (k-1)!)) / h^k.
  let term = 1;
  let sum = k === 0 ? 0 : 1;
  for (let i = 1; i < k; i++) {
    term *= h / i;
    sum += term;
  }
  if (k === 0) return 1;
  if (h === Infinity) return 0;
  return (1 - Math.exp(-h) * sum) / h ** k;
}
