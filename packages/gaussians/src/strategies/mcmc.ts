import { checkNumber, logistic, type Generator } from '@langevin/tensor';
import type { Gaussians } from '../gaussians.ts';
import { givenOptions } from '../given-options.ts';
import { logit, rotationMatrix } from '../shared-maths.ts';
import { lastChange } from './change-window.ts';
import { MAX_COPIES, relocated } from './relocation.ts';
import type { RefineContext, Refinement, Strategy } from './strategy.ts';

export interface McmcOptions {
  /** Changes begin after so many steps. @default 500 */
  readonly start?: number;
  /** and end after so many, or before the last sixth of the run. @default five sixths of the run, 25000 at most */
  readonly stop?: number;
  /** Steps between changes. @default 100 */
  readonly every?: number;
  /** The number of Gaussians that is grown to. @default 1000000 */
  readonly cap?: number;
  /** Growth of a round, >= 1. @default 1.05 */
  readonly growth?: number;
  /** Up to this opacity a Gaussian is dead and moves. @default 0.005 */
  readonly minOpacity?: number;
  /** Strength of the noise, in rates of the means. @default 5e5 */
  readonly noise?: number;
}

const DEFAULTS = { start: 500, every: 100, cap: 1_000_000, growth: 1.05, minOpacity: 0.005, noise: 5e5 };

/** Of 30,000 steps of the paper, changes are made in five sixths. */
const WINDOW = { share: 5 / 6, paper: 25_000 };

/** Opacities stay so far from 1 that their logit is finite in float32. */
const MOST = 1 - 2 ** -23;

/**
 * Gaussians as samples of a Markov chain (Kheradmand et al. 2024): dead ones move onto living ones without changing the picture, the number
 * grows to a cap, and noise lets those explore that are hardly seen.
 *
 * Unlike gsplat, a Gaussian that moved begins with zero moments, as the one it moved onto does.
 *
 * @example
 * const strategy = mcmcStrategy({ cap: 200_000 });
 */
export function mcmcStrategy(options: McmcOptions = {}): Strategy {
  const known = [...Object.keys(DEFAULTS), 'stop'];
  const settings: Settings = { ...DEFAULTS, ...givenOptions('gaussians/strategies', options, { what: 'the strategy "mcmc"', known }) };
  const { start, stop = 0, every, cap, growth, minOpacity, noise } = settings;
  checkNumber('gaussians/strategies', { start, stop }, { atLeast: 0, infinity: 'allowed' });
  checkNumber('gaussians/strategies', { every, cap }, { atLeast: 1, kind: 'integer' });
  checkNumber('gaussians/strategies', { growth }, { atLeast: 1 });
  checkNumber('gaussians/strategies', { minOpacity }, { atLeast: 0, below: 1 });
  checkNumber('gaussians/strategies', { noise }, { atLeast: 0 });
  return Object.freeze<Strategy>({
    name: 'mcmc',
    paper: 'arXiv:2404.09591',
    options: settings,
    statistics: {},
    defaults: { opacity: 0.5, scale: 0.1, opacityRegularizer: 0.01, scaleRegularizer: 0.01 },
    refine: (context) => {
      const { step, plannedSteps } = context;
      if (step <= start || step >= lastChange({ ...WINDOW, stop: settings.stop }, plannedSteps) || step % every !== 0) return undefined;
      return moveAndGrow(context, settings);
    },
    perturb: (context) => addNoise(context, settings),
  });
}

type Settings = typeof DEFAULTS & Pick<McmcOptions, 'stop'>;

function moveAndGrow({ gaussians, random }: RefineContext, settings: Settings): Refinement | undefined {
  const { count } = gaussians;
  const opacities = Float64Array.from(gaussians.opacityLogits, logistic);
  const alive = (row: number): boolean => opacities[row]! > settings.minOpacity;
  const dead = Array.from({ length: count }, (_, row) => row).filter((row) => !alive(row));
  if (dead.length === count) return undefined;
  const targets = drawByWeight(
    opacities.map((opacity, row) => (alive(row) ? opacity : 0)),
    dead.length,
    random,
  );
  const source = Int32Array.from({ length: Math.max(count, Math.min(settings.cap, Math.floor(settings.growth * count))) }, (_, row) => row);
  const fresh = new Uint8Array(source.length);
  const copies = new Map<number, number>();
  const place = (row: number, onto: number): void => {
    source[row] = onto;
    fresh[row] = 1;
    copies.set(onto, (copies.get(onto) ?? 1) + 1);
  };
  for (const [i, row] of dead.entries()) {
    place(row, targets[i]!);
    fresh[targets[i]!] = 1;
  }
  // What a place holds after the moves, as weight for the new ones.
  const moved = opacities.map(
    (opacity, row) => share(opacities[source[row]!]!, copies.get(source[row]!) ?? 1, settings.minOpacity).opacity,
  );
  const added = drawByWeight(moved, source.length - count, random);
  // A new one may fall onto one that has just moved: it shares the place where that came from.
  for (const [i, onto] of added.entries()) place(count + i, source[onto]!);
  return {
    rows: { source, fresh },
    counts: { moved: dead.length, added: added.length },
    edit: (changed) => {
      for (let row = 0; row < source.length; row++) {
        const together = copies.get(source[row]!);
        if (together === undefined) continue;
        const { opacity, scale } = share(opacities[source[row]!]!, together, settings.minOpacity);
        changed.opacityLogits[row] = logit(opacity);
        for (let axis = 0; axis < 3; axis++) changed.logScales[3 * row + axis] = changed.logScales[3 * row + axis]! + Math.log(scale);
      }
    },
  };
}

function share(opacity: number, copies: number, minOpacity: number): { readonly opacity: number; readonly scale: number } {
  if (copies === 1) return { opacity, scale: 1 };
  const { opacity: shared, scale } = relocated(Math.min(opacity, MOST), Math.min(copies, MAX_COPIES));
  return { opacity: Math.min(Math.max(shared, minOpacity), MOST), scale };
}

/** `draws` rows, with replacement, as likely as their weight. */
function drawByWeight(weights: Float64Array, draws: number, random: Generator): Int32Array {
  const sums = new Float64Array(weights.length);
  let total = 0;
  for (let row = 0; row < weights.length; row++) sums[row] = total += weights[row]!;
  return Int32Array.from(random.uniform64(draws), (u) => firstAbove(sums, u * total));
}

/** The first row whose running sum is above a value; never one of weight zero. */
function firstAbove(sums: Float64Array, value: number): number {
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Covariance times a normal draw, strong where opacity is near zero (eq. 8 of the paper, with gsplat's k = 100 and x0 = 0.995). */
function addNoise({ gaussians, random, meansRate }: RefineContext, settings: Settings): void {
  const { count, means, quaternions, logScales, opacityLogits }: Gaussians = gaussians;
  const strength = settings.noise * meansRate;
  if (strength === 0) return;
  const noise = random.normal(3 * count);
  for (let row = 0; row < count; row++) {
    const gate = logistic(-100 * (logistic(opacityLogits[row]!) - 0.005));
    // Opaque ones would move by less than float32 shows.
    if (gate < 1e-8) continue;
    const rotation = rotationMatrix(quaternions, 4 * row);
    const along = [0, 0, 0];
    for (let axis = 0; axis < 3; axis++) {
      const inside =
        rotation[axis]! * noise[3 * row]! + rotation[3 + axis]! * noise[3 * row + 1]! + rotation[6 + axis]! * noise[3 * row + 2]!;
      along[axis] = Math.exp(2 * logScales[3 * row + axis]!) * inside * gate * strength;
    }
    for (let axis = 0; axis < 3; axis++) {
      means[3 * row + axis] =
        means[3 * row + axis]!
        + rotation[3 * axis]! * along[0]!
        + rotation[3 * axis + 1]! * along[1]!
        + rotation[3 * axis + 2]! * along[2]!;
    }
  }
}
