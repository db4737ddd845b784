import { PARAMETERS, type Gaussians, type ParameterName } from '../gaussians.ts';
import { depthLoss } from '../losses/depth.ts';
import type { PerceptualMetric } from '../losses/metrics.ts';
import { psnr } from '../losses/metrics.ts';
import { photometricLoss } from '../losses/photometric.ts';
import { addOpacityRegularizer, addScaleRegularizer } from '../losses/regularizers.ts';
import type { SsimTarget } from '../losses/ssim.ts';
import type { PhotometricRequest, PhotometricStep, Rasterizer, RenderGradients, Rendering } from '../rasterizer.ts';
import type { SceneView, SplatScene } from '../scenes/scene.ts';
import type { ResolvedSettings } from './settings.ts';
import { targets, type Rgb } from './pictures.ts';
import { plainBackground } from './view-order.ts';

/** What a step was like: of the view that it trained on, before the step. */
export interface StepMetrics {
  /** Of the picture, with regularisers and depth. */
  readonly loss: number;
  /** Mean absolute difference and mean SSIM of the picture. */
  readonly l1: number;
  readonly ssim: number;
  /** In dB. */
  readonly psnr: number;
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
  /** The parameter whose gradient has a number that is none. A loss may be finite where a gradient is not. */
  readonly broken?: ParameterName;
}

/** What Gaussians cost on a view of a scene, whether they are those of the scene or those of a moment of it. */
export interface ViewLoss {
  readonly gradients: (
    gaussians: Gaussians,
    at: { readonly view: SceneView; readonly background: Rgb; readonly degree: number },
  ) => Promise<ViewGradients>;
  /** On a background that does not change. */
  readonly evaluate: (
    gaussians: Gaussians,
    view: SceneView,
    options: { readonly degree: number; readonly perceptual?: PerceptualMetric | undefined },
  ) => Promise<{ readonly score: ViewScore; readonly rendering: Rendering }>;
}

/** Memory for prepared pictures. */
const CACHE_BYTES = 512 * 1024 * 1024;

export function viewLoss(given: {
  readonly scene: Pick<SplatScene, 'extent'>;
  readonly rasterizer: Rasterizer;
  readonly settings: ResolvedSettings;
}): ViewLoss {
  const { scene, rasterizer, settings } = given;
  const { dssim, antialiasing } = settings;
  const pictures = targets(CACHE_BYTES);

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
    gradients: async (gaussians, { view, background, degree }) => {
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
      const metrics = { loss, l1, ssim, psnr: -10 * Math.log10(mse) };
      const broken = finite === true ? undefined : PARAMETERS.find((name) => !allFinite(gradients[name]));
      return { metrics, gradients, rendering: { radii }, ...(broken && { broken }) };
    },
    evaluate: async (gaussians, view, { degree, perceptual }) => {
      const background = plainBackground(settings.background);
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

function allFinite(values: Gaussians[ParameterName]): boolean {
  // Not-a-number and infinities survive a sum; finite gradients are far from overflowing it.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return Number.isFinite(sum);
}
