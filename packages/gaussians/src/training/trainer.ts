import { counterGenerator } from '@langevin/tensor';
import { byName, PARAMETERS } from '../gaussians.ts';
import type { PerceptualMetric } from '../losses/metrics.ts';
import { adamStep } from '../optimizer/adam.ts';
import { columnsOf, meansRate } from '../optimizer/rates.ts';
import { changeRows } from '../optimizer/rows.ts';
import type { ParameterMemory, Rasterizer, Rendering } from '../rasterizer.ts';
import type { SceneView, SplatScene } from '../scenes/scene.ts';
import type { RefineContext, Refinement } from '../strategies/strategy.ts';
import { stopwatch, type Trace } from '../trace.ts';
import type { ResolvedSettings } from './config.ts';
import type { TrainingState } from './state.ts';
import { inTurn } from './turns.ts';
import { STREAM, viewLoss, type StepMetrics, type ViewScore } from './view-loss.ts';

/** Trains step by step; the arrays of the state change in place where their number does not. */
export interface Trainer {
  readonly state: () => TrainingState;
  /** @throws UserError when the loss is not finite; the state is then that before the step */
  readonly advance: () => Promise<{ readonly metrics: StepMetrics; readonly counts?: Readonly<Record<string, number>> }>;
  /** Gives back what it holds of the rasterizer; the state stays, in arrays of its own. */
  readonly release: () => void;
  readonly evaluate: (
    view: SceneView,
    perceptual?: PerceptualMetric,
  ) => Promise<{ readonly score: ViewScore; readonly rendering: Rendering }>;
}

/** A trainer that goes on from a state. */
export function createTrainer(given: {
  readonly scene: SplatScene;
  readonly rasterizer: Rasterizer;
  readonly settings: ResolvedSettings;
  readonly state: TrainingState;
  /** Where the run ends: strategies leave what they change time to settle before. @default after `decaySteps` */
  readonly steps?: number;
  readonly trace?: Trace;
}): Trainer {
  const { scene, rasterizer, settings, trace } = given;
  const { seed, strategy, rates, decaySteps } = settings;
  const plannedSteps = Math.min(decaySteps, given.steps ?? decaySteps);
  const loss = viewLoss(given);
  let state = given.state;
  const activeDegree = (step: number): number => Math.min(settings.degree, Math.floor(step / settings.degreeEvery));

  let memory: ParameterMemory | undefined;
  let begun = false;

  /** Copies parameters and moments into the memory of the kernels, if there is room. */
  const loadParameters = async (): Promise<void> => {
    const { gaussians, moments } = state;
    const loaded = await memory?.load(PARAMETERS.flatMap((name) => [gaussians[name], moments[name].mean, moments[name].square]));
    if (loaded === undefined) {
      memory?.release();
      memory = undefined;
      return;
    }
    state = {
      ...state,
      gaussians: { ...gaussians, ...byName((_, i) => loaded[3 * i]!) },
      moments: byName((_, i) => ({ mean: loaded[3 * i + 1]!, square: loaded[3 * i + 2]! })),
    };
  };

  const apply = async (change: Refinement): Promise<void> => {
    let population = { gaussians: state.gaussians, moments: state.moments, statistics: state.statistics };
    if (change.rows !== undefined) population = changeRows(population, change.rows);
    change.edit?.(population.gaussians);
    for (const name of change.clearMoments ?? []) {
      population.moments[name].mean.fill(0);
      population.moments[name].square.fill(0);
    }
    if (change.clearStatistics) for (const values of Object.values(population.statistics)) values.fill(0);
    state = { ...state, ...population };
    if (change.rows !== undefined) await loadParameters();
  };

  return {
    state: () => state,
    advance: () =>
      inTurn(rasterizer, async () => {
        if (!begun) {
          begun = true;
          memory = rasterizer.claimMemory?.();
          await loadParameters();
        }
        const { step, gaussians, moments } = state;
        const { metrics, gradients, rendering } = await loss.gradients(gaussians, { step, degree: activeDegree(step) });
        const done = stopwatch(trace);
        const means = meansRate(rates, { step, decaySteps, extent: scene.extent });
        const steps = PARAMETERS.flatMap((name) =>
          columnsOf(name, rates, { degree: gaussians.degree, activeDegree: activeDegree(step), means }).map((columns) => ({
            values: gaussians[name],
            gradient: gradients[name],
            moments: moments[name],
            columns,
            step: step + 1,
          })),
        );
        if (memory !== undefined) await memory.adam(steps);
        else for (const each of steps) adamStep(each);
        done('adam');
        strategy.observe?.({
          step: step + 1,
          plannedSteps,
          statistics: state.statistics,
          rendering,
          gradients,
          camera: loss.viewOf(step).camera,
        });
        const context = (stream: number): RefineContext => ({
          step: step + 1,
          plannedSteps,
          gaussians: state.gaussians,
          statistics: state.statistics,
          extent: scene.extent,
          meansRate: means,
          random: counterGenerator({ seed, stream: [stream, step] }),
        });
        const change = strategy.refine(context(STREAM.refine));
        if (change !== undefined) await apply(change);
        strategy.perturb?.(context(STREAM.perturb));
        state = { ...state, step: step + 1 };
        done('strategy');
        return { metrics, ...(change && { counts: change.counts }) };
      }),
    release: () => {
      if (memory === undefined) return;
      const { gaussians, moments } = state;
      state = {
        ...state,
        gaussians: { ...gaussians, ...byName((name) => gaussians[name].slice()) },
        moments: byName((name) => ({ mean: moments[name].mean.slice(), square: moments[name].square.slice() })),
      };
      memory.release();
      memory = undefined;
    },
    evaluate: (view, perceptual) => loss.evaluate(state.gaussians, view, { degree: activeDegree(state.step), perceptual }),
  };
}
