import { isLevelList, type NoiseSource, relativeSigma, sigmaLevel } from '@langevin/core';
import { threeModes } from '@langevin/core-schedules/testing';
import { samplers } from '../../solvers/index.ts';
import { sample } from '../../trajectory.ts';

/** A run that k-diffusion made in float64; tooling/parity/k_diffusion_golden.py says how. */
export interface KDiffusionCase {
  /** Its sampling function, without `sample_`. */
  readonly function: string;
  readonly grid: string;
  readonly options: Readonly<Record<string, number | string>>;
  /** Between which sigmas it drew noise. */
  readonly intervals?: readonly (readonly [number, number])[];
  readonly result: readonly number[];
}

export interface KDiffusionGolden {
  readonly start: readonly number[];
  readonly noise: readonly (readonly number[])[];
  readonly grids: Readonly<Record<string, readonly number[]>>;
  readonly cases: readonly KDiffusionCase[];
}

/** The most that both ends may differ, relative to the largest element: both are float64. */
export const K_DIFFUSION_TOLERANCE = 1e-12;

/** Names of options there and here. */
const OPTIONS: Readonly<Record<string, string>> = {
  eta: 'eta',
  s_noise: 'sNoise',
  s_churn: 'sChurn',
  s_tmin: 'sTMin',
  s_tmax: 'sTMax',
  solver_type: 'solverType',
  r: 'r',
  order: 'order',
};

interface Peer {
  readonly name: string;
  /** Options that choose k-diffusion's form where ours has another default. */
  readonly form?: Readonly<Record<string, string>>;
}

const PEERS: Readonly<Record<string, Peer>> = {
  euler: { name: 'euler' },
  heun: { name: 'heun' },
  euler_ancestral: { name: 'euler-ancestral' },
  dpm_2: { name: 'dpm-2' },
  dpm_2_ancestral: { name: 'dpm-2-ancestral' },
  lms: { name: 'lms' },
  dpmpp_2s_ancestral: { name: 'dpmpp-2s-ancestral' },
  dpmpp_2m: { name: 'dpmpp-2m', form: { lowerOrderFinal: 'clean' } },
  dpmpp_sde: { name: 'dpmpp-sde' },
  dpmpp_2m_sde: { name: 'dpmpp-2m-sde' },
  dpmpp_3m_sde: { name: 'dpmpp-3m-sde', form: { weights: 'reference' } },
};

/** The functions of k-diffusion that are compared. */
export const kDiffusionFunctions: readonly string[] = Object.keys(PEERS);

/** k-diffusion draws for churn at every step, whether it churns or not; other samplers in order. */
const CHURNING: ReadonlySet<string> = new Set(['euler', 'heun', 'dpm_2']);

export interface KDiffusionComparison {
  /** Greatest difference of the ends, relative to the largest element. */
  readonly difference: number;
  /** Between which sigmas our sampler drew noise. */
  readonly intervals: readonly (readonly [number, number])[];
}

/** Runs ours where k-diffusion gave a case's numbers, with its recorded noise, on the closed-form denoiser of a mixture. */
export async function compareKDiffusion(
  golden: Omit<KDiffusionGolden, 'cases'>,
  { function: name, grid, options, result }: KDiffusionCase,
): Promise<KDiffusionComparison> {
  const { name: sampler, form = {} } = PEERS[name]!;
  const intervals: (readonly [number, number])[] = [];
  const noise: NoiseSource = {
    name: 'recorded',
    draw: ({ algebra, like, step, interval }) => {
      const index = CHURNING.has(name) ? Number(step) : intervals.length;
      intervals.push([interval!.from, interval!.to].map((at) => relativeSigma(isLevelList(at) ? at[0]! : at)) as [number, number]);
      return Promise.resolve(algebra.fromHost(Float64Array.from(golden.noise[index]!), like));
    },
  };
  const ours = Object.fromEntries(Object.entries(options).map(([key, value]) => [OPTIONS[key]!, value]));
  const levels = golden.grids[grid]!.map(sigmaLevel);
  const x = Float64Array.from(golden.start, (value) => value * levels[0]!.sigma);
  const end = await sample({
    sampler: samplers.create(sampler, { ...form, ...ours }),
    denoise: threeModes().denoiser<Float64Array>(),
    x,
    levels,
    noise,
  });
  const scale = Math.max(...result.map(Math.abs));
  return { difference: Math.max(...result.map((value, i) => Math.abs(value - end[i]!))) / scale, intervals };
}

/** How close ours comes to one function of k-diffusion. */
export interface KDiffusionRow {
  readonly function: string;
  readonly sampler: string;
  readonly cases: number;
  readonly largest: number;
}

/** Runs all cases of a golden file. */
export async function kDiffusionCoverage(golden: KDiffusionGolden): Promise<readonly KDiffusionRow[]> {
  return Promise.all(
    kDiffusionFunctions.map(async (name) => {
      const cases = golden.cases.filter((each) => each.function === name);
      const found = await Promise.all(cases.map((each) => compareKDiffusion(golden, each)));
      return {
        function: name,
        sampler: PEERS[name]!.name,
        cases: cases.length,
        largest: Math.max(...found.map(({ difference }) => difference)),
      };
    }),
  );
}
