import { checkLevel, lambdaOf, type NoiseLevel, relativeSigma } from '@langevin/core';
import { checkNumber, readOptions, UserError } from '@langevin/tensor';
import type { FloatArray } from '../array-algebra.ts';
import { checkParts } from '../check.ts';
import { noisyCount } from '../grid/sigma-range.ts';
import { levelsOfTable } from '../grid/sigma-table.ts';
import { defineSpacing, type Spacing } from '../grid/spacing.ts';

const WHERE = 'core-schedules/gits';
const METRICS = ['deviation', 'l1', 'l2'] as const;
type Metric = (typeof METRICS)[number];

/** A point of a fine trajectory: what the denoiser was shown and what it said, such as a sampler's evaluations. */
export interface TeacherPoint {
  readonly at: NoiseLevel;
  readonly x: FloatArray;
  readonly denoised: FloatArray;
}

export interface GitsOptions {
  /** A fine run on the model, noisiest first, with alpha > 0 everywhere; the authors take 61 points. The last may be clean or not. */
  readonly teacher?: readonly TeacherPoint[];
  /**
   * In place of a run, what came of one: sigma / alpha before each step and at the floor, noisiest first, at least two. Other numbers of
   * steps than its own are interpolated, as those of align-your-steps are.
   */
  readonly table?: readonly number[];
  /** Number of images in a state; costs are averaged over them. @default 1 */
  readonly items?: number;
  /**
   * What an Euler step costs: how much farther from the line between the ends of the run it comes out than the run itself (`deviation`), or
   * its distance from the run. @default 'deviation', the authors'; states of one number have none, and need 'l1'
   */
  readonly metric?: Metric;
  /** Factor on the cost of each later step, > 0: errors made early are changed on the way. @default 1.15, the authors' */
  readonly coefficient?: number;
}

/**
 * The levels of a fine run between which Euler steps lose least, found by dynamic programming (Chen et al. 2024, arXiv:2405.11326, section
 * 4, "GITS"). The grid belongs to the model whose run was given, and serves other solvers too.
 *
 * The published tables for Stable Diffusion come from a run like this; we know of no permissively licensed source of them, and give the
 * method. A grid that was found once is a `table` from then on, also on a command line.
 *
 * @throws UserError without a run or a table, for a table that does not fall, or when a run has fewer points than the grid
 * @example
 * // A run of 33 Euler steps on data of two modes, and the four of them that lose least.
 * const denoise = threeModes().denoiser<Float64Array>();
 * const fine = exponential({ sigmaMin: 0.1, sigmaMax: 10 }).levels(edm(), { steps: 32, end: 'floor' });
 * const teacher: TeacherPoint[] = [];
 * let x = Float64Array.of(7, -3);
 * for (const [i, at] of fine.entries()) {
 *   const denoised = await denoise(x, at);
 *   teacher.push({ at, x, denoised });
 *   const next = fine[i + 1] ?? at;
 *   x = x.map((value, k) => denoised[k]! + (next.sigma / at.sigma) * (value - denoised[k]!));
 * }
 * gits({ teacher }).levels(edm(), { steps: 4, end: 'floor' }).map(({ sigma }) => sigma); // => [10, 1, 0.5623, 0.4217, 0.1]
 */
export function gits(options: GitsOptions = {}): Spacing {
  const { teacher, table, items = 1, metric = 'deviation', coefficient = 1.15 } = readOptions('core-schedules/gits', options);
  if (table !== undefined) return tabled(table, teacher);
  if (teacher === undefined || teacher.length < 2) {
    throw new UserError(
      `[${WHERE}] the grid is computed from a fine run of the model: `
        + `teacher=${teacher === undefined ? 'undefined' : `${teacher.length} points`}. Pass teacher: [{ at, x, denoised }, ...] of `
        + 'some 60 Euler steps (teacherRun() of @langevin/samplers makes one), or table: [14.6, ..., 0.03], a grid from one.',
    );
  }
  if (!METRICS.includes(metric))
    throw new UserError(`[${WHERE}] unknown metric: metric="${String(metric)}". Known: ${METRICS.join(', ')}.`);
  checkNumber(WHERE, { coefficient }, { above: 0 });
  checkTeacher(teacher, items);
  const costs = eulerCosts(teacher, { items, metric });
  return defineSpacing({
    name: 'gits',
    place: (process, count, { reachesFloor }) => {
      const clean = teacher.at(-1)!.at.sigma === 0;
      // A run that ends clean has the end of the grid in it.
      const points = clean && !reachesFloor ? count + 1 : clean ? count : noisyCount(process, count, { reachesFloor });
      if (points > teacher.length)
        throw new UserError(
          `[${WHERE}] the run has fewer points than the grid: teacher.length=${teacher.length}, ${points} wanted. Make a finer run.`,
        );
      const levels = cheapestPath(costs, { points, coefficient }).map((i) => process.levelOf(lambdaOf(teacher[i]!.at)));
      return clean && !reachesFloor ? levels.slice(0, -1) : levels;
    },
  });
}

function tabled(table: readonly number[], teacher: readonly TeacherPoint[] | undefined): Spacing {
  if (teacher !== undefined)
    throw new UserError(
      `[${WHERE}] a grid is either computed or given: teacher=${teacher.length} points, table=${String(table)}. Pass one of them.`,
    );
  if (!Array.isArray(table) || table.length < 2)
    throw new UserError(
      `[${WHERE}] a table holds sigma / alpha before each step and at the floor: table=${String(table)}. Pass at least two numbers.`,
    );
  table.forEach((sigma: unknown, i) =>
    checkNumber(WHERE, { [`table[${i}]`]: sigma }, { above: 0, ...(i > 0 && { below: table[i - 1]! }) }),
  );
  return defineSpacing({
    name: 'gits',
    place: (process, count, { reachesFloor }) => levelsOfTable(table, process, { count, reachesFloor }),
  });
}

function checkTeacher(teacher: readonly TeacherPoint[], items: number): void {
  const length = teacher[0]!.x.length;
  checkParts(length, items);
  teacher.forEach(({ at, x, denoised }, i) => {
    checkLevel(WHERE, `teacher[${i}].at`, at);
    checkNumber(WHERE, { [`teacher[${i}].at.alpha`]: at.alpha }, { above: 0 });
    if (x.length !== length || denoised.length !== length)
      throw new UserError(
        `[${WHERE}] states of the run have different lengths: teacher[${i}] has ${x.length} and ${denoised.length}, expected `
          + `${length}. Pass one run.`,
      );
  });
}

/** cost[i][j] of an Euler step from point i to point j in EDM units, averaged over items; Infinity where j is not after i. */
function eulerCosts(teacher: readonly TeacherPoint[], { items, metric }: { readonly items: number; readonly metric: Metric }): number[][] {
  const points = teacher.map(({ at, x, denoised }) => ({
    sigma: relativeSigma(at),
    x: Float64Array.from(x, (value) => value / at.alpha),
    denoised: Float64Array.from(denoised),
  }));
  const size = points[0]!.x.length / items;
  const itemOf = (values: Float64Array, item: number): Float64Array => values.subarray(item * size, (item + 1) * size);
  const costs = points.map(() => points.map((): number => Infinity));
  for (let item = 0; item < items; item++) {
    const path = points.map(({ x }) => itemOf(x, item));
    const cost = metric === 'deviation' ? deviationCost(path) : (reached: Float64Array, j: number) => distance(reached, path[j]!, metric);
    points.forEach(({ sigma, denoised }, i) => {
      for (let j = i + 1; j < points.length; j++) {
        const share = points[j]!.sigma / sigma;
        const towards = itemOf(denoised, item);
        const reached = path[i]!.map((value, k) => towards[k]! + share * (value - towards[k]!));
        costs[i]![j] = (item === 0 ? 0 : costs[i]![j]!) + cost(reached, j) / items;
      }
    });
  }
  return costs;
}

function distance(a: Float64Array, b: Float64Array, metric: 'l1' | 'l2'): number {
  const sum = a.reduce((total, value, k) => total + (metric === 'l1' ? Math.abs(value - b[k]!) : (value - b[k]!) ** 2), 0);
  return metric === 'l1' ? sum : Math.sqrt(sum);
}

/** How much farther than point j of the path a state lies from the line between the path's ends. */
function deviationCost(path: readonly Float64Array[]): (reached: Float64Array, j: number) => number {
  const [first, last] = [path[0]!, path.at(-1)!];
  const length = distance(first, last, 'l2') || 1;
  const direction = first.map((value, k) => (last[k]! - value) / length);
  const deviation = (x: Float64Array): number => {
    const along = x.reduce((sum, value, k) => sum + (last[k]! - value) * direction[k]!, 0);
    return Math.sqrt(x.reduce((sum, value, k) => sum + (last[k]! - value - along * direction[k]!) ** 2, 0));
  };
  const own = path.map(deviation);
  return (reached, j) => deviation(reached) - own[j]!;
}

/**
 * The cheapest way from the first to the last point over so many points in all; the cost of what follows a step counts `coefficient` times.
 */
function cheapestPath(
  costs: readonly (readonly number[])[],
  { points, coefficient }: { readonly points: number; readonly coefficient: number },
): number[] {
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
