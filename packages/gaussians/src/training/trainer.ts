import { counterGenerator, UserError } from '@langevin/tensor';
import { PARAMETERS, type Gaussians, type ParameterName } from '../gaussians.ts';
import { depthLoss } from '../losses/depth.ts';
import type { PerceptualMetric } from '../losses/metrics.ts';
import { psnr } from '../losses/metrics.ts';
import { photometricLoss } from '../losses/photometric.ts';
import { addOpacityRegularizer, addScaleRegularizer } from '../losses/regularizers.ts';
import { adamStep } from '../optimizer/adam.ts';
import { columnsOf, meansRate } from '../optimizer/rates.ts';
import { changeRows } from '../optimizer/rows.ts';
import type { Rasterizer, RenderGradients, Rendering } from '../rasterizer.ts';
import type { SceneView, SplatScene } from '../scenes/scene.ts';
import type { RefineContext, Refinement } from '../strategies/strategy.ts';
import type { ResolvedSettings } from './config.ts';
import { targets, type Rgb } from './pictures.ts';
import type { TrainingState } from './state.ts';

/** What a step was like. */
export interface StepMetrics {
  readonly loss: number;
  readonly l1: number;
  readonly ssim: number;
  /** Of the view that the step trained on, before the step, in dB. */
  readonly psnr: number;
  readonly view: string;
}

/** How good a view is that was not trained on. */
export interface ViewScore {
  readonly name: string;
  readonly psnr: number;
  readonly ssim: number;
  readonly perceptual?: number;
}

/** Trains step by step; the arrays of the state change in place where their number does not. */
export interface Trainer {
  readonly state: () => TrainingState;
  /** @throws UserError when the loss is not finite; the state is then that before the step */
  readonly advance: () => Promise<{ readonly metrics: StepMetrics; readonly counts?: Readonly<Record<string, number>> }>;
  readonly evaluate: (view: SceneView, perceptual?: PerceptualMetric) => Promise<{ readonly score: ViewScore; readonly rendering: Rendering }>;
}

/** Streams of random numbers: each step has its own, so that a resumed run draws what it would have drawn. */
const STREAM = { views: 1, background: 2, refine: 3, perturb: 4 } as const;

/** Memory for prepared pictures. */
const CACHE_BYTES = 512 * 1024 * 1024;

/** A trainer that goes on from a state. */
export function createTrainer(given: { readonly scene: SplatScene; readonly rasterizer: Rasterizer; readonly settings: ResolvedSettings; readonly state: TrainingState }): Trainer {
  const { scene, rasterizer, settings } = given;
  const { seed, strategy, rates, decaySteps, dssim } = settings;
  const pictures = targets(CACHE_BYTES);
  let state = given.state;
  let order: { readonly epoch: number; readonly views: Int32Array } = { epoch: -1, views: new Int32Array(0) };

  const viewOf = (step: number): SceneView => {
    const { length } = scene.train;
    const epoch = Math.floor(step / length);
    if (order.epoch !== epoch) order = { epoch, views: counterGenerator({ seed, stream: [STREAM.views, epoch] }).permutation(length) };
    return scene.train[order.views[step % length]!]!;
  };
  const backgroundOf = (step: number): Rgb => {
    if (settings.background !== 'random') return settings.background === 'white' ? [1, 1, 1] : [0, 0, 0];
    const [r, g, b] = counterGenerator({ seed, stream: [STREAM.background, step] }).uniform(3) as unknown as Rgb;
    return [r, g, b];
  };
  const activeDegree = (step: number): number => Math.min(settings.degree, Math.floor(step / settings.degreeEvery));

  const gradientsOf = async (step: number): Promise<{ readonly metrics: StepMetrics; readonly gradients: RenderGradients; readonly rendering: Rendering; readonly view: SceneView }> => {
    const { gaussians } = state;
    const view = viewOf(step);
    const background = backgroundOf(step);
    const useDepth = settings.depthWeight > 0 && view.depth !== undefined;
    const rendering = await rasterizer.render(gaussians, view.camera, { background, degree: activeDegree(step), antialiasing: settings.antialiasing, ...(useDepth && { depth: 'expected' }) });
    const picture = photometricLoss({ image: rendering.color, target: pictures.target(view, background), ssim: pictures.ssim(view), size: pictures.size(view), mask: view.mask, dssim });
    const depth = useDepth ? depthLoss(rendering.depth!, view.depth!, { weight: settings.depthWeight * scene.extent }) : undefined;
    const gradients = await rasterizer.backward(rendering, { color: picture.gradient, ...(depth && { depth: depth.gradient }) });
    let loss = picture.loss + (depth?.loss ?? 0);
    if (settings.opacityRegularizer > 0) loss += addOpacityRegularizer(gaussians.opacityLogits, { weight: settings.opacityRegularizer, into: gradients.opacityLogits });
    if (settings.scaleRegularizer > 0) loss += addScaleRegularizer(gaussians.logScales, { weight: settings.scaleRegularizer, into: gradients.logScales });
    return { metrics: { loss, l1: picture.l1, ssim: picture.ssim, psnr: -10 * Math.log10(picture.mse), view: view.name }, gradients, rendering, view };
  };

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
      const { metrics, gradients, rendering, view } = await gradientsOf(step);
      demandFinite(metrics, gradients, step + 1);
      const means = meansRate(rates, { step, decaySteps, extent: scene.extent });
      for (const name of PARAMETERS) {
        for (const columns of columnsOf(name, rates, { degree: gaussians.degree, activeDegree: activeDegree(step), means })) {
          adamStep({ values: gaussians[name], gradient: gradients[name], moments: moments[name], columns, step: step + 1 });
        }
      }
      strategy.observe?.({ step: step + 1, statistics: state.statistics, rendering, gradients, camera: view.camera });
      const context = (stream: number): RefineContext => ({ step: step + 1, gaussians: state.gaussians, statistics: state.statistics, extent: scene.extent, meansRate: means, random: counterGenerator({ seed, stream: [stream, step] }) });
      const change = strategy.refine(context(STREAM.refine));
      if (change !== undefined) apply(change);
      strategy.perturb?.(context(STREAM.perturb));
      state = { ...state, step: step + 1 };
      return { metrics, ...(change && { counts: change.counts }) };
    },
    evaluate: async (view, perceptual) => {
      const background: Rgb = settings.background === 'white' ? [1, 1, 1] : [0, 0, 0];
      const rendering = await rasterizer.render(state.gaussians, view.camera, { background, degree: activeDegree(state.step), antialiasing: settings.antialiasing });
      // What a screen can show.
      const color = rendering.color.map((value) => Math.min(1, Math.max(0, value)));
      const target = pictures.target(view, background);
      const score = { name: view.name, psnr: psnr(color, target.picture), ssim: pictures.ssim(view).value(color, target) };
      return { rendering, score: perceptual === undefined ? score : { ...score, perceptual: await perceptual.distance(color, target.picture, pictures.size(view)) } };
    },
  };
}

/** A loss may be finite where a gradient is not: one number would spoil a Gaussian for good. */
function demandFinite(metrics: StepMetrics, gradients: RenderGradients, step: number): void {
  const fault = Number.isFinite(metrics.loss) ? PARAMETERS.find((name) => !allFinite(gradients[name])) : 'loss';
  if (fault === undefined) return;
  throw new UserError(`[gaussians/training] ${fault === 'loss' ? `loss is not finite: loss=${metrics.loss}` : `gradient is not finite: ${fault}`}, step=${step}, view=${metrics.view}. Check the images and cameras, or lower the learning rates.`);
}

function allFinite(values: Gaussians[ParameterName]): boolean {
  // Not-a-number and infinities survive a sum; finite gradients are far from overflowing it.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return Number.isFinite(sum);
}
