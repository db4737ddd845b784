/** Most copies that a Gaussian is shared among: beyond, the binomials of the formula lose their digits. */
export const MAX_COPIES = 51;

/** binomials[n][k] */
const BINOMIALS: readonly Float64Array[] = Array.from({ length: MAX_COPIES }, (_, n) => {
  const row = new Float64Array(n + 1).fill(1);
  for (let k = 1; k <= n; k++) row[k] = (row[k - 1]! * (n - k + 1)) / k;
  return row;
});

/**
 * Opacity and factor of size of `copies` equal Gaussians in one place that together look like one (Kheradmand et al. 2024, eq. 9).
 *
 * @param opacity 0 < o < 1
 * @param copies 1..51
 * @returns `opacity` o' with 1 - (1 - o')^n = o, and `scale`, by which the standard deviations are multiplied
 */
export function relocated(opacity: number, copies: number): { readonly opacity: number; readonly scale: number } {
  const shared = 1 - (1 - opacity) ** (1 / copies);
  let sum = 0;
  for (let i = 1; i <= copies; i++) {
    const row = BINOMIALS[i - 1]!;
    let power = shared;
    for (let k = 0; k < i; k++, power *= -shared) sum += (row[k]! * power) / Math.sqrt(k + 1);
  }
  return { opacity: shared, scale: opacity / sum };
}
