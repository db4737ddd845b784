import { UserError } from '@langevin/tensor';
import { descendingRange, interpolateTable, linspace, roundHalfEven } from '../float32.ts';
import { sigmasByRule, sigmaToTime, type SigmaRule } from '../sigma-tables.ts';

/**
 * Timesteps and sigmas of the classes that DPM-Solver's implementation in diffusers begat: DPMSolverMultistep and its inverse and
 * singlestep forms, DEIS, UniPC, SA-Solver. Places are counted from a table that rises with noise.
 */
export interface LambdaGrid {
  readonly timesteps: readonly number[];
  /** float32, the last step's end included: one more than there are steps. */
  readonly sigmas: readonly number[];
}

/** Rules that replace the sigmas of the timesteps; `lu` is uniform lambda, `flow` the sigmas of a rectified flow. */
export type LambdaRule = SigmaRule | 'lu' | 'flow';

export interface LambdaTables {
  readonly sigmas: Float32Array;
  readonly logSigmas: Float32Array;
}

const asFloat32 = (values: Iterable<number>): number[] => [...Float32Array.from(values)];

/** Number of entries of a table of cumulative products whose lambda, in float32, lies below a bound: those are left out. */
export function countBelow(alphaBars: Float32Array, bound: number): number {
  if (bound === -Infinity) return 0;
  const { fround, log, sqrt } = Math;
  const lambdas = alphaBars.map((bar) => fround(log(fround(sqrt(bar)))) - fround(log(fround(sqrt(fround(1 - bar))))));
  return lambdas.filter((lambda) => lambda < bound).length;
}

/** Whole timesteps before any rule; `last` is the number of table entries in use. */
export function lambdaTimesteps({
  spacing,
  last,
  train,
  offset,
  steps,
  ascending = false,
}: {
  readonly spacing: 'linspace' | 'leading' | 'trailing';
  readonly last: number;
  readonly train: number;
  readonly offset: number;
  readonly steps: number;
  readonly ascending?: boolean;
}): number[] {
  const pick = (rising: number[]): number[] => (ascending ? rising.slice(0, -1) : rising.reverse().slice(0, -1));
  switch (spacing) {
    case 'linspace':
      return pick([...linspace(0, last - 1, steps + 1)].map(roundHalfEven));
    case 'leading': {
      const stride = Math.floor(last / (steps + 1));
      return pick(Array.from({ length: steps + 1 }, (_, i) => i * stride)).map((t) => t + offset);
    }
    case 'trailing': {
      // The stride is that of the whole chain even where a part of it is left out.
      const falling = descendingFrom(last, train / steps).map((t) => roundHalfEven(t) - 1);
      return ascending ? falling.reverse() : falling;
    }
  }
}

const descendingFrom = (from: number, step: number): number[] => descendingRange(from, step).filter((t) => t > 0);

export interface GridRequest {
  readonly tables: LambdaTables;
  readonly timesteps: readonly number[];
  readonly rule: LambdaRule | undefined;
  readonly train: number;
  readonly flowShift: number;
  /** Whether times of the rule are rounded before they are cut to whole ones. */
  readonly rounds: boolean;
  readonly ascending?: boolean;
  /** Ends of the rules over sigma. @default those of the table */
  readonly sigmaMin?: number | null;
  readonly sigmaMax?: number | null;
}

/** Timesteps, whole, and sigmas in float64 without the end of the last step. */
export function ruledSigmas({ tables, timesteps, rule, train, flowShift, rounds, ascending = false, sigmaMin, sigmaMax }: GridRequest): {
  readonly timesteps: number[];
  readonly sigmas: number[];
} {
  const steps = timesteps.length;
  if (rule === undefined) return { timesteps: [...timesteps], sigmas: timesteps.map((t) => interpolateTable(t, tables.sigmas)) };
  if (rule === 'flow') {
    const sigmas = flowSigmas({ train, steps, shift: flowShift });
    return { timesteps: sigmas.map((sigma) => Math.trunc(sigma * train)), sigmas };
  }
  const { sigmas: table, logSigmas } = tables;
  const [low, high] =
    rule === 'lu' ? [logSigmas[0]!, logSigmas[logSigmas.length - 1]!] : [sigmaMin ?? table[0]!, sigmaMax ?? table[table.length - 1]!];
  const ends = ascending && (sigmaMin ?? sigmaMax ?? null) === null ? { max: low, min: high, steps } : { max: high, min: low, steps };
  const sigmas = [
    ...(rule === 'lu' ? linspace(0, 1, steps).map((ramp) => Math.exp(ends.max + ramp * (ends.min - ends.max))) : sigmasByRule(rule, ends)),
  ];
  const times = sigmas.map((sigma) => sigmaToTime(sigma, logSigmas));
  return { timesteps: times.map((t) => Math.trunc(rounds ? roundHalfEven(t) : t)), sigmas };
}

/** Sigmas of a rectified flow from its noisy end on, shifted, without the clean end. */
function flowSigmas({ train, steps, shift }: { readonly train: number; readonly steps: number; readonly shift: number }): number[] {
  const rising = [...linspace(1, 1 / train, steps + 1)].map((alpha) => shifted(1 - alpha, shift));
  return rising.reverse().slice(0, -1);
}

/** The static shift of a flow (Esser et al. 2024, arXiv:2403.03206, eq. 23). */
export function shifted(sigma: number, shift: number): number {
  return (shift * sigma) / (1 + (shift - 1) * sigma);
}

export type TimeShiftType = 'exponential' | 'linear';

/** The dynamic shift of a flow: e^mu, or mu itself, in the place of the static shift. */
export function dynamicallyShifted(sigma: number, mu: number, type: TimeShiftType): number {
  const factor = type === 'exponential' ? Math.exp(mu) : mu;
  return factor / (factor + (1 / sigma - 1));
}

/** Stretches sigmas so that the last is `terminal` and noise stays 1. */
export function stretchedTo(terminal: number, sigmas: readonly number[]): number[] {
  const factor = (1 - sigmas[sigmas.length - 1]!) / (1 - terminal);
  return sigmas.map((sigma) => 1 - (1 - sigma) / factor);
}

/** A grid with its end. @throws UserError when the chain has fewer steps than are asked for */
export function gridOf(timesteps: readonly number[], sigmas: readonly number[], last: number): LambdaGrid {
  return { timesteps, sigmas: asFloat32([...sigmas, last]) };
}

/** Custom timesteps of a chain, cut to whole ones. @throws UserError when they leave it */
export function customTimesteps(name: string, timesteps: readonly number[], train: number): number[] {
  const wrong = timesteps.findIndex((t) => !(t >= 0 && t < train));
  if (wrong >= 0)
    throw new UserError(
      `[samplers/compat] ${name}: custom timesteps are steps of the chain: timesteps[${wrong}]=${timesteps[wrong]}. Pass numbers `
        + `in 0..${train - 1}, falling.`,
    );
  return timesteps.map(Math.trunc);
}

/** Each timestep once, in the order of its first appearance. */
export const unique = (timesteps: readonly number[]): number[] => [...new Set(timesteps)];
