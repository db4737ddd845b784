import { UserError } from '@langevin/tensor';

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
 * @param opacity 0 < o <= 1
 * @param copies an integer in 1..51
 * @throws UserError when one is out of range: nothing to share has no size
 * @returns `opacity` o' with 1 - (1 - o')^n = o, and `scale`, by which the standard deviations are multiplied
 */
export function relocated(opacity: number, copies: number): { readonly opacity: number; readonly scale: number } {
  if (!(opacity > 0 && opacity <= 1 && Number.isInteger(copies) && copies >= 1 && copies <= MAX_COPIES))
    throw new UserError(
      `[gaussians/relocation] a Gaussian cannot be shared: opacity=${opacity}, copies=${copies}. `
        + `Give an opacity in (0, 1] and 1..${MAX_COPIES} copies.`,
    );
  // 1 - (1 - o)^(1/n), without losing the digits of a faint one.
  const shared = -Math.expm1(Math.log1p(-opacity) / copies);
  let sum = 0;
  for (let i = 1; i <= copies; i++) {
    const row = BINOMIALS[i - 1]!;
    let power = shared;
    for (let k = 0; k < i; k++, power *= -shared) sum += (row[k]! * power) / Math.sqrt(k + 1);
  }
  return { opacity: shared, scale: opacity / sum };
}
