import { isLevelList, type NoiseLevel, type NoiseLevels, type NoiseRequest, type NoiseSource, relativeSigma } from '@langevin/core';
import { brownianTree, checkNumber, readOptions, seedSequence, UserError, type BrownianTree } from '@langevin/tensor';

export interface BrownianTreeNoiseOptions {
  /**
   * One seed: one path for the whole batch. A list: one for each image, whose noise then does not depend on its batch. Integers in 0 ..
   * 2^64-1.
   */
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

/** Trees of other passes that are kept for the draws to come: a jump back draws from its own for all of its steps. */
const KEPT = 4;

/**
 * The noise of one Brownian path over sigma: a draw is the path's increment over its interval, scaled to variance 1. Runs of other
 * numbers of steps, or of other samplers, then see the same path, and images change little between them; adaptive samplers see it over the
 * steps that they try, rejected or not, each image over its own. Where a run goes over its levels again (Restart, RePaint) or back up
 * (churn), each pass has a path of its own. Bit for bit the tree of
 * torchsde that k-diffusion, ComfyUI and diffusers use with their SDE samplers (see `brownianTree` of @langevin/tensor for what is
 * drawn and its precision).
 *
 * @throws UserError at the first draw when a list of seeds does not fit the batch; at a draw outside of sigmaMin..sigmaMax, over an
 *   interval of no length, or without interval, as for the start of a run
 * @example
 * import { brownianTreeNoise, dpmppSde, sample } from '@langevin/samplers';
 * import { sigmaLevel } from '@langevin/core';
 *
 * const noise = brownianTreeNoise({ seed: 7, sigmaMin: 1, sigmaMax: 14.6 });
 * const levels = [14.6, 5, 1, 0].map(sigmaLevel);
 * const denoise = defineDenoiser({ nfe: 1, denoise: (y: Float32Array) => y.map(() => 0.5) });
 * const x = await sample({ sampler: dpmppSde(), denoise, x: new Float32Array(4), levels, noise });
 * [...x]; // => [0.5, 0.5, 0.5, 0.5]
 */
export function brownianTreeNoise(options: BrownianTreeNoiseOptions): NoiseSource {
  const { seed, sigmaMin, sigmaMax, time = relativeSigma } = readOptions('samplers/noise', options);
  const advice = 'Pass the last sigma above 0 and the first of the run.';
  checkNumber('samplers/noise', { sigmaMin }, { atLeast: 0, advice });
  checkNumber('samplers/noise', { sigmaMax }, { above: sigmaMin, advice });
  const seeds = isList(seed) ? seed : [seed];
  // Trees hold only what follows from the seed; one set for each size of image and each pass.
  const known = new Map<string, readonly BrownianTree[]>();
  const treesOf = (count: number, pass: readonly number[]): readonly BrownianTree[] => {
    const key = `${count}/${pass.join()}`;
    const found = known.get(key) ?? seeds.map((each) => brownianTree({ seed: ofPass(each, pass), t0: sigmaMin, t1: sigmaMax, count }));
    if (pass.length > 0) forgetOthers(known, key);
    known.set(key, found);
    return found;
  };
  return Object.freeze({
    name: 'brownian-tree',
    path: true,
    draw: <T>({ algebra, like, interval }: NoiseRequest<T>) => {
      if (interval === undefined)
        throw new UserError(
          '[samplers/noise] a Brownian path is drawn between two levels: interval=undefined. Take the start of the run from '
            + 'torchNoise() or imageNoise().',
        );
      const items = algebra.items(like);
      if (isList(seed) && seed.length !== items)
        throw new UserError(
          `[samplers/noise] a list of seeds has one for each image: seeds=${seed.length}, batch of ${items}. Pass as many, or a `
            + 'single one.',
        );
      const size = algebra.size(like);
      const trees = treesOf(size / seeds.length, interval.pass ?? []);
      const values = new Float32Array(size);
      const itemwise = isLevelList(interval.from) || isLevelList(interval.to);
      const [from, to] = [timesOf(interval.from, items), timesOf(interval.to, items)];
      if (!itemwise) {
        if (from[0] === to[0])
          throw new UserError(
            `[samplers/noise] a Brownian path has no increment where a step leads nowhere: from=${from[0]}, to=${to[0]}. Take `
              + 'imageNoise() for samplers that draw at a level, such as predictorCorrector().',
          );
        trees.forEach((tree, i) => values.set(tree.noise(from[0]!, to[0]!), (i * size) / seeds.length));
        return Promise.resolve(algebra.fromHost(values, like));
      }
      const share = size / items;
      for (let i = 0; i < items; i++) {
        // An image that waits for the others of its batch has none.
        if (from[i] === to[i]) continue;
        const own = isList(seed)
          ? trees[i]!.noise(from[i]!, to[i]!)
          : trees[0]!.noise(from[i]!, to[i]!).subarray(i * share, (i + 1) * share);
        values.set(own, i * share);
      }
      return Promise.resolve(algebra.fromHost(values, like));
    },
  });

  function timesOf(levels: NoiseLevels, items: number): readonly number[] {
    return isLevelList(levels) ? levels.map(time) : new Array<number>(items).fill(time(levels));
  }
}

/** The first pass has the seed itself, so that its numbers are those of other programs. */
function ofPass(seed: number | bigint, pass: readonly number[]): number | bigint {
  if (pass.length === 0) return seed;
  const [low, high] = seedSequence(BigInt(seed), { spawnKey: pass, words: 2 });
  return (BigInt(high!) << 32n) | BigInt(low!);
}

/** Drops the oldest trees of other passes, so that long runs of jumps do not hold them all. */
function forgetOthers(known: Map<string, unknown>, key: string): void {
  known.delete(key);
  const others = [...known.keys()].filter((each) => !each.endsWith('/'));
  for (const oldest of others.slice(0, Math.max(0, others.length - KEPT + 1))) known.delete(oldest);
}

function isList(value: BrownianTreeNoiseOptions['seed']): value is readonly (number | bigint)[] {
  return Array.isArray(value);
}
