import type { Camera } from '@langevin/core';
import { UserError } from '@langevin/tensor';
import type { Gaussians } from '../gaussians.ts';
import type {
  Cotangents,
  PhotometricRequest,
  PhotometricStep,
  Rasterizer,
  RenderGradients,
  Rendering,
  RenderOptions,
} from '../rasterizer.ts';
import { checkCotangents, checkPhotometric, LEAST_TRANSMITTANCE, settingsFor, type Settings } from '../settings.ts';
import type { GpuBuffer } from './gpu.ts';
import type { Step } from './kernels.ts';
import { comparison } from './photometric.ts';
import { appearanceRow, backwardSteps, COUNTERS_BYTES, forwardSteps, sceneBuffers, type TileBins, type Sizes } from './pipeline.ts';
import { gradientPieces, gradientsFrom } from './results.ts';
import { ROW } from './shaders/backward.ts';
import { openSession, type Piece, type WebgpuRasterizerOptions } from './session.ts';
import { packView, TILE } from './view.ts';

export type { WebgpuRasterizerOptions } from './session.ts';

const WHERE = 'gaussians/webgpu';

/** What a rendering keeps for the backward pass. */
interface Kept {
  readonly gaussians: Gaussians;
  readonly camera: Camera;
  readonly settings: Settings<Float32Array>;
  readonly sizes: Sizes;
}

/** Which gradients come back. */
type Present = Readonly<Record<'color' | 'alpha' | 'depth', boolean>>;

const NONE: Present = { color: false, alpha: false, depth: false };
const FIRST_ROOM = 4096;

/**
 * Draws on a GPU: WGSL compute kernels for projection, sorting, blending and the backward pass, in a browser or in Node with the package
 * `webgpu`. On one device the same inputs give the same bits. Numbers are float32 throughout: a pixel is good to some 1e-5. A Gaussian with
 * a number that is not finite is not drawn.
 *
 * The scene stays on the device from a rendering to its backward pass; when another was drawn in between, it is drawn again.
 *
 * @throws UnsupportedError where there is no WebGPU, no adapter, or no package `webgpu`, with what to do
 * @example
 * // not run: needs a GPU
 * const gaussians = gaussiansFromPoints({
 *   count: 2,
 *   positions: Float32Array.of(-1, 0, 0, 1, 0, 0),
 *   colors: Uint8Array.of(255, 80, 0, 0, 80, 255),
 * });
 * const camera = lookAt({ width: 16, height: 16, fx: 16, fy: 16, cx: 8, cy: 8, eye: [0, 0, -4], target: [0, 0, 0] });
 * const rasterizer = await webgpuRasterizer();
 * const picture = await rasterizer.render(gaussians, camera);
 */
export async function webgpuRasterizer(options: WebgpuRasterizerOptions = {}): Promise<Rasterizer> {
  const { device, description, buffers, execute, inTurn, dispose } = await openSession(options);
  const states = new WeakMap<Rendering, Kept>();
  /** Whose records and pairs are on the device. */
  let resident: { readonly kept: Kept; readonly bins: TileBins } | undefined;
  /** Pairs of a tile and a Gaussian there is room for; a scene that has more makes it grow. */
  let room = FIRST_ROOM;
  const mostRows = Math.floor(Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize) / (4 * ROW));

  const write = (buffer: GpuBuffer, values: ArrayBuffer | Float32Array | Uint32Array, bytes = 0): void =>
    void device.queue.writeBuffer(buffer, bytes, values);

  /** Uploads a scene. */
  const place = ({ gaussians, camera, settings, sizes }: Kept, present: Present): void => {
    const { count } = gaussians;
    const scene = sceneBuffers(buffers, sizes);
    write(scene.geometry, gaussians.means);
    write(scene.geometry, gaussians.quaternions, 12 * count);
    write(scene.geometry, gaussians.logScales, 28 * count);
    write(scene.geometry, gaussians.opacityLogits, 40 * count);
    write(scene.appearance, settings.colors ?? gaussians.sh);
    if (settings.features !== undefined) write(scene.features, settings.features);
    write(scene.counters, Uint32Array.of(count, 0, 0, 0));
    write(scene.view, packView({ gaussians, camera, settings, leastTransmittance: LEAST_TRANSMITTANCE, pairs: sizes.pairs, present }));
  };

  /**
   * Draws with what `more` adds to it; as often as it takes to have room for all pairs. Gives back the pieces of `more`, radii before them.
   */
  const draw = async (
    asked: Kept,
    more: (kept: Kept, bins: TileBins) => { readonly steps: readonly Step[]; readonly pieces: readonly Piece[] },
    present = NONE,
  ): Promise<{ readonly radii: Float32Array; readonly pieces: readonly Float32Array[] }> => {
    resident = undefined;
    // Kept only once it was had: what is refused must not stand in the way of what follows.
    let wanted = room;
    for (;;) {
      const kept = { ...asked, sizes: { ...asked.sizes, pairs: wanted } };
      const { count } = kept.sizes;
      const { steps, bins } = forwardSteps(buffers, kept.sizes);
      const { counters, radii } = sceneBuffers(buffers, kept.sizes);
      const added = more(kept, bins);
      place(kept, present);
      const [found, reached, ...pieces] = await execute(
        [...steps, ...added.steps],
        [{ buffer: counters, lengths: [COUNTERS_BYTES / 4] }, { buffer: radii, lengths: [count] }, ...added.pieces],
      );
      const pairs = new Uint32Array(found!.buffer)[2]!;
      if (pairs > wanted) {
        wanted = roomFor(pairs, mostRows);
        continue;
      }
      room = wanted;
      resident = { kept: asked, bins };
      return { radii: reached!, pieces };
    }
  };

  const keep = (gaussians: Gaussians, camera: Camera, options: RenderOptions): Kept => {
    const settings = settingsFor(WHERE, { gaussians, camera, options });
    const { width, height } = camera;
    const { featureChannels, background } = settings;
    const row = appearanceRow(gaussians.degree, settings.colors === undefined ? 'harmonics' : 'colors');
    return {
      gaussians,
      camera,
      settings,
      sizes: {
        count: gaussians.count,
        tilesX: Math.ceil(width / TILE),
        tilesY: Math.ceil(height / TILE),
        pixels: width * height,
        channels: background.length,
        featureChannels,
        appearanceRow: row,
        pairs: 0,
      },
    };
  };

  const gradientsOf = ({ gaussians, settings, sizes }: Kept, pieces: readonly Float32Array[]): RenderGradients =>
    gradientsFrom(pieces, sizes, {
      colors: settings.colors !== undefined,
      features: settings.features !== undefined,
      shLength: gaussians.sh.length,
    });

  const render = (gaussians: Gaussians, camera: Camera, renderOptions: RenderOptions = {}): Promise<Rendering> =>
    inTurn(async () => {
      const kept = keep(gaussians, camera, renderOptions);
      const { pixels, channels } = kept.sizes;
      const withDepth = kept.settings.depth !== 'none';
      const { radii, pieces } = await draw(kept, ({ sizes }) => ({
        steps: [],
        pieces: [{ buffer: sceneBuffers(buffers, sizes).picture, lengths: [pixels * channels, pixels, ...(withDepth ? [pixels] : [])] }],
      }));
      const [color, alpha, depth] = pieces;
      const rendering: Rendering = {
        width: camera.width,
        height: camera.height,
        channels,
        color: color!,
        alpha: alpha!,
        ...(depth && { depth }),
        radii,
      };
      states.set(rendering, kept);
      return rendering;
    });

  const backward = (rendering: Rendering, cotangents: Cotangents): Promise<RenderGradients> =>
    inTurn(async () => {
      const kept = states.get(rendering);
      if (kept === undefined)
        throw new UserError(
          `[${WHERE}] no backward pass for this rendering: it is of another rasterizer, or was used already. Render again.`,
        );
      checkCotangents(WHERE, rendering, cotangents);
      states.delete(rendering);
      if (resident?.kept !== kept) await draw(kept, () => ({ steps: [], pieces: [] }));
      const { gaussians, camera, settings } = kept;
      const sizes = { ...kept.sizes, pairs: room };
      const { pixels, channels } = sizes;
      const { steps, results, shapes } = backwardSteps(buffers, sizes, resident!.bins);
      const { color, alpha, depth } = cotangents;
      if (color !== undefined) write(results.cotangents, color);
      if (alpha !== undefined) write(results.cotangents, alpha, 4 * pixels * channels);
      if (depth !== undefined) write(results.cotangents, depth, 4 * pixels * (channels + 1));
      for (const { buffer, numbers } of shapes) write(buffer, numbers);
      const present = { color: color !== undefined, alpha: alpha !== undefined, depth: depth !== undefined };
      write(
        sceneBuffers(buffers, sizes).view,
        packView({ gaussians, camera, settings, leastTransmittance: LEAST_TRANSMITTANCE, pairs: room, present }),
      );
      return gradientsOf(kept, await execute(steps, gradientPieces(results, sizes)));
    });

  const photometric = (request: PhotometricRequest): Promise<PhotometricStep> =>
    inTurn(async () => {
      const { gaussians, camera, options: renderOptions = {}, depth, absolute = false } = request;
      const asked = keep(gaussians, camera, { ...renderOptions, ...(depth !== undefined && { depth: 'expected' }) });
      checkPhotometric(WHERE, request);
      let measure: ReturnType<typeof comparison>['measure'];
      const all = (kept: Kept, bins: TileBins): { readonly steps: readonly Step[]; readonly pieces: readonly Piece[] } => {
        const back = backwardSteps(buffers, kept.sizes, bins);
        const compared = comparison({ device, buffers }, { sizes: kept.sizes, cotangents: back.results.cotangents }, request);
        for (const { buffer, numbers } of back.shapes) write(buffer, numbers);
        ({ measure } = compared);
        return {
          steps: [...compared.steps, ...back.steps],
          pieces: [{ buffer: compared.totals, lengths: [compared.length] }, ...gradientPieces(back.results, kept.sizes)],
        };
      };
      const { radii, pieces } = await draw(asked, all, { color: true, alpha: false, depth: depth !== undefined });
      const gradients = gradientsOf(asked, pieces.slice(1));
      if (!absolute) gradients.absoluteMeans2d.fill(0);
      // Nobody asks for the backward pass of this one.
      resident = undefined;
      return { ...measure!(pieces[0]!), gradients, radii };
    });

  return { name: `webgpu (${description})`, kind: 'webgpu', render, backward, photometric, dispose };
}

/** A quarter more than there are, where the device has that. */
function roomFor(pairs: number, most: number): number {
  return Math.max(pairs, Math.min(Math.ceil(1.25 * pairs), most));
}
