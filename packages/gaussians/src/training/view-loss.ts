import { counterGenerator, UserError } from '@langevin/tensor';
import { PARAMETERS, type Gaussians, type ParameterName } from '../gaussians.ts';
import { depthLoss } from '../losses/depth.ts';
import type { PerceptualMetric } from '../losses/metrics.ts';
import { psnr } from '../losses/metrics.ts';
import { photometricLoss } from '../losses/photometric.ts';
import { addOpacityRegularizer, addScaleRegularizer } from '../losses/regularizers.ts';
import type { SsimTarget } from '../losses/ssim.ts';
import type { PhotometricRequest, PhotometricStep, Rasterizer, RenderGradients, Rendering } from '../rasterizer.ts';
import type { SceneView, SplatScene } from '../scenes/scene.ts';
import type { ResolvedSettings } from './config.ts';
import { targets, type Rgb } from './pictures.ts';

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

/** What came of a view. */
export interface ViewGradients {
  readonly metrics: StepMetrics;
  /** These arrays may belong to the rasterizer and change with its next call. */
  readonly gradients: RenderGradients;
  readonly rendering: Pick<Rendering, 'radii'>;
}

/** What Gaussians cost on the views of a scene, whether they are those of the scene or those of a moment of it. */
export interface ViewLoss {
  /** The view that a step trains on: each comes once before any comes again. */
  readonly viewOf: (step: number) => SceneView;
  /** @throws UserError when the loss or a gradient is not finite */
  readonly gradients: (gaussians: Gaussians, at: { readonly step: number; readonly degree: number }) => Promise<ViewGradients>;
  readonly evaluate: (
    gaussians: Gaussians,
    view: SceneView,
    options: { readonly degree: number; readonly perceptual?: PerceptualMetric | undefined },
  ) => Promise<{ readonly score: ViewScore; readonly rendering: Rendering }>;
}

/** Streams of random numbers: each step has its own, so that a resumed run draws what it would have drawn. */
export const STREAM = { views: 1, background: 2, refine: 3, perturb: 4, points: 5, motion: 6 } as const;

/** Memory for prepared pictures. */
const CACHE_BYTES = 512 * 1024 * 1024;

export function viewLoss(given: {
  readonly scene: SplatScene;
  readonly rasterizer: Rasterizer;
  readonly settings: ResolvedSettings;
}): ViewLoss {
  const { scene, rasterizer, settings } = given;
  const { seed, dssim, antialiasing } = settings;
  const pictures = targets(CACHE_BYTES);
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

  /** By the rasterizer's own way where it has one. */
  const compare = async (request: PhotometricRequest, prepared: () => SsimTarget<Float32Array>): Promise<PhotometricStep> => {
    if (rasterizer.photometric !== undefined) return rasterizer.photometric(request);
    const { gaussians, camera, options, mask, depth } = request;
    const size = { width: camera.width, height: camera.height, channels: 3 };
    const rendering = await rasterizer.render(gaussians, camera, { ...options, ...(depth && { depth: 'expected' }) });
    const picture = photometricLoss({ image: rendering.color, target: prepared(), ssim: pictures.ssim(size), size, mask, dssim });
    const far = depth && depthLoss(rendering.depth!, depth.target, { weight: depth.weight });
    const gradients = await rasterizer.backward(rendering, { color: picture.gradient, ...(far && { depth: far.gradient }) });
    return { ...picture, loss: picture.loss + (far?.loss ?? 0), gradients, radii: rendering.radii };
  };

  return {
    viewOf,
    gradients: async (gaussians, { step: number, degree }) => {
      const view = viewOf(number);
      const background = backgroundOf(number);
      const depth =
        settings.depthWeight > 0 && view.depth !== undefined
          ? { target: view.depth, weight: settings.depthWeight * scene.extent }
          : undefined;
      const step = await compare(
        {
          gaussians,
          camera: view.camera,
          options: { background, degree, antialiasing },
          target: pictures.picture(view, background),
          mask: view.mask,
          dssim,
          depth,
          absolute: settings.strategy.absoluteGradients ?? false,
        },
        () => pictures.target(view, background),
      );
      const { gradients, radii, l1, ssim, mse, finite } = step;
      let { loss } = step;
      if (settings.opacityRegularizer > 0)
        loss += addOpacityRegularizer(gaussians.opacityLogits, { weight: settings.opacityRegularizer, into: gradients.opacityLogits });
      if (settings.scaleRegularizer > 0)
        loss += addScaleRegularizer(gaussians.logScales, { weight: settings.scaleRegularizer, into: gradients.logScales });
      const metrics = { loss, l1, ssim, psnr: -10 * Math.log10(mse), view: view.name };
      if (finite !== true || !Number.isFinite(loss)) demandFinite(metrics, gradients, number + 1);
      return { metrics, gradients, rendering: { radii } };
    },
    evaluate: async (gaussians, view, { degree, perceptual }) => {
      const background: Rgb = settings.background === 'white' ? [1, 1, 1] : [0, 0, 0];
      const rendering = await rasterizer.render(gaussians, view.camera, { background, degree, antialiasing });
      // What a screen can show.
      const color = rendering.color.map((value) => Math.min(1, Math.max(0, value)));
      const target = pictures.target(view, background);
      const score = { name: view.name, psnr: psnr(color, target.picture), ssim: pictures.ssim(pictures.size(view)).value(color, target) };
      return {
        rendering,
        score:
          perceptual === undefined
            ? score
            : { ...score, perceptual: await perceptual.distance(color, target.picture, pictures.size(view)) },
      };
    },
  };
}

/** A loss may be finite where a gradient is not: one number would spoil a Gaussian for good. */
function demandFinite(metrics: StepMetrics, gradients: RenderGradients, step: number): void {
  const fault = Number.isFinite(metrics.loss) ? PARAMETERS.find((name) => !allFinite(gradients[name])) : 'loss';
  if (fault === undefined) return;
  throw new UserError(
    `[gaussians/training] ${fault === 'loss' ? `loss is not finite: loss=${metrics.loss}` : `gradient is not finite: ${fault}`}, `
      + `step=${step}, view=${metrics.view}. Check the images and cameras, or lower the learning rates.`,
  );
}

function allFinite(values: Gaussians[ParameterName]): boolean {
  // Not-a-number and infinities survive a sum; finite gradients are far from overflowing it.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return Number.isFinite(sum);
}
