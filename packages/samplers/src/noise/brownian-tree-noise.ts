import { relativeSigma, type NoiseLevel } from '@langevin/core-schedules';
import { brownianTree, UserError, type BrownianTree } from '@langevin/tensor';
import type { NoiseRequest, NoiseSource } from './noise-source.ts';

export interface BrownianTreeNoiseOptions {
  /** One seed: one path for the whole batch. A list: one for each image, whose noise then does not depend on its batch. Integers in 0 .. 2^64-1. */
  readonly seed: number | bigint | readonly (number | bigint)[];
  /** Least time that will be asked for: the last sigma of the run that is not 0. */
  readonly sigmaMin: number;
  /** Greatest time that will be asked for: the first sigma of the run. */
  readonly sigmaMax: number;
  /**
   * The time of a level. @default sigma / alpha, which k-diffusion and diffusers use; it is infinite at the start of a flow, for
   * which `({ sigma }) => sigma` serves
   */
  readonly time?: (level: NoiseLevel) => number;
}

/**
 * The noise of one Brownian path over sigma: a draw is the path's increment over its interval, scaled to variance 1. Runs of other
 * numbers of steps, or of other samplers, then see the same path, and images change little between them. Bit for bit the tree of
 * torchsde that k-diffusion, ComfyUI and diffusers use with their SDE samplers (see `brownianTree` of @langevin/tensor for what is
 * drawn and its precision).
 *
 * @throws UserError at the first draw when a list of seeds does not fit the batch; at a draw outside of sigmaMin..sigmaMax, or without
 *   interval, as for the start of a run
 * @example
 * const noise = brownianTreeNoise({ seed: 7, sigmaMin: 0.03, sigmaMax: 14.6 });
 */
export function brownianTreeNoise({ seed, sigmaMin, sigmaMax, time = relativeSigma }: BrownianTreeNoiseOptions): NoiseSource {
  if (!(sigmaMin >= 0 && sigmaMin < sigmaMax && Number.isFinite(sigmaMax))) {
    throw new UserError(`[samplers/noise] a Brownian path needs 0 <= sigmaMin < sigmaMax: sigmaMin=${String(sigmaMin)}, sigmaMax=${String(sigmaMax)}. Pass the last sigma above 0 and the first of the run.`);
  }
  // Trees hold only what follows from the seed; one set for each size of image.
  const known = new Map<number, readonly BrownianTree[]>();
  const treesOf = (count: number): readonly BrownianTree[] => {
    const found = known.get(count) ?? (isList(seed) ? seed : [seed]).map((each) => brownianTree({ seed: each, t0: sigmaMin, t1: sigmaMax, count }));
    known.set(count, found);
    return found;
  };
  return Object.freeze({
    name: 'brownian-tree',
    draw: <T>({ algebra, like, interval }: NoiseRequest<T>) => {
      if (interval === undefined) throw new UserError('[samplers/noise] a Brownian path is drawn between two levels: interval=undefined. Take the start of the run from torchNoise() or imageNoise().');
      const items = algebra.items(like);
      if (isList(seed) && seed.length !== items) throw new UserError(`[samplers/noise] a list of seeds has one for each image: seeds=${seed.length}, batch of ${items}. Pass as many, or a single one.`);
      const parts = isList(seed) ? items : 1;
      const size = algebra.size(like) / parts;
      const values = new Float32Array(parts * size);
      treesOf(size).forEach((tree, i) => values.set(tree.noise(time(interval.from), time(interval.to)), i * size));
      return Promise.resolve(algebra.fromHost(values, like));
    },
  });
}

function isList(value: BrownianTreeNoiseOptions['seed']): value is readonly (number | bigint)[] {
  return Array.isArray(value);
}
