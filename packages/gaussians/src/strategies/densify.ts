import { checkNumber, logistic, UserError } from '@langevin/tensor';
import { givenOptions } from '../given-options.ts';
import { logit, rotationMatrix } from '../shared-maths.ts';
import type { Gaussians } from '../gaussians.ts';
import { composeRows, keepRows, type RowChange } from '../optimizer/rows.ts';
import { lastChange, leavesTimeToRecover } from './change-window.ts';
import { PLAIN_START, type RefineContext, type Refinement, type Strategy } from './strategy.ts';

export interface DensifyOptions {
  /** Changes begin after so many steps. @default 500 */
  readonly start?: number;
  /** and end after so many, or before the last sixth of the run. @default half of the run, 15000 at most */
  readonly stop?: number;
  /** Steps between changes. @default 100 */
  readonly every?: number;
  /** Steps between resets of the opacity, of which there are none in the second half of the run. @default 3000 */
  readonly resetEvery?: number;
  /**
   * Mean gradient of the place in the picture, in units of half the picture, above which a Gaussian is too few.
   * @default 2e-4; absgrad 8e-4
   */
  readonly growGradient?: number;
  /** Up to this deviation, in extents of the scene, it is doubled; above, it is split. @default 0.01 */
  readonly growScale?: number;
  /** Below this opacity, between 0 and 0.5, it is removed. @default 0.005 */
  readonly pruneOpacity?: number;
  /** After the first reset: above this deviation, in extents, it is removed. @default 0.1 */
  readonly pruneScale?: number;
  /** Most Gaussians; growth stops there. @default 3000000, what fits into 8 GB while training */
  readonly cap?: number;
  /**
   * Children of a split: of the parent's opacity, or 1 - sqrt(1 - o) so that both together are as opaque (Rota Bulo et al. 2024).
   * @default 'copied'
   */
  readonly splitOpacity?: 'copied' | 'revised';
}

const DEFAULTS = {
  start: 500,
  every: 100,
  resetEvery: 3000,
  growGradient: 2e-4,
  growScale: 0.01,
  pruneOpacity: 0.005,
  pruneScale: 0.1,
  cap: 3_000_000,
  splitOpacity: 'copied',
} as const;

/** Of 30,000 steps of the paper (Kerbl et al. 2023), changes are made in half. */
const WINDOW = { share: 1 / 2, paper: 15_000 };

/** How much smaller the two children of a split are than their parent. */
const SHRINK = 1.6;

/** Clone, split, prune and reset by the gradients that `gradient` names: what the default and the absgrad strategy share. */
export function densify(
  options: DensifyOptions,
  kind: { readonly name: string; readonly paper: string; readonly gradient: 'means2d' | 'absoluteMeans2d'; readonly growGradient: number },
): Strategy {
  const known = [...Object.keys(DEFAULTS), 'stop'];
  const given = givenOptions('gaussians/strategies', options, { what: `the strategy "${kind.name}"`, known });
  const settings = { ...DEFAULTS, growGradient: kind.growGradient, ...given };
  checkSettings(settings);
  const ends = (plannedSteps: number): number => lastChange({ ...WINDOW, stop: settings.stop }, plannedSteps);
  return Object.freeze<Strategy>({
    name: kind.name,
    paper: kind.paper,
    options: settings,
    statistics: { gradient: 1, seen: 1 },
    defaults: PLAIN_START,
    absoluteGradients: kind.gradient === 'absoluteMeans2d',
    observe: ({ step, plannedSteps, statistics, rendering, gradients, camera }) => {
      if (step >= ends(plannedSteps)) return;
      const gradient = gradients[kind.gradient];
      const sums = statistics['gradient']!;
      const seen = statistics['seen']!;
      for (let i = 0; i < seen.length; i++) {
        if (!(rendering.radii[i]! > 0)) continue;
        const x = (gradient[2 * i]! * camera.width) / 2;
        const y = (gradient[2 * i + 1]! * camera.height) / 2;
        sums[i] = sums[i]! + Math.sqrt(x * x + y * y);
        seen[i] = seen[i]! + 1;
      }
    },
    refine: (context) => {
      const { step, plannedSteps } = context;
      if (step >= ends(plannedSteps)) return undefined;
      const refined = step > settings.start && step % settings.every === 0 ? growAndPrune(context, settings) : undefined;
      return step % settings.resetEvery === 0 && leavesTimeToRecover(step, plannedSteps)
        ? resetOpacity(refined, settings.pruneOpacity)
        : refined;
    },
  });
}

type Settings = Required<Omit<DensifyOptions, 'stop'>> & Pick<DensifyOptions, 'stop'>;

function checkSettings({ splitOpacity, ...settings }: Settings): void {
  const where = 'gaussians/strategies';
  const { start, stop = 0, every, resetEvery, cap, growGradient, growScale, pruneScale, pruneOpacity } = settings;
  checkNumber(where, { start, stop }, { atLeast: 0, infinity: 'allowed' });
  checkNumber(where, { every, resetEvery, cap }, { atLeast: 1, kind: 'integer' });
  checkNumber(where, { growGradient, growScale, pruneScale }, { atLeast: 0, infinity: 'allowed' });
  // Resets go to twice the limit, which has to be an opacity.
  checkNumber(where, { pruneOpacity }, { above: 0, below: 0.5 });
  if (splitOpacity !== 'copied' && splitOpacity !== 'revised')
    throw new UserError(`[${where}] splitOpacity is unknown: splitOpacity=${String(splitOpacity)}. Known: copied, revised.`);
}

function growAndPrune({ step, gaussians, statistics, extent, random }: RefineContext, settings: Settings): Refinement {
  const { count, logScales, opacityLogits } = gaussians;
  const { clones, splits } = chooseGrowth({ gaussians, statistics, extent }, settings);
  const grown = growthRows(count, clones, splits);
  const offsets = random.normal(6 * splits.length);
  // Pruning sees Gaussians after their growth, and a split changes sizes: factors of the rows that grew.
  const child = (row: number): boolean => row >= grown.source.length - 2 * splits.length;
  const opacityOf = (row: number): number => {
    const opacity = logistic(opacityLogits[grown.source[row]!]!);
    return child(row) && settings.splitOpacity === 'revised' ? 1 - Math.sqrt(1 - opacity) : opacity;
  };
  const scaleOf = (row: number): number => largestScale(logScales, grown.source[row]!) / (child(row) ? SHRINK : 1);
  const kept = keepRows(grown.source.length, (row) => {
    if (opacityOf(row) < settings.pruneOpacity) return false;
    return !(step > settings.resetEvery && scaleOf(row) > settings.pruneScale * extent);
  });
  const rows = composeRows(grown, kept);
  const firstChild = grown.source.length - 2 * splits.length;
  return {
    rows,
    clearStatistics: true,
    counts: { cloned: clones.length, split: splits.length, pruned: grown.source.length - rows.source.length },
    edit: (changed) => {
      for (const [row, place] of kept.source.entries()) {
        if (place >= firstChild)
          placeChild(changed, row, {
            offset: offsets.subarray(3 * (place - firstChild), 3 * (place - firstChild) + 3),
            opacity: settings.splitOpacity,
          });
      }
    },
  };
}

/** Rows to double and rows to split; when the cap does not allow all, those with the largest gradients. */
function chooseGrowth(
  { gaussians, statistics, extent }: Pick<RefineContext, 'gaussians' | 'statistics' | 'extent'>,
  settings: Settings,
): { readonly clones: readonly number[]; readonly splits: readonly number[] } {
  const { gradient, seen } = statistics as { readonly gradient: Float32Array; readonly seen: Float32Array };
  const mean = (row: number): number => gradient[row]! / Math.max(1, seen[row]!);
  let chosen = Array.from({ length: gaussians.count }, (_, row) => row).filter((row) => mean(row) > settings.growGradient);
  const room = Math.max(0, settings.cap - gaussians.count);
  if (chosen.length > room)
    chosen = chosen
      .sort((a, b) => mean(b) - mean(a) || a - b)
      .slice(0, room)
      .sort((a, b) => a - b);
  const small = (row: number): boolean => largestScale(gaussians.logScales, row) <= settings.growScale * extent;
  return { clones: chosen.filter(small), splits: chosen.filter((row) => !small(row)) };
}

/** All but the split ones, then the doubles, then the first children and the second ones; what is new is fresh. */
function growthRows(count: number, clones: readonly number[], splits: readonly number[]): RowChange {
  const gone = new Uint8Array(count);
  for (const row of splits) gone[row] = 1;
  const stay = Array.from({ length: count }, (_, row) => row).filter((row) => gone[row] === 0);
  const source = Int32Array.from([...stay, ...clones, ...splits, ...splits]);
  return { source, fresh: new Uint8Array(source.length).fill(1, stay.length) };
}

/** A child lies where a draw from its parent falls, and is smaller. */
function placeChild(
  gaussians: Gaussians,
  row: number,
  { offset, opacity }: { readonly offset: Float32Array; readonly opacity: Settings['splitOpacity'] },
): void {
  const { means, quaternions, logScales, opacityLogits } = gaussians;
  const rotation = rotationMatrix(quaternions, 4 * row);
  const along = [0, 1, 2].map((axis) => Math.exp(logScales[3 * row + axis]!) * offset[axis]!);
  for (let axis = 0; axis < 3; axis++) {
    means[3 * row + axis] =
      means[3 * row + axis]! + rotation[3 * axis]! * along[0]! + rotation[3 * axis + 1]! * along[1]! + rotation[3 * axis + 2]! * along[2]!;
    logScales[3 * row + axis] = logScales[3 * row + axis]! - Math.log(SHRINK);
  }
  if (opacity === 'revised') opacityLogits[row] = logit(1 - Math.sqrt(1 - logistic(opacityLogits[row]!)));
}

/** Opacities fall to at most twice the pruning limit: what is not needed stays there and is pruned (Kerbl et al. 2023, section 5.2). */
function resetOpacity(before: Refinement | undefined, pruneOpacity: number): Refinement {
  const most = logit(2 * pruneOpacity);
  return {
    ...before,
    clearMoments: ['opacityLogits'],
    counts: { ...before?.counts, reset: 1 },
    edit: (gaussians) => {
      before?.edit?.(gaussians);
      const { opacityLogits } = gaussians;
      for (let row = 0; row < opacityLogits.length; row++) if (opacityLogits[row]! > most) opacityLogits[row] = most;
    },
  };
}

function largestScale(logScales: Float32Array, row: number): number {
  return Math.exp(Math.max(logScales[3 * row]!, logScales[3 * row + 1]!, logScales[3 * row + 2]!));
}
