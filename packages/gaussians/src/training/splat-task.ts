import { checkNumber, counterGenerator } from '@langevin/tensor';
import { defineTask, describedData, type StepPoint, type Task, type TrainingData } from '@langevin/training';
import { PARAMETERS, type Gaussians } from '../gaussians.ts';
import type { PerceptualMetric } from '../losses/metrics.ts';
import { columnsOf, meansRate } from '../optimizer/rates.ts';
import { changeRows } from '../optimizer/rows.ts';
import type { Rasterizer } from '../rasterizer.ts';
import { gaussiansFromPoints, randomPoints } from '../scenes/initialise.ts';
import type { SplatScene } from '../scenes/scene.ts';
import type { RefineContext, Refinement } from '../strategies/strategy.ts';
import { stopwatch, type Trace } from '../trace.ts';
import { checkGiven } from './check-given.ts';
import { heldOut } from './held-out.ts';
import { residence } from './residence.ts';
import { describeSettings, resolveSettings, type ResolvedSettings, type TrainingSettings } from './settings.ts';
import { checkState, initialState, type SplatState } from './state.ts';
import { inTurn } from './turns.ts';
import { viewLoss } from './view-loss.ts';
import { backgroundOf, plainBackground, STREAM, viewOrder, VIEWS } from './view-order.ts';

export interface SplatTaskOptions extends TrainingSettings {
  readonly scene: SplatScene;
  readonly rasterizer: Rasterizer;
  /** Steps of the run in all: rates fall over them, and strategies leave what they change time to settle before the end. */
  readonly steps: number;
  /** @default from the points of the scene; without them, 10000 random ones in a box of twice its extent */
  readonly initial?: Gaussians;
  /** A further measure of held-out views, such as LPIPS. @default none */
  readonly perceptual?: PerceptualMetric;
  /** Told how long the parts of each step took. */
  readonly trace?: Trace;
}

const RANDOM_POINTS = 10_000;

/**
 * The training of Gaussians on posed photographs, as a task for `train` of `@langevin/training`: each step draws one view, compares it,
 * takes a step of Adam and lets the strategy change the number of Gaussians. Its losses are `loss`, its measures `l1`, `ssim`, `psnr` (of
 * the view of the step, before it), `count`, and what the strategy has counted; its evaluations are pictures, scores and means of held-out
 * views. With a rasterizer that gives the same bits each time, so does training, resumed or not.
 *
 * Arrays of the state change in place with the next step, and may be views of memory that threads share: copy what is to stay.
 *
 * @throws UserError when a setting is out of range, or the scene has no view to train on
 * @example
 * // not run: trains for minutes, on a scene in a folder
 * const scene = await loadScene('my-scene');
 * const task = splatTask({ scene, rasterizer: cpuRasterizer(), steps: 7000 });
 * for await (const event of train(task, { store: folderStore('runs/my-scene'), steps: 7000 }))
 *   if (event.kind === 'step') console.log(event.step, event.measures?.['psnr']);
 */
export function splatTask(options: SplatTaskOptions): Task<SplatState> {
  checkGiven('gaussians/training', options);
  const { scene, rasterizer, steps, initial, perceptual, trace, ...given } = options;
  checkNumber('gaussians/training', { steps }, { atLeast: 1, kind: 'integer' });
  const settings = resolveSettings(given);
  const { seed, strategy, rates } = settings;
  const viewAt = viewOrder(scene.train, seed);
  const loss = viewLoss({ scene, rasterizer, settings });
  const home = residence(rasterizer);
  const activeDegree = (step: number): number => Math.min(settings.degree, Math.floor(step / settings.degreeEvery));
  /** What the last step gave: a state that is another one is looked at before it is used. */
  let last: SplatState | undefined;

  const changed = async (state: SplatState, change: Refinement): Promise<SplatState> => {
    let population = { gaussians: state.gaussians, moments: state.moments, statistics: state.statistics };
    if (change.rows !== undefined) population = changeRows(population, change.rows);
    change.edit?.(population.gaussians);
    for (const name of change.clearMoments ?? []) {
      population.moments[name].mean.fill(0);
      population.moments[name].square.fill(0);
    }
    if (change.clearStatistics) for (const values of Object.values(population.statistics)) values.fill(0);
    return home.settle({ ...state, ...population });
  };

  const step: Task<SplatState>['step'] = async (begin, at) => {
    if (begin !== last) checkState(begin, strategy);
    let state = await home.settle(begin);
    const { gaussians, moments, decaySteps } = state;
    const { view, next } = viewAt(at.stream(VIEWS));
    const degree = activeDegree(at.step);
    const { metrics, gradients, rendering, broken } = await loss.gradients(gaussians, {
      view,
      background: backgroundOf(settings.background, at),
      degree,
    });
    const seen = {
      losses: { loss: metrics.loss },
      measures: { l1: metrics.l1, ssim: metrics.ssim, psnr: metrics.psnr },
      streams: { [VIEWS]: next },
      items: { [VIEWS]: [view.name] },
    };
    // One number that is none would spoil a Gaussian for good: nothing is applied, and the loop ends the run.
    if (broken !== undefined) return { ...seen, state, norms: { [broken]: NaN } };
    if (!Number.isFinite(metrics.loss)) return { ...seen, state };

    const done = stopwatch(trace);
    const means = meansRate(rates, { step: at.step, decaySteps, extent: scene.extent });
    await home.adam(
      PARAMETERS.flatMap((name) =>
        columnsOf(name, rates, { degree: gaussians.degree, activeDegree: degree, means }).map((columns) => ({
          values: gaussians[name],
          gradient: gradients[name],
          moments: moments[name],
          columns,
          step: at.step + 1,
        })),
      ),
    );
    done('adam');
    const plannedSteps = Math.min(decaySteps, steps);
    const now = { step: at.step + 1, plannedSteps };
    strategy.observe?.({ ...now, statistics: state.statistics, rendering, gradients, camera: view.camera });
    const context = (purpose: string): RefineContext => ({
      ...now,
      gaussians: state.gaussians,
      statistics: state.statistics,
      extent: scene.extent,
      meansRate: means,
      random: at.random(purpose),
    });
    const change = strategy.refine(context('refine'));
    if (change !== undefined) state = await changed(state, change);
    strategy.perturb?.(context('perturb'));
    done('strategy');
    last = state;
    return { ...seen, state, measures: { ...change?.counts, ...seen.measures, count: state.gaussians.count } };
  };

  return defineTask<SplatState>({
    name: 'splats',
    config: { ...describeSettings(settings), steps },
    mayChange: ['steps', 'rates'],
    data: describeScene(scene),
    seed,
    // A step sees one view, and its loss is bounded: a view of nothing, or of the first moment, may cost a thousandth of the others.
    growth: 'ignored',
    init: () => initialState(initial ?? beginning(scene, settings), { strategy, decaySteps: settings.decaySteps ?? steps }),
    step: (state: SplatState, at: StepPoint) => inTurn(rasterizer, () => step(state, at)),
    evaluate: ({ gaussians }, at) =>
      heldOut(scene.test, {
        background: plainBackground(settings.background),
        draw: (view) => loss.evaluate(gaussians, view, { degree: activeDegree(at.step), perceptual }),
      }),
    close: () => {
      home.leave();
      last = undefined;
    },
  });
}

/** Gaussians at the points of a scene, as the strategy likes them. */
function beginning(scene: SplatScene, { strategy, degree, seed }: ResolvedSettings): Gaussians {
  const points =
    scene.points
    ?? randomPoints({ count: RANDOM_POINTS, halfSide: scene.extent, random: counterGenerator({ seed, stream: [STREAM.points] }) });
  return gaussiansFromPoints(points, { degree, opacity: strategy.defaults.opacity, scale: strategy.defaults.scale });
}

/** The views of a scene, so that a run is not resumed on others; where its files lie may change. */
export function describeScene({ extent, train }: SplatScene): TrainingData {
  return describedData({
    extent,
    views: train.map(({ name, camera, time }) => `${name} ${camera.width}x${camera.height}${time === undefined ? '' : ` at ${time}`}`),
  });
}
