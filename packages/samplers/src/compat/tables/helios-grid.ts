import { UserError } from '@langevin/tensor';
import { linspace } from '../float32.ts';
import { dynamicallyShifted, shifted, type TimeShiftType } from './lambda-grid.ts';

/**
 * Timesteps and sigmas of Helios' pyramid: each stage runs from noise to its own clean end at a resolution of its own, with a part of
 * the model's timesteps.
 */
interface HeliosConfig {
  readonly num_train_timesteps: number;
  readonly shift: number;
  readonly stages: number;
  readonly stage_range: readonly number[];
  readonly gamma: number;
  readonly use_dynamic_shifting: boolean;
  readonly time_shift_type: TimeShiftType;
}

interface HeliosRequest {
  readonly numInferenceSteps?: number;
  readonly stageIndex?: number;
  readonly sigmas?: readonly number[];
  readonly mu?: number;
  readonly isAmplifyFirstChunk?: boolean;
  /** Whether the step before the end is left out, as the distilled form has it. */
  readonly lastLevel: 'kept' | 'dropped';
}

interface HeliosGrid {
  readonly timesteps: readonly number[];
  readonly sigmas: readonly number[];
}

/** The first level of a stage whose own time begins at noise. */
const STAGE_START = 0.999;

/** The flow's table before stages. */
function table({ num_train_timesteps: train, shift }: HeliosConfig): number[] {
  return [...linspace(1, 1 / train, train + 1)]
    .map((alpha) => shifted(1 - alpha, shift))
    .reverse()
    .slice(0, -1);
}

/**
 * First and last timestep of each stage: shares of the chain in proportion to the noise that each removes, starts corrected for the
 * enlargement between stages.
 */
function heliosStages(config: HeliosConfig): readonly { readonly max: number; readonly min: number }[] {
  const { num_train_timesteps: train, stages, stage_range, gamma } = config;
  if (
    stage_range.length !== stages + 1
    || stage_range.some((share, i) => !(share >= 0 && share <= 1) || (i > 0 && !(share > stage_range[i - 1]!)))
  ) {
    throw new UserError(
      '[samplers/compat] Helios: stage_range rises from 0 to 1 with one entry more than there are stages: '
        + `stage_range=[${stage_range.join(', ')}], stages=${stages}. Pass [0, 1/3, 2/3, 1] for three.`,
    );
  }
  const sigmas = table(config);
  const at = (share: number): number => Math.min(Math.max(Math.trunc(share * train), 0), train);
  const distances = Array.from({ length: stages }, (_, i) => {
    const start = sigmas[at(stage_range[i]!)]!;
    const end = at(stage_range[i + 1]!) < train ? sigmas[at(stage_range[i + 1]!)]! : 0;
    if (i === 0) return start - end;
    const clean = 1 - start;
    return 1 - (1 / (Math.sqrt(1 + 1 / gamma) * (1 - clean) + clean)) * clean - end;
  });
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const total = sum(distances);
  return distances.map((_, i) => {
    const first = i === 0 ? 0 : sum(distances.slice(0, i)) / total;
    const last = i === stages - 1 ? 1 - Number.EPSILON / 2 : sum(distances.slice(0, i + 1)) / total;
    const max = Math.min(sigmas[Math.trunc(first * train)]! * train, 999);
    const min = sigmas[Math.min(Math.trunc(last * train), train - 1)]! * train;
    const times = linspace(max, min, train + 1);
    return { max: times[0]!, min: times[train - 1]! };
  });
}

/** The table that a scheduler starts with, before any stage is chosen. */
export function heliosStart(config: HeliosConfig): HeliosGrid {
  heliosStages(config);
  const sigmas = table(config);
  return { timesteps: sigmas.map((sigma) => sigma * config.num_train_timesteps), sigmas };
}

/** Timesteps and sigmas of one stage. */
export function heliosGrid(name: string, config: HeliosConfig, request: HeliosRequest): HeliosGrid {
  const { num_train_timesteps: train, stages, shift, use_dynamic_shifting, time_shift_type } = config;
  const fail = (what: string): never => {
    throw new UserError(`[samplers/compat] ${name}: ${what}`);
  };
  const { numInferenceSteps, stageIndex, mu, isAmplifyFirstChunk = false } = request;
  const cuts = request.lastLevel === 'dropped';
  if (numInferenceSteps === undefined) return fail('the number of steps is needed: numInferenceSteps=undefined. Pass it.');
  if (use_dynamic_shifting && mu === undefined)
    return fail('the shift depends on the resolution: use_dynamic_shifting=true, mu=undefined. Pass mu to setTimesteps.');
  if (use_dynamic_shifting && shift !== 1)
    return fail(`a shift is static or dynamic: use_dynamic_shifting=true, shift=${shift}. Leave one of them out.`);
  const steps = !cuts ? numInferenceSteps : isAmplifyFirstChunk ? numInferenceSteps * 2 + 1 : numInferenceSteps + 1;
  let sigmas: number[];
  let timesteps: number[];
  const stage =
    heliosStages(config)[stageIndex ?? 0] ?? fail(`the stage is not one of ${stages}: stageIndex=${stageIndex}. Pass 0..${stages - 1}.`);
  if (stages === 1) {
    sigmas = (request.sigmas ?? [...linspace(1, 1 / train, steps + 1)].slice(0, -1)).map(Math.fround);
    // The static shift goes through the rule of dynamic ones, as there.
    if (shift !== 1) sigmas = sigmas.map((sigma) => Math.fround(shiftIn32(sigma, shift, time_shift_type)));
    timesteps = sigmas.map((sigma) => Math.fround(sigma * train));
  } else {
    if (stageIndex === undefined) return fail(`the run is of one stage: stageIndex=undefined, stages=${stages}. Pass stageIndex.`);
    timesteps = [...linspace(stage.max, stage.min, steps)];
    sigmas = [...linspace(STAGE_START, linspace(STAGE_START, 0, train + 1)[train - 1]!, steps)];
  }
  sigmas.push(0);
  if (cuts) {
    timesteps.pop();
    sigmas.splice(-2, 1);
  }
  if (use_dynamic_shifting) {
    sigmas = sigmas.map((sigma) =>
      stages === 1 ? shiftIn32(sigma, mu!, time_shift_type) : dynamicallyShifted(sigma, mu!, time_shift_type),
    );
    timesteps = sigmas
      .slice(0, -1)
      .map((sigma) => (stages === 1 ? Math.fround(sigma * train) : stage.min + sigma * (stage.max - stage.min)));
  }
  return { timesteps, sigmas };
}

/** The dynamic shift with each operation in float32. */
function shiftIn32(sigma: number, mu: number, type: TimeShiftType): number {
  const { fround } = Math;
  const factor = type === 'exponential' ? Math.exp(mu) : mu;
  return fround(fround(factor) / fround(fround(factor) + fround(fround(1 / sigma) - 1)));
}
