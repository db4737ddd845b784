import { betaQuantile } from '@langevin/core-schedules';
import { UserError } from '@langevin/tensor';
import { linspace } from './float32.ts';
import { off } from './config.ts';

const { fround } = Math;

/** sqrt((1 - a) / a) of a table of cumulative products, each operation in float32, from the least noisy on. */
export function sigmaTable(alphaBars: Float32Array): Float32Array {
  return alphaBars.map((bar) => Math.sqrt(fround(fround(1 - bar) / bar)));
}

/** Which rule replaces the sigmas that timesteps give. */
export const sigmaRuleOptions = {
  use_karras_sigmas: off,
  use_exponential_sigmas: off,
  use_beta_sigmas: off,
} as const;

export type SigmaRule = 'karras' | 'exponential' | 'beta';

/** @throws UserError when more than one rule is asked for */
export function sigmaRuleOf(config: {
  readonly use_karras_sigmas: boolean;
  readonly use_exponential_sigmas: boolean;
  readonly use_beta_sigmas: boolean;
}): SigmaRule | undefined {
  const rules = [
    ...(config.use_karras_sigmas ? (['karras'] as const) : []),
    ...(config.use_exponential_sigmas ? (['exponential'] as const) : []),
    ...(config.use_beta_sigmas ? (['beta'] as const) : []),
  ];
  if (rules.length > 1)
    throw new UserError(
      `[samplers/compat] sigmas follow one rule: ${rules.map((rule) => `use_${rule}_sigmas=true`).join(', ')}. Keep one of them.`,
    );
  return rules[0];
}

/** Sigmas between two ends by a rule, in float64 as NumPy computes them. */
export function sigmasByRule(
  rule: SigmaRule,
  { max, min, steps }: { readonly max: number; readonly min: number; readonly steps: number },
): Float64Array {
  switch (rule) {
    case 'karras': {
      const [first, last] = [max ** (1 / 7), min ** (1 / 7)];
      return linspace(0, 1, steps).map((ramp) => (first + ramp * (last - first)) ** 7);
    }
    case 'exponential':
      return linspace(Math.log(max), Math.log(min), steps).map(Math.exp);
    case 'beta':
      return linspace(0, 1, steps).map((ramp) => min + betaQuantile(1 - ramp, { a: 0.6, b: 0.6 }) * (max - min));
  }
}

/** numpy's float32 logarithms of a table. */
export const logTable = (sigmas: Float32Array): Float32Array => sigmas.map(Math.log);

/** The place of a sigma in a rising table of logarithms, between entries linear in the logarithm; clipped to the table. */
export function sigmaToTime(sigma: number, logSigmas: Float32Array): number {
  const log = Math.log(Math.max(sigma, 1e-10));
  let low = 0;
  for (let i = 0; i < logSigmas.length - 1 && logSigmas[i]! <= log; i++) low = i;
  const [below, above] = [logSigmas[low]!, logSigmas[low + 1]!];
  const weight = Math.min(1, Math.max(0, (below - log) / (below - above)));
  return (1 - weight) * low + weight * (low + 1);
}
