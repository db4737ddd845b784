/** Half the width of SSIM's window. */
export const REACH = 5;

/**
 * Weights of SSIM's window along one axis from its middle outwards: a Gaussian of deviation 1.5 on 11 pixels, of sum 1 (Wang et al. 2004).
 */
export const WEIGHTS: readonly number[] = (() => {
  const raw = Array.from({ length: REACH + 1 }, (_, i) => Math.exp(-(i * i) / (2 * 1.5 * 1.5)));
  const total = raw[0]! + 2 * raw.slice(1).reduce((sum, value) => sum + value, 0);
  return raw.map((value) => value / total);
})();
