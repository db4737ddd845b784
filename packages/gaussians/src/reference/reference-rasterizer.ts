import type { Camera } from '@langevin/core';
import { UserError } from '@langevin/tensor';
import type { Gaussians } from '../gaussians.ts';
import type { Rasterizer, RenderGradients, Rendering, RenderOptions, Cotangents } from '../rasterizer.ts';
import { checkCotangents, LEAST_DIVISOR, settingsFor } from '../settings.ts';
import { stack, stackBackward, type PixelStack } from './blend.ts';
import { project, projectBackward, type Scene, type Splat, type SplatGradient } from './project.ts';

const WHERE = 'gaussians/reference';

/** What the backward pass needs. */
interface DrawnScene extends Scene {
  readonly splats: readonly Splat[];
}

/**
 * The oracle: the formulas in float64, pixel by pixel over all Gaussians, with no tiles and nothing saved. For tests of the fast ones; a
 * picture of 32 x 32 pixels and 100 Gaussians takes some milliseconds.
 */
export function referenceRasterizer(): Rasterizer<Float64Array> {
  const scenes = new WeakMap<Rendering<Float64Array>, DrawnScene>();
  let disposed = false;
  const demandAlive = (): void => {
    if (disposed) throw new UserError(`[${WHERE}] the rasterizer was disposed of: disposed=true. Make another.`);
  };
  return {
    name: 'reference',
    kind: 'reference',
    render: async (gaussians, camera, options = {}) => {
      demandAlive();
      const scene = prepare(gaussians, camera, options);
      const rendering = draw(scene);
      scenes.set(rendering, scene);
      return rendering;
    },
    backward: async (rendering, cotangents) => {
      demandAlive();
      const scene = scenes.get(rendering);
      if (scene === undefined)
        throw new UserError(
          `[${WHERE}] no backward pass for this rendering: it is of another rasterizer, or was used already. Render again.`,
        );
      checkCotangents(WHERE, rendering, cotangents);
      scenes.delete(rendering);
      return backwardPass(scene, rendering, cotangents);
    },
    dispose: async () => {
      disposed = true;
    },
  };
}

/**
 * How far each pixel is from a decision that rounding could turn: the least relative distance of an alpha from 1/255 and of a transmittance
 * from 1e-4, [height, width]. Single precision is compared with the reference where this is not small.
 */
export function decisionMargins(
  gaussians: Gaussians<Float64Array>,
  camera: Camera,
  options: RenderOptions<Float64Array> = {},
): Float64Array {
  const { splats, settings } = prepare(gaussians, camera, options);
  return Float64Array.from(
    { length: camera.width * camera.height },
    (_, pixel) => stack(splats, [pixel % camera.width, Math.floor(pixel / camera.width)], settings.cutoff).margin,
  );
}

function prepare(gaussians: Gaussians<Float64Array>, camera: Camera, options: RenderOptions<Float64Array>): DrawnScene {
  const settings = settingsFor(WHERE, { gaussians, camera, options });
  const splats: Splat[] = [];
  for (let index = 0; index < gaussians.count; index++) {
    const splat = project({ gaussians, camera, settings }, index);
    if (splat !== undefined) splats.push(splat);
  }
  // Sorting is stable: equal depths stay in the order of their rows.
  splats.sort((a, b) => a.depth - b.depth);
  return { gaussians, camera, settings, splats };
}

/** Calls `visit` for every pixel, row by row. */
function eachPixel({ camera, settings, splats }: DrawnScene, visit: (pixel: number, stack: PixelStack) => void): void {
  for (let row = 0; row < camera.height; row++) {
    for (let column = 0; column < camera.width; column++) visit(row * camera.width + column, stack(splats, [column, row], settings.cutoff));
  }
}

function draw(scene: DrawnScene): Rendering<Float64Array> {
  const { gaussians, camera, settings, splats } = scene;
  const { width, height } = camera;
  const channels = settings.background.length;
  const color = new Float64Array(width * height * channels);
  const alpha = new Float64Array(width * height);
  const depth = new Float64Array(width * height);
  eachPixel(scene, (pixel, { layers, transmittance }) => {
    alpha[pixel] = 1 - transmittance;
    settings.background.forEach((value, channel) => {
      color[pixel * channels + channel] =
        layers.reduce((sum, layer) => sum + splats[layer.splat]!.channels[channel]! * layer.alpha * layer.before, 0)
        + value * transmittance;
    });
    depth[pixel] = layers.reduce((sum, layer) => sum + splats[layer.splat]!.depth * layer.alpha * layer.before, 0);
    if (settings.depth === 'expected') depth[pixel]! /= Math.max(LEAST_DIVISOR, alpha[pixel]!);
  });
  const radii = new Float64Array(gaussians.count);
  for (const splat of splats) radii[splat.index] = splat.radius;
  return { width, height, channels, color, alpha, radii, ...(settings.depth !== 'none' && { depth }) };
}

function backwardPass(scene: DrawnScene, rendering: Rendering<Float64Array>, v: Cotangents<Float64Array>): RenderGradients<Float64Array> {
  const { gaussians, settings, splats } = scene;
  const { channels } = rendering;
  const zeros = (array: Float64Array): Float64Array => new Float64Array(array.length);
  const gradients = {
    means: zeros(gaussians.means),
    quaternions: zeros(gaussians.quaternions),
    logScales: zeros(gaussians.logScales),
    opacityLogits: zeros(gaussians.opacityLogits),
    sh: zeros(gaussians.sh),
    ...(settings.colors !== undefined && { colors: zeros(settings.colors) }),
    ...(settings.features !== undefined && { features: zeros(settings.features) }),
    background: new Float64Array(channels),
    worldToCamera: new Float64Array(12),
    means2d: new Float64Array(2 * gaussians.count),
    absoluteMeans2d: new Float64Array(2 * gaussians.count),
  };
  const splatGradients = splats.map((): SplatGradient => ({
    depth: 0,
    mean: [0, 0],
    conic: [0, 0, 0],
    opacity: 0,
    channels: new Array<number>(channels).fill(0),
    absoluteMean: [0, 0],
  }));
  eachPixel(scene, (pixel, pixelStack) => {
    const vChannels = settings.background.map((_, channel) => v.color?.[pixel * channels + channel] ?? 0);
    vChannels.forEach((value, channel) => (gradients.background[channel]! += value * pixelStack.transmittance));
    let vAlpha = v.alpha?.[pixel] ?? 0;
    let vDepth = v.depth?.[pixel] ?? 0;
    if (settings.depth === 'expected') {
      const alpha = rendering.alpha[pixel]!;
      if (alpha > LEAST_DIVISOR) vAlpha -= (vDepth * rendering.depth![pixel]!) / alpha;
      vDepth /= Math.max(LEAST_DIVISOR, alpha);
    }
    stackBackward({ splats, background: settings.background, into: splatGradients }, pixelStack, {
      channels: vChannels,
      alpha: vAlpha,
      depth: vDepth,
    });
  });
  splats.forEach((splat, i) => {
    const gradient = splatGradients[i]!;
    projectBackward(scene, { splat, v: gradient }, gradients);
    gradients.means2d.set(gradient.mean, 2 * splat.index);
    gradients.absoluteMeans2d.set(gradient.absoluteMean, 2 * splat.index);
  });
  return gradients;
}
