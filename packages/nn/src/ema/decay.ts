import { readOptions, UserError } from '@langevin/tensor';
import { checkStd, exponentOfStd } from './power-profile.ts';

/** How much of a moving average survives a step: a function of the number of that step, 1 at the first, in float64 on the host. */
export type Decay = (step: number) => number;

/** 1 - decay(step): what {@link updateAverage} takes. */
export const emaWeight = (decay: Decay, step: number): number => 1 - decay(step);

function checkDecay(where: string, mu: number): void {
  if (!(mu >= 0 && mu < 1))
    throw new UserError(`[nn/${where}] decay is out of range: decay=${mu}. Give a number in [0, 1), such as 0.9999.`);
}

/** mu at every step. */
export function constantDecay(mu: number): Decay {
  checkDecay('constantDecay', mu);
  return () => mu;
}

/** min(mu, (1 + n) / (10 + n)): short memory at first, as in latent diffusion and diffusers. */
export function warmUpDecay(mu: number): Decay {
  checkDecay('warmUpDecay', mu);
  return (n) => Math.min(mu, (1 + n) / (10 + n));
}

/**
 * min(mu, 1 - (1 + n / scale)^-power), crowsonkb's warm-up, which diffusers has too: power 2/3 reaches 0.999 at 31,600 steps for
 * scale 1, power 3/4 at 10,000.
 */
export function inversePowerDecay({
  max,
  scale = 1,
  power = 2 / 3,
}: {
  readonly max: number;
  readonly scale?: number;
  readonly power?: number;
}): Decay {
  checkDecay('inversePowerDecay', max);
  if (!(scale > 0 && power > 0))
    throw new UserError(`[nn/inversePowerDecay] option is not positive: scale=${scale}, power=${power}. Give numbers > 0.`);
  return (n) => Math.min(max, 1 - (1 + n / scale) ** -power);
}

export interface HalfLifeOptions {
  /** Images after which an old state weighs half. */
  readonly halfLife: number;
  /** Images a step. */
  readonly batch: number;
  /** The half-life is at most this share of the images seen; null switches the ramp-up off. @default 0.05, EDM's */
  readonly rampUp?: number | null;
}

/** 0.5^(batch / min(halfLife, rampUp images)). Karras et al. 2022 (arXiv:2206.00364), appendix F. */
export function halfLifeDecay(options: HalfLifeOptions): Decay {
  const { halfLife, batch, rampUp = 0.05 } = readOptions('nn/halfLifeDecay', options);
  if (!(halfLife > 0 && batch > 0 && (rampUp === null || rampUp > 0))) {
    throw new UserError(
      `[nn/halfLifeDecay] option is not positive: halfLife=${halfLife}, batch=${batch}, rampUp=${rampUp}. Give numbers of images > 0.`,
    );
  }
  // The ramp counts the images seen before the step, as EDM's code does; at the first step the average is the parameters.
  return (n) => {
    const life = rampUp === null ? halfLife : Math.min(halfLife, (n - 1) * batch * rampUp);
    return 0.5 ** (batch / Math.max(life, 1e-8));
  };
}

/**
 * (1 - 1/n)^(gamma + 1): memory that grows with training, so that its width is the share `std` of the time so far. At the first step
 * the average becomes the parameters. Karras et al. 2024 (arXiv:2312.02696), section 3.1.
 *
 * @param std width relative to the length of training, in (0, 0.2886]; the paper uses 0.05 and 0.10 for snapshots
 */
export function powerDecay(std: number): Decay {
  checkStd('powerDecay', std);
  const gamma = exponentOfStd(std);
  return (n) => (1 - 1 / n) ** (gamma + 1);
}
