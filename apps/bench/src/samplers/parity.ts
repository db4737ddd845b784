import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  compatChoices,
  compatCoverage,
  kDiffusionCoverage,
  K_DIFFUSION_TOLERANCE,
  type CoverageRow,
  type GoldenFile,
  type KDiffusionGolden,
  type KDiffusionRow,
} from '@langevin/samplers/testing';

/** How close a scheduler class comes to diffusers, over all of its golden cases. */
export interface ParityRow {
  readonly name: string;
  readonly cases: number;
  /** Options that a case changes, each with its cases and largest difference. */
  readonly options: readonly CoverageRow[];
  /** Cases that both sides refuse, or that are NaN there. */
  readonly refused: number;
  /** Values of keys that take one of a few, as flags and names do, and how many of them occur in a case. */
  readonly choices: { readonly of: number; readonly run: number };
  readonly largest: number;
  /** How far diffusers' own float32 run is from its float64 one, at most. */
  readonly own: number;
  readonly holds: boolean;
}

/** Runs all golden cases of the repository. */
export async function parityRows(root: string): Promise<readonly ParityRow[]> {
  const folder = join(root, 'packages/samplers/test/golden');
  const files = readdirSync(folder)
    .filter((name) => name.startsWith('schedulers-'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as GoldenFile);
  const cases = files.flatMap((file) => file.cases);
  const coverage = await compatCoverage(files);
  const choices = compatChoices(cases);
  return [...new Set(coverage.map((row) => row.class))].map((name) => {
    const options = coverage.filter((row) => row.class === name);
    const values = choices.filter((row) => row.class === name).flatMap((row) => row.values);
    return {
      name,
      cases: cases.filter((golden) => golden.class === name).length,
      options,
      refused: cases.filter((golden) => golden.class === name && golden.fails !== undefined).length,
      choices: { of: values.length, run: values.filter((value) => value.cases > 0).length },
      largest: Math.max(...options.map((row) => row.largest)),
      own: Math.max(...options.map((row) => row.own)),
      holds: options.every((row) => row.failed === 0) && values.every((value) => value.cases > 0),
    };
  });
}

/** Runs all of k-diffusion's golden cases; a function holds when every case of it does. */
export async function kDiffusionRows(root: string): Promise<readonly (KDiffusionRow & { readonly holds: boolean })[]> {
  const golden = JSON.parse(readFileSync(join(root, 'packages/samplers/test/golden/k-diffusion.json'), 'utf8')) as KDiffusionGolden;
  return (await kDiffusionCoverage(golden)).map((row) => ({ ...row, holds: row.cases > 0 && row.largest < K_DIFFUSION_TOLERANCE }));
}
