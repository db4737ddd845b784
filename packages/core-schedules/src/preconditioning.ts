import { type Algebra, checkLevel, defineDenoiser, type Denoiser, type NoiseLevel, type NoiseLevels, perLevel } from '@langevin/core';
import { UserError } from '@langevin/tensor';

/** The numbers that link a raw network F to a denoiser at one level: D = cSkip x + cOut F(cIn x, cNoise). */
export interface PreconditioningCoefficients {
  readonly cSkip: number;
  readonly cOut: number;
  readonly cIn: number;
  readonly cNoise: number;
  /** What F should give in training is targetX0 x0 + targetNoise epsilon. */
  readonly targetX0: number;
  readonly targetNoise: number;
}

/** How a raw network becomes a denoiser (Karras et al. 2022, arXiv:2206.00364, eq. 7), in any units of the state. */
export interface Preconditioning {
  readonly name: string;
  /** @throws UserError at levels where it is not defined, such as alpha = 0 for epsilon */
  readonly at: (level: NoiseLevel) => PreconditioningCoefficients;
  /** What it adds to the `scheduler_config.json` that its process has in diffusers. @default nothing */
  readonly scheduler?: Readonly<Record<string, string | number>>;
}

/** A network with its parameters bound: the scaled state and cNoise, data [N], give the raw output in the form of the state. */
export type RawNetwork<T> = (x: T, cNoise: T) => T | Promise<T>;

export interface PreconditionOptions<T> {
  readonly network: RawNetwork<T>;
  readonly preconditioning: Preconditioning;
  readonly algebra: Algebra<T>;
}

/**
 * The denoiser of a raw network: D = cSkip x + cOut F(cIn x, cNoise), with one level for all items or one for each.
 *
 * @example
 * // A network that answers zero leaves cSkip x, here half of x: sigma equals the deviation of the data.
 * const denoise = precondition({ network: (x) => x.map(() => 0), preconditioning: edmPreconditioning(), algebra: arrayAlgebra() });
 * await denoise(Float32Array.of(1), { alpha: 1, sigma: 0.5 }); // => [0.5]
 */
export function precondition<T>({ network, preconditioning, algebra }: PreconditionOptions<T>): Denoiser<T> {
  const denoise = async (x: T, at: NoiseLevels): Promise<T> => {
    const all = perLevel(at, (level) => checkedCoefficients(preconditioning, level));
    const pick = (name: keyof PreconditioningCoefficients): number | readonly number[] =>
      isList(all) ? all.map((c) => c[name]) : all[name];
    const output = await network(algebra.linear([pick('cIn'), x]), algebra.perItem(pick('cNoise'), x));
    const wrong = algebra.complaint(output, x);
    if (wrong !== undefined) {
      const levels = JSON.stringify(at);
      throw new UserError(
        `[core-schedules/preconditioning] the network's output does not fit the state: ${wrong}; at=${levels}. Return one value `
          + 'for each element of x.',
      );
    }
    return algebra.linear([pick('cSkip'), x], [pick('cOut'), output]);
  };
  return defineDenoiser({ nfe: 1, denoise });
}

/** The coefficients at a level, or an error where a level is no level. */
export function checkedCoefficients(preconditioning: Preconditioning, level: NoiseLevel): PreconditioningCoefficients {
  checkLevel(`core-schedules/${preconditioning.name}`, 'level', level);
  return preconditioning.at(level);
}

function isList(
  value: PreconditioningCoefficients | readonly PreconditioningCoefficients[],
): value is readonly PreconditioningCoefficients[] {
  return Array.isArray(value);
}
