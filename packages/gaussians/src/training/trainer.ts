import { counterGenerator } from '@langevin/tensor';
import { PARAMETERS } from '../gaussians.ts';
import type { PerceptualMetric } from '../losses/metrics.ts';
import { adamStep } from '../optimizer/adam.ts';
import { columnsOf, meansRate } from '../optimizer/rates.ts';
import { changeRows } from '../optimizer/rows.ts';
import type { Rasterizer, Rendering } from '../rasterizer.ts';
import type { SceneView, SplatScene } from '../scenes/scene.ts';
import type { RefineContext, Refinement } from '../strategies/strategy.ts';
import type { ResolvedSettings } from './config.ts';
import type { TrainingState } from './state.ts';
import { STREAM, viewLoss, type StepMetrics, type ViewScore } from './view-loss.ts';

/** Trains step by step; the arrays of the state change in place where their number does not. */
export interface Trainer {
  readonly state: () => TrainingState;
  /** @throws UserError when the loss is not finite; the state is then that before the step */
  readonly advance: () => Promise<{ readonly metrics: StepMetrics; readonly counts?: Readonly<Record<string, number>> }>;
  readonly evaluate: (view: SceneView, perceptual?: PerceptualMetric) => Promise<{ readonly score: ViewScore; readonly rendering: Rendering }>;
}

/** A trainer that goes on from a state. */
export function createTrainer(given: { readonly scene: SplatScene; readonly rasterizer: Rasterizer; readonly settings: ResolvedSettings; readonly state: TrainingState }): Trainer {
  const { scene, settings } = given;
  const { seed, strategy, rates, decaySteps } = settings;
  const loss = viewLoss(given);
  let state = given.state;
  const activeDegree = (step: number): number => Math.min(settings.degree, Math.floor(step / settings.degreeEvery));

  const apply = (change: Refinement): void => {
    let population = { gaussians: state.gaussians, moments: state.moments, statistics: state.statistics };
    if (change.rows !== undefined) population = changeRows(population, change.rows);
    change.edit?.(population.gaussians);
    for (const name of change.clearMoments ?? []) {
      population.moments[name].mean.fill(0);
      population.moments[name].square.fill(0);
    }
    if (change.clearStatistics) for (const values of Object.values(population.statistics)) values.fill(0);
    state = { ...state, ...population };
  };

  return {
    state: () => state,
    advance: async () => {
      const { step, gaussians, moments } = state;
      const { metrics, gradients, rendering } = await loss.gradients(gaussians, { step, degree: activeDegree(step) });
      const means = meansRate(rates, { step, decaySteps, extent: scene.extent });
      for (const name of PARAMETERS) {
        for (const columns of columnsOf(name, rates, { degree: gaussians.degree, activeDegree: activeDegree(step), means })) {
          adamStep({ values: gaussians[name], gradient: gradients[name], moments: moments[name], columns, step: step + 1 });
        }
      }
      strategy.observe?.({ step: step + 1, statistics: state.statistics, rendering, gradients, camera: loss.viewOf(step).camera });
      const context = (stream: number): RefineContext => ({ step: step + 1, gaussians: state.gaussians, statistics: state.statistics, extent: scene.extent, meansRate: means, random: counterGenerator({ seed, stream: [stream, step] }) });
      const change = strategy.refine(context(STREAM.refine));
      if (change !== undefined) apply(change);
      strategy.perturb?.(context(STREAM.perturb));
      state = { ...state, step: step + 1 };
      return { metrics, ...(change && { counts: change.counts }) };
    },
    evaluate: (view, perceptual) => loss.evaluate(state.gaussians, view, { degree: activeDegree(state.step), perceptual }),
  };
}
