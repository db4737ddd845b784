import { UserError } from '@langevin/tensor';
import { integer, list, nullable, number, oneOf, type ValuesOf } from '@langevin/tensor/fields';
import { MAX_STEPS, off } from './config.ts';
import { cumprod, torchLinspace } from './float32.ts';

const { fround } = Math;

/** Betas as diffusers names them; the classes know different subsets. */
export const BETA_SCHEDULES = ['linear', 'scaled_linear', 'squaredcos_cap_v2'] as const;
type BetaSchedule = (typeof BETA_SCHEDULES)[number] | 'sigmoid' | 'laplace' | 'exp';

/** The options of every class over a chain of betas, with its own defaults. */
export function betaOptions<const More extends BetaSchedule = never>(
  defaults: { readonly start?: number; readonly end?: number; readonly schedule?: BetaSchedule; readonly more?: readonly More[] } = {},
) {
  const { start = 0.0001, end = 0.02, schedule = 'linear', more = [] } = defaults;
  const open = { above: 0, atMost: 1 };
  return {
    num_train_timesteps: integer(1000, { atLeast: 2, atMost: MAX_STEPS }),
    beta_start: number(start, open),
    beta_end: number(end, open),
    beta_schedule: oneOf<BetaSchedule>(schedule, [...BETA_SCHEDULES, ...more]),
    trained_betas: nullable(list([], number(start, open), { atMost: MAX_STEPS })),
  } as const;
}

export const zeroSnrOption = { rescale_betas_zero_snr: off } as const;

export interface ChainConfig {
  readonly num_train_timesteps: number;
  readonly beta_start: number;
  readonly beta_end: number;
  readonly beta_schedule: BetaSchedule;
  readonly trained_betas: readonly number[] | null;
  readonly rescale_betas_zero_snr?: boolean;
}

/** The cumulative products of 1 - beta of a config, bit for bit. @throws UserError when trained betas are fewer than 2 */
export function alphaBarsOf(config: ChainConfig): Float32Array {
  const betas = betasOf(config);
  return cumprod((config.rescale_betas_zero_snr === true ? rescaleToZeroSnr(betas) : betas).map((beta) => 1 - beta));
}

export function betasOf({ trained_betas, beta_schedule, beta_start, beta_end, num_train_timesteps: steps }: ChainConfig): Float32Array {
  if (trained_betas !== null) {
    if (trained_betas.length !== steps)
      throw new UserError(
        `[samplers/compat] trained_betas has one entry for each step of the chain: trained_betas.length=${trained_betas.length}, `
          + `num_train_timesteps=${steps}. Make them agree.`,
      );
    return Float32Array.from(trained_betas);
  }
  switch (beta_schedule) {
    case 'linear':
      return torchLinspace(beta_start, beta_end, steps);
    case 'scaled_linear':
      return torchLinspace(Math.sqrt(beta_start), Math.sqrt(beta_end), steps).map((root) => root * root);
    case 'sigmoid':
      return torchLinspace(-6, 6, steps).map(
        (x) => fround(fround(1 / (1 + Math.exp(-x))) * fround(beta_end - beta_start)) + fround(beta_start),
      );
    case 'squaredcos_cap_v2':
      return betasFor(steps, (t) => Math.cos((((t + 0.008) / 1.008) * Math.PI) / 2) ** 2);
    case 'exp':
      return betasFor(steps, (t) => Math.exp(t * -12));
    case 'laplace':
      return betasFor(steps, (t) => {
        const snr = Math.exp(-0.5 * (t <= 0.5 ? 1 : -1) * Math.log(1 - 2 * Math.abs(0.5 - t) + 1e-6));
        return Math.sqrt(snr / (1 + snr));
      });
  }
}

/** betas_for_alpha_bar. */
function betasFor(steps: number, alphaBar: (t: number) => number): Float32Array {
  return Float32Array.from({ length: steps }, (_, i) => Math.min(1 - alphaBar((i + 1) / steps) / alphaBar(i / steps), 0.999));
}

/** Lin et al. 2024 (arXiv:2305.08891, Algorithm 1), each operation in float32: the last cumulative product becomes 0. */
export function rescaleToZeroSnr(betas: Float32Array): Float32Array {
  const alphaBars = rescaledAlphaBars(cumprod(betas.map((beta) => 1 - beta)));
  return alphaBars.map((bar, i) => 1 - (i === 0 ? bar : fround(bar / alphaBars[i - 1]!)));
}

/** The same on the cumulative products. */
export function rescaledAlphaBars(alphaBars: Float32Array): Float32Array {
  const roots = alphaBars.map(Math.sqrt);
  const [first, last] = [roots[0]!, roots[roots.length - 1]!];
  const factor = fround(first / fround(first - last));
  return roots.map((root) => fround(fround(root - last) * factor) ** 2);
}

export type BetaOptions = ReturnType<typeof betaOptions>;
export type BetaConfig = ValuesOf<BetaOptions>;
