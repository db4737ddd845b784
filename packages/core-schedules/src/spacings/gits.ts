import { UserError } from '@langevin/tensor';
import type { FloatArray } from '../array-algebra.ts';
import { checkNumber, checkParts } from '../check.ts';
import { noisyCount } from '../grid/sigma-range.ts';
import { defineSpacing, type Spacing } from '../grid/spacing.ts';
import { checkLevel, lambdaOf, relativeSigma, type NoiseLevel } from '../level.ts';

const WHERE = 'core-schedules/gits';
const METRICS = ['l1', 'l2'] as const;

/** A point of a fine trajectory: what the denoiser was shown and what it said, such as a sampler's evaluations. */
export interface TeacherPoint {
  readonly at: NoiseLevel;
  readonly x: FloatArray;
  readonly denoised: FloatArray;
}

export interface GitsOptions {
  /** A fine run on the model, noisiest first, with alpha > 0 everywhere; 61 points in the paper. The last may be clean or not. */
  readonly teacher?: readonly TeacherPoint[];
  /** Number of images in a state; costs are averaged over them. @default 1 */
  readonly items?: number;
  /** How far an Euler step misses the trajectory. @default 'l1', the paper's */
  readonly metric?: (typeof METRICS)[number];
  /** Factor on the cost of each later step, > 0: errors made early are changed on the way. @default 1.15, the paper's for most models */
  readonly coefficient?: number;
}

/**
 * The levels of a fine run between which Euler steps lose least, found by dynamic programming (Chen et al. 2024, arXiv:2405.11326, section 4,
 * "GITS"). The grid belongs to the model whose run was given, and serves other solvers too.
 *
 * The published tables for Stable Diffusion come from a run like this; we know of no permissively licensed source of them, and give the method.
 *
 * @throws UserError without a run, or when it has fewer points than the grid
 */
export function gits(options: GitsOptions = {}): Spacing {
  const { teacher, items = 1, metric = 'l1', coefficient = 1.15 } = options;
  if (teacher === undefined || teacher.length < 2) {
    throw new UserError(`[${WHERE}] the grid is computed from a fine run of the model: teacher=${teacher === undefined ? 'undefined' : `${teacher.length} points`}. Pass teacher: [{ at, x, denoised }, ...] of some 60 Euler steps, or take align-your-steps.`);
  }
  if (!METRICS.includes(metric)) throw new UserError(`[${WHERE}] unknown metric: metric="${String(metric)}". Known: ${METRICS.join(', ')}.`);
  checkNumber(WHERE, 'coefficient', coefficient, { min: 0, openMin: true });
  checkTeacher(teacher, items);
  const costs = eulerCosts(teacher, { items, metric });
  return defineSpacing({
    name: 'gits',
    anyCount: true,
    place: (process, count, reachesFloor) => {
      const clean = teacher.at(-1)!.at.sigma === 0;
      // A run that ends clean has the end of the grid in it.
      const points = clean && !reachesFloor ? count + 1 : clean ? count : noisyCount(process, count, reachesFloor);
      if (points > teacher.length) throw new UserError(`[${WHERE}] the run has fewer points than the grid: teacher.length=${teacher.length}, ${points} wanted. Make a finer run.`);
      return cheapestPath(costs, { points, coefficient }).map((i) => process.levelOf(lambdaOf(teacher[i]!.at)));
    },
  });
}

function checkTeacher(teacher: readonly TeacherPoint[], items: number): void {
  const length = teacher[0]!.x.length;
  checkParts(length, items);
  teacher.forEach(({ at, x, denoised }, i) => {
    checkLevel(WHERE, `teacher[${i}].at`, at);
    checkNumber(WHERE, `teacher[${i}].at.alpha`, at.alpha, { min: 0, openMin: true });
    if (x.length !== length || denoised.length !== length) throw new UserError(`[${WHERE}] states of the run have different lengths: teacher[${i}] has ${x.length} and ${denoised.length}, expected ${length}. Pass one run.`);
  });
}

/** cost[i][j]: how far an Euler step from point i to point j, in EDM units, ends from the trajectory; Infinity where j is not after i. */
function eulerCosts(teacher: readonly TeacherPoint[], { items, metric }: { readonly items: number; readonly metric: 'l1' | 'l2' }): number[][] {
  const sigmas = teacher.map(({ at }) => relativeSigma(at));
  const size = teacher[0]!.x.length / items;
  return teacher.map(({ at, x, denoised }, i) =>
    teacher.map((goal, j) => {
      if (j <= i) return Infinity;
      const reach = sigmas[j]! / sigmas[i]!;
      let total = 0;
      for (let item = 0; item < items; item++) {
        let sum = 0;
        for (let k = item * size; k < (item + 1) * size; k++) {
          const miss = denoised[k]! + reach * (x[k]! / at.alpha - denoised[k]!) - goal.x[k]! / goal.at.alpha;
          sum += metric === 'l1' ? Math.abs(miss) : miss ** 2;
        }
        total += metric === 'l1' ? sum : Math.sqrt(sum);
      }
      return total / items;
    }),
  );
}

/** The cheapest way from the first to the last point over so many points in all; the cost of what follows a step counts `coefficient` times. */
function cheapestPath(costs: readonly (readonly number[])[], { points, coefficient }: { readonly points: number; readonly coefficient: number }): number[] {
  const last = costs.length - 1;
  if (points === 1) return [0];
  // value[k][i]: least cost from i to the last point in k + 1 steps; via[k][i]: where to go first.
  const value = [costs.map((row) => row[last]!)];
  const via = [costs.map(() => last)];
  for (let k = 1; k < points - 1; k++) {
    const before = value[k - 1]!;
    const next = costs.map((row) => {
      let best = { cost: Infinity, at: last };
      row.forEach((cost, j) => {
        const total = cost + coefficient * before[j]!;
        if (total < best.cost) best = { cost: total, at: j };
      });
      return best;
    });
    value.push(next.map(({ cost }) => cost));
    via.push(next.map(({ at }) => at));
  }
  const path = [0];
  for (let k = points - 2; k >= 0; k--) path.push(via[k]![path.at(-1)!]!);
  return path;
}
