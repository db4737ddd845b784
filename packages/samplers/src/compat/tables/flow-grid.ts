import { UserError } from '@langevin/tensor';
import { linspace } from '../float32.ts';
import { sigmasByRule, type SigmaRule } from '../sigma-tables.ts';
import { dynamicallyShifted, shifted, stretchedTo, type TimeShiftType } from './lambda-grid.ts';

const { fround } = Math;

interface FlowGridConfig {
  readonly num_train_timesteps: number;
  readonly shift: number;
  readonly use_dynamic_shifting: boolean;
  readonly time_shift_type: TimeShiftType;
  readonly shift_terminal: number | null;
  readonly invert_sigmas: boolean;
}

interface FlowGrid {
  readonly timesteps: readonly number[];
  readonly sigmas: readonly number[];
}

/** The table that a flow's scheduler starts with, from noise on: k / T for k = T..1, shifted unless shifts are dynamic. */
export function flowTable({
  num_train_timesteps: train,
  shift,
  use_dynamic_shifting,
}: Pick<FlowGridConfig, 'num_train_timesteps' | 'shift' | 'use_dynamic_shifting'>): Float32Array {
  const table = Float32Array.from({ length: train }, (_, i) => (train - i) / train);
  return use_dynamic_shifting ? table : shift32(table, shift);
}

const shift32 = (sigmas: Float32Array, shift: number): Float32Array =>
  sigmas.map((s) => fround(fround(shift) * s) / fround(1 + fround(fround(shift - 1) * s)));

interface FlowRequest {
  readonly numInferenceSteps?: number;
  readonly timesteps?: readonly number[];
  readonly sigmas?: readonly number[];
  readonly mu?: number;
}

/**
 * Sigmas of a flow-matching scheduler and its timesteps sigma T. The ends are those of the table, which is shifted already, and are shifted
 * once more (diffusers issue 13243): kept, as published models were sampled so.
 *
 * @throws UserError when the request does not fit together or mu is missing
 */
export function flowGrid(name: string, config: FlowGridConfig & { readonly rule: SigmaRule | undefined }, request: FlowRequest): FlowGrid {
  const { num_train_timesteps: train, shift, use_dynamic_shifting, time_shift_type, shift_terminal, rule } = config;
  const { mu, timesteps } = request;
  if (use_dynamic_shifting && mu === undefined)
    throw new UserError(
      `[samplers/compat] ${name}: the shift depends on the resolution: use_dynamic_shifting=true, mu=undefined. Pass mu to setTimesteps.`,
    );
  const steps = countOf(name, request);
  const table = flowTable(config);
  // Given lists are float32; what is computed from them stays so, as NumPy keeps it, and a dynamic shift too.
  const given = request.sigmas ?? timesteps;
  const round = given === undefined ? (value: number): number => value : fround;
  const [first, last] = [table[0]! * train, table[train - 1]! * train];
  const plain =
    request.sigmas === undefined
      ? [...(timesteps === undefined ? linspace(first, last, steps) : timesteps.map(fround))].map((t) => round(t / train))
      : request.sigmas.map(fround);
  let sigmas = plain.map((sigma) =>
    round(
      use_dynamic_shifting
        ? shiftDynamically(sigma, mu!, { type: time_shift_type, round })
        : round(round(shift * sigma) / round(1 + round((shift - 1) * sigma))),
    ),
  );
  if (shift_terminal !== null && shift_terminal !== 0) sigmas = stretchedTo(shift_terminal, sigmas);
  if (rule !== undefined) sigmas = [...sigmasByRule(rule, { max: sigmas[0]!, min: sigmas[steps - 1]!, steps })];
  const table32 = Float32Array.from(sigmas);
  if (config.invert_sigmas) {
    const inverted = table32.map((sigma) => 1 - sigma);
    return { timesteps: [...inverted.map((sigma) => sigma * train)], sigmas: [...inverted, 1] };
  }
  return {
    timesteps: timesteps === undefined ? [...table32.map((sigma) => sigma * train)] : timesteps.map(fround),
    sigmas: [...table32, 0],
  };
}

function shiftDynamically(
  sigma: number,
  mu: number,
  { type, round }: { readonly type: TimeShiftType; readonly round: (value: number) => number },
): number {
  if (round === fround) {
    const factor = type === 'exponential' ? Math.exp(mu) : mu;
    return fround(factor) / fround(fround(factor) + fround(fround(1 / sigma) - 1));
  }
  return dynamicallyShifted(sigma, mu, type);
}

function countOf(name: string, { numInferenceSteps, timesteps, sigmas }: FlowRequest): number {
  const counts = [numInferenceSteps, sigmas?.length, timesteps?.length].filter((count) => count !== undefined);
  const [first] = counts;
  if (first === undefined)
    throw new UserError(
      `[samplers/compat] ${name}: nothing says how many steps there are: numInferenceSteps=undefined. Pass a number, timesteps or sigmas.`,
    );
  if (counts.some((count) => count !== first))
    throw new UserError(
      `[samplers/compat] ${name}: sigmas, timesteps and numInferenceSteps speak of one run: ${counts.join(', ')} entries. Make `
        + 'them equal in length.',
    );
  return first;
}

/** The grid of a Heun scheduler over a flow, before its inner entries are doubled. */
export function flowHeunSigmas(
  { num_train_timesteps: train, shift }: { readonly num_train_timesteps: number; readonly shift: number },
  steps: number,
): Float32Array {
  const table = flowTable({ num_train_timesteps: train, shift, use_dynamic_shifting: false });
  return Float32Array.from(linspace(table[0]! * train, table[train - 1]! * train, steps), (t) => shifted(t / train, shift));
}
