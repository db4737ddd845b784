import { counterGenerator } from '@langevin/tensor';
import { byName, checkGaussians, PARAMETERS, type Gaussians } from '../gaussians.ts';
import { changeRows } from '../optimizer/rows.ts';
import type { RenderGradients } from '../rasterizer.ts';
import type { RefineContext, Strategy } from '../strategies/strategy.ts';
import { initialState, type SplatState } from '../training/state.ts';
import { demand, sameBits } from './demand.ts';
import { inBothPrecisions, randomScene } from './random-scene.ts';

export interface CheckStrategyOptions {
  /** Steps that are tried; enough for the strategy to act. @default 1000 */
  readonly steps?: number;
  /** Gaussians to begin with. @default 40 */
  readonly count?: number;
}

/** Where a run of the check ends, and how often the strategy changed something. */
interface Course {
  readonly state: SplatState;
  readonly changes: number;
}

/**
 * Proves of a strategy what each has to keep: it acts within the steps that are tried; the same seed gives the same bits, so that runs can
 * be resumed; rows that it names exist, and what it writes is finite; observing changes nothing but its statistics, and refining changes
 * Gaussians by what it returns alone; its options are plain values that JSON holds.
 *
 * @throws Error saying what the strategy does not keep
 * @example
 * checkStrategy(mcmcStrategy({ start: 10, every: 20 }), { steps: 100 });
 */
export function checkStrategy(strategy: Strategy, { steps = 1000, count = 40 }: CheckStrategyOptions = {}): void {
  const part = `strategy ${strategy.name}`;
  // A configuration that does not come back as it was would make a run that cannot be resumed.
  const json = JSON.parse(JSON.stringify(strategy.options)) as Readonly<Record<string, unknown>>;
  demand(
    part,
    Object.entries(strategy.options).every(([name, value]) => Object.is(json[name], value)),
    'has options that JSON does not hold: give numbers and texts',
  );
  demand(
    part,
    Object.values(strategy.statistics).every((length) => Number.isInteger(length) && length > 0),
    'has statistics of no length',
  );
  const once = courseOf(strategy, { part, steps, count });
  const again = courseOf(strategy, { part, steps, count });
  demand(part, once.changes > 0 || strategy.perturb !== undefined, `changes nothing in ${steps} steps`);
  demand(part, sameState(once.state, again.state), 'gives other Gaussians for the same seed');
}

function courseOf(
  strategy: Strategy,
  { part, steps, count }: { readonly part: string; readonly steps: number; readonly count: number },
): Course {
  const { gaussians, camera } = randomScene({ seed: 3, count, degree: 0 });
  let state = initialState(faintly(inBothPrecisions(gaussians).single), { strategy, decaySteps: 1 });
  let changes = 0;
  for (let step = 1; step <= steps; step += 1) {
    const rows = state.gaussians.count;
    const before = copyOf(state.gaussians);
    const now = { step, plannedSteps: 30 * steps };
    const gradients = gradientsOf(rows, step);
    const given = Object.values(gradients).map((array) => Float32Array.from(array as Float32Array));
    const radii = Float32Array.from({ length: rows }, (_, i) => (i % 7 === 0 ? 0 : 4));
    strategy.observe?.({ ...now, statistics: state.statistics, rendering: { radii }, gradients, camera });
    demand(part, same(before, state.gaussians), 'changes Gaussians while it observes');
    demand(
      part,
      Object.values(gradients).every((array, i) => sameBits(array as Float32Array, given[i]!)),
      'changes the gradients that it observes',
    );
    const context = (purpose: number): RefineContext => ({
      ...now,
      gaussians: state.gaussians,
      statistics: state.statistics,
      extent: 2,
      meansRate: 1e-3,
      random: counterGenerator({ seed: 1, stream: [purpose, step] }),
    });
    const change = strategy.refine(context(0));
    demand(part, same(before, state.gaussians), 'changes Gaussians while it refines: return an edit');
    if (change !== undefined) {
      if (change.rows !== undefined) {
        demand(part, change.rows.source.length === change.rows.fresh.length, 'has not a mark of freshness for each row');
        demand(
          part,
          change.rows.source.every((row) => row >= 0 && row < rows),
          'takes rows that do not exist',
        );
        state = { ...state, ...changeRows(state, change.rows) };
      }
      change.edit?.(state.gaussians);
      if (change.clearStatistics) for (const values of Object.values(state.statistics)) values.fill(0);
      demand(part, Object.values(change.counts).every(Number.isFinite), 'counts what is no number');
      if (!same(before, state.gaussians)) changes += 1;
    }
    strategy.perturb?.(context(1));
    checkGaussians('gaussians/testing', state.gaussians);
    for (const name of PARAMETERS) demand(part, state.gaussians[name].every(Number.isFinite), `writes ${name} that are no numbers`);
    for (const [name, values] of Object.entries(state.statistics))
      demand(part, values.every(Number.isFinite), `keeps statistics that are no numbers: ${name}`);
  }
  return { state, changes };
}

/** Some of them all but invisible, as training leaves them. */
function faintly(gaussians: Gaussians): Gaussians {
  return { ...gaussians, opacityLogits: gaussians.opacityLogits.map((value, i) => (i % 5 === 0 ? -8 : value)) };
}

/** Gradients as of a loss that wants detail in some places. */
function gradientsOf(count: number, step: number): RenderGradients {
  const random = counterGenerator({ seed: 2, stream: [step] });
  const of = (length: number): Float32Array => Float32Array.from(random.normal(length * count), (value) => 1e-2 * value);
  const means2d = of(2);
  return {
    means: of(3),
    quaternions: of(4),
    logScales: of(3),
    opacityLogits: of(1),
    sh: of(3),
    background: new Float32Array(3),
    worldToCamera: new Float32Array(12),
    means2d,
    absoluteMeans2d: means2d.map((value) => 2 * Math.abs(value)),
  };
}

function copyOf(gaussians: Gaussians): Gaussians {
  return { ...gaussians, ...byName((name) => Float32Array.from(gaussians[name])) };
}

function same(a: Gaussians, b: Gaussians): boolean {
  return a.count === b.count && PARAMETERS.every((name) => sameBits(a[name], b[name]));
}

function sameState(a: SplatState, b: SplatState): boolean {
  return same(a.gaussians, b.gaussians) && Object.keys(a.statistics).every((name) => sameBits(a.statistics[name]!, b.statistics[name]!));
}
