import type { Denoiser, Sampler } from '@langevin/core';
import { arrayAlgebra, edm, karras } from '@langevin/core-schedules';
import { threeModes } from '@langevin/core-schedules/testing';
import { heun, imageNoise, startState, trajectory } from '@langevin/samplers';
import { torchGenerator } from '@langevin/tensor';
import type { Contestant } from './contestants.ts';
import type { Point } from './plot.ts';

/** EDM's range and grid, as they are used on images. */
const levels = (steps: number) => karras().levels(edm(), { steps });
const algebra = arrayAlgebra();
const denoise: Denoiser<Float64Array> = threeModes().denoiser();

interface Run {
  readonly x: Float64Array;
  readonly nfe: number;
}

async function run(sampler: Sampler, steps: number, x: Float64Array): Promise<Run> {
  let last: Run = { x, nfe: 0 };
  for await (const step of trajectory({ sampler, denoise, x, levels: levels(steps), noise: imageNoise({ seed: 12 }) }))
    last = { x: step.x, nfe: step.nfe };
  return last;
}

/** So many steps that a run asks the denoiser about `budget` times, from a run of a few steps. */
async function stepsFor(sampler: Sampler, budget: number): Promise<number> {
  const { nfe } = await run(sampler, 4, Float64Array.of(40));
  return Math.max(1, Math.round(((budget - nfe) * 3) / ((await run(sampler, 7, Float64Array.of(40))).nfe - nfe) + 4));
}

/** Starts that are quantiles of the noise, so that the error is that of typical pictures. */
const starts = Float64Array.from({ length: 64 }, (_, i) => 80 * (-2.4 + (4.8 * i) / 63));

/** Root mean square distance from the end of the ODE, by evaluations of the denoiser. */
export async function odeError(contestants: readonly Contestant[], budgets: readonly number[]): Promise<readonly Point[]> {
  const exact = (await run(heun(), 8000, starts)).x;
  const points: Point[] = [];
  for (const { label, sampler } of contestants) {
    for (const budget of budgets) {
      const { x, nfe } = await run(sampler, await stepsFor(sampler, budget), starts);
      points.push({ series: label, x: nfe, y: Math.sqrt(x.reduce((sum, value, i) => sum + (value - exact[i]!) ** 2, 0) / x.length) });
    }
  }
  return unique(points);
}

/** Wasserstein-1 distance between samples and the mixture, by evaluations of the denoiser; `floor` is that of as many exact samples. */
export async function distributionError(
  contestants: readonly Contestant[],
  budgets: readonly number[],
  count = 20_000,
): Promise<{ readonly points: readonly Point[]; readonly floor: number }> {
  const wanted = quantiles(count);
  const x = await startState({ algebra, noise: imageNoise({ seed: 5 }), at: levels(1)[0]!, like: new Float64Array(count) });
  const points: Point[] = [];
  for (const { label, sampler } of contestants) {
    for (const budget of budgets) {
      const end = await run(sampler, await stepsFor(sampler, budget), x);
      points.push({ series: label, x: end.nfe, y: wasserstein(end.x, wanted) });
    }
  }
  return { points: unique(points), floor: wasserstein(threeModes().sample(torchGenerator(1), count), wanted) };
}

function wasserstein(samples: Float64Array, wanted: Float64Array): number {
  return (
    samples
      .slice()
      .sort()
      .reduce((sum, value, i) => sum + Math.abs(value - wanted[i]!), 0) / samples.length
  );
}

/** Quantiles of the clean mixture in the middle of `count` equal shares, by bisection of its distribution function. */
function quantiles(count: number): Float64Array {
  const modes = threeModes();
  const grid = Float64Array.from({ length: 40_001 }, (_, i) => -4 + (8 * i) / 40_000);
  const cumulative = new Float64Array(grid.length);
  for (let i = 1; i < grid.length; i++)
    cumulative[i] =
      cumulative[i - 1]! + Math.exp(modes.logDensity([(grid[i]! + grid[i - 1]!) / 2], { alpha: 1, sigma: 0 })) * (grid[1]! - grid[0]!);
  let at = 0;
  return Float64Array.from({ length: count }, (_, k) => {
    const share = (k + 0.5) / count;
    while (at < grid.length - 2 && cumulative[at + 1]! < share) at++;
    const slope = cumulative[at + 1]! - cumulative[at]!;
    return grid[at]! + (slope > 0 ? (share - cumulative[at]!) / slope : 0) * (grid[1]! - grid[0]!);
  });
}

/** Two budgets may come to the same number of evaluations. */
function unique(points: readonly Point[]): readonly Point[] {
  return points.filter((point, i) => points.findIndex((other) => other.series === point.series && other.x === point.x) === i);
}
