import { InternalError, UnsupportedError, UserError } from '@langevin/tensor';
import type { Camera } from '../camera.ts';
import type { Gaussians } from '../gaussians.ts';
import type { Cotangents, Rasterizer, RenderGradients, Rendering, RenderOptions } from '../rasterizer.ts';
import { checkCotangents, LEAST_TRANSMITTANCE, settingsFor, type Settings } from '../settings.ts';
import { createBuffers } from './buffers.ts';
import { acquireDevice, checkDevice } from './device.ts';
import { MAP_READ, type GpuBuffer, type GpuDevice } from './gpu.ts';
import { compileKernels, type Step } from './kernels.ts';
import { appearanceRow, backwardSteps, COUNTERS_BYTES, forwardSteps, gradientLengths, sceneBuffers, writeConstants, type Dealt, type Sizes } from './pipeline.ts';
import { packView, TILE, type ViewNumbers } from './view.ts';

const WHERE = 'gaussians/webgpu';

export interface WebgpuRasterizerOptions {
  /** A GPUDevice to draw on, which stays the caller's. @default one of its own, of the browser or, in Node, of the optional package `webgpu` */
  readonly device?: GpuDevice;
  /** Whether an adapter that computes on the CPU will do; without a `device`. @default 'accept' */
  readonly software?: 'accept' | 'refuse';
}

/** What a rendering keeps for the way back. */
interface Kept {
  readonly gaussians: Gaussians;
  readonly camera: Camera;
  readonly settings: Settings<Float32Array>;
  readonly sizes: Sizes;
}

/** A piece of a buffer to bring back: numbers, from its beginning. */
interface Piece {
  readonly buffer: GpuBuffer;
  readonly length: number;
}

/**
 * Draws on a GPU: WGSL compute kernels for projection, sorting, blending and the way back, in a browser or in Node with the package `webgpu`. On one device
 * the same inputs give the same bits. Numbers are float32 throughout: a pixel is good to some 1e-5. A Gaussian with a number that is not finite is not drawn.
 *
 * The scene stays on the device from a rendering to its way back; when another was drawn in between, it is drawn again.
 *
 * @throws UnsupportedError where there is no WebGPU, no adapter, or no package `webgpu`, with what to do
 * @example
 * const rasterizer = await webgpuRasterizer();
 * const picture = await rasterizer.render(gaussians, camera);
 */
export async function webgpuRasterizer(options: WebgpuRasterizerOptions = {}): Promise<Rasterizer> {
  const { software = 'accept' } = options;
  if (software !== 'accept' && software !== 'refuse') throw new UserError(`[${WHERE}] unknown option: software=${String(software)}. Known: accept, refuse.`);
  const { device, description } = options.device === undefined ? await acquireDevice(software) : { device: options.device, description: 'device of the caller' };
  checkDevice(device);
  let lost: string | undefined;
  void device.lost.then(({ reason, message }) => (lost = `reason=${reason}${message === '' ? '' : `, ${message}`}`));
  const buffers = createBuffers(device);
  const kernels = await compileKernels(device, buffers);
  writeConstants(device, buffers);

  let disposed = false;
  const states = new WeakMap<Rendering, Kept>();
  /** Whose records and pairs are on the device. */
  let resident: { readonly kept: Kept; readonly dealt: Dealt } | undefined;
  /** Pairs there is room for; a scene that has more makes it grow. */
  let room = 4096;

  const demandAlive = (): void => {
    if (disposed) throw new UserError(`[${WHERE}] the rasterizer was disposed of: disposed=true. Make another.`);
    if (lost !== undefined) throw new UnsupportedError(`[${WHERE}] the device was lost: ${lost}. Make another rasterizer, or use cpuRasterizer().`);
  };
  // One job at a time: calls wait for those before them.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(task: () => Promise<T>): Promise<T> => {
    const turn = last.then(async () => {
      demandAlive();
      try {
        return await task();
      } catch (cause) {
        resident = undefined;
        // What fails because the device went away is told apart once the device has said so.
        await new Promise((resolve) => setTimeout(resolve, 0));
        demandAlive();
        throw cause;
      }
    });
    last = turn.catch(() => {});
    return turn;
  };

  const upload = (buffer: GpuBuffer, values: Float32Array, at = 0): void => void device.queue.writeBuffer(buffer, 4 * at, values);

  /** Runs steps and brings pieces back, each as an array of its own. */
  const execute = async (steps: readonly Step[], pieces: readonly Piece[]): Promise<Float32Array[]> => {
    const total = pieces.reduce((sum, { length }) => sum + length, 0);
    const readback = buffers.get('readback', 4 * total, 'readback');
    await buffers.settle();
    device.pushErrorScope('validation');
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    kernels.run(pass, steps);
    pass.end();
    let at = 0;
    for (const { buffer, length } of pieces) {
      if (length > 0) encoder.copyBufferToBuffer(buffer, 0, readback, 4 * at, 4 * length);
      at += length;
    }
    device.queue.submit([encoder.finish()]);
    const checked = device.popErrorScope();
    const mapped = readback.mapAsync(MAP_READ, 0, Math.max(4, 4 * total));
    const fault = await checked;
    if (fault !== null) {
      await mapped.then(() => readback.unmap(), () => {});
      throw new InternalError(`[${WHERE}] the device refused a command: ${fault.message}. Please report it with the adapter's name: ${description}.`);
    }
    await mapped;
    const bytes = readback.getMappedRange(0, Math.max(4, 4 * total));
    at = 0;
    const arrays = pieces.map(({ length }) => {
      const array = new Float32Array(bytes, 4 * at, length).slice();
      at += length;
      return array;
    });
    readback.unmap();
    return arrays;
  };

  /** Draws, and keeps on the device what the way back needs. */
  const draw = async ({ gaussians, camera, settings, sizes: given }: Kept): Promise<{ readonly kept: Kept; readonly picture: Float32Array; readonly radii: Float32Array }> => {
    resident = undefined;
    const { count } = gaussians;
    const { pixels, channels } = given;
    const shown = pixels * (channels + (settings.depth === 'none' ? 1 : 2));
    for (;;) {
      room = Math.max(room, given.pairs);
      const sizes = { ...given, pairs: room };
      const scene = sceneBuffers(buffers, sizes);
      const { steps, dealt } = forwardSteps(buffers, sizes);
      upload(scene.geometry, gaussians.means);
      upload(scene.geometry, gaussians.quaternions, 3 * count);
      upload(scene.geometry, gaussians.logScales, 7 * count);
      upload(scene.geometry, gaussians.opacityLogits, 10 * count);
      upload(scene.appearance, settings.colors ?? gaussians.sh);
      if (settings.features !== undefined) upload(scene.features, settings.features);
      device.queue.writeBuffer(scene.counters, 0, Uint32Array.of(count, 0, 0, 0));
      device.queue.writeBuffer(scene.view, 0, packView(viewOf({ gaussians, camera, settings }, room)));
      const [picture, radii, counters] = await execute(steps, [{ buffer: scene.picture, length: shown }, { buffer: scene.radii, length: count }, { buffer: scene.counters, length: COUNTERS_BYTES / 4 }]);
      const pairs = new Uint32Array(counters!.buffer)[2]!;
      if (pairs > room) {
        room = Math.ceil(1.25 * pairs);
        continue;
      }
      const kept = { gaussians, camera, settings, sizes: { ...given, pairs } };
      resident = { kept, dealt };
      return { kept, picture: picture!, radii: radii! };
    }
  };

  const render = (gaussians: Gaussians, camera: Camera, renderOptions: RenderOptions = {}): Promise<Rendering> =>
    inTurn(async () => {
      const settings = settingsFor(WHERE, gaussians, camera, renderOptions);
      const { width, height } = camera;
      const pixels = width * height;
      const channels = settings.background.length;
      const sizes = {
        count: gaussians.count,
        tilesX: Math.ceil(width / TILE),
        tilesY: Math.ceil(height / TILE),
        pixels,
        channels,
        featureChannels: settings.featureChannels,
        appearanceRow: appearanceRow(gaussians.degree, settings.colors !== undefined),
        pairs: 0,
      };
      const { kept, picture, radii } = await draw({ gaussians, camera, settings, sizes });
      const section = (at: number, length: number): Float32Array => picture.slice(at, at + length);
      const rendering: Rendering = {
        width,
        height,
        channels,
        color: section(0, pixels * channels),
        alpha: section(pixels * channels, pixels),
        ...(settings.depth !== 'none' && { depth: section(pixels * (channels + 1), pixels) }),
        radii,
      };
      states.set(rendering, kept);
      return rendering;
    });

  const backward = (rendering: Rendering, cotangents: Cotangents): Promise<RenderGradients> =>
    inTurn(async () => {
      const asked = states.get(rendering);
      if (asked === undefined) throw new UserError(`[${WHERE}] no way back from this rendering: it is of another rasterizer, or was used already. Render again.`);
      checkCotangents(WHERE, rendering, cotangents);
      states.delete(rendering);
      if (resident?.kept !== asked) await draw(asked);
      const { kept, dealt } = resident!;
      const { gaussians, settings, sizes } = kept;
      const { count, pixels, channels } = sizes;
      const { steps, results, shapes } = backwardSteps(buffers, sizes, dealt);
      if (cotangents.color !== undefined) upload(results.cotangents, cotangents.color);
      if (cotangents.alpha !== undefined) upload(results.cotangents, cotangents.alpha, pixels * channels);
      if (cotangents.depth !== undefined) upload(results.cotangents, cotangents.depth, pixels * (channels + 1));
      for (const { buffer, numbers } of shapes) device.queue.writeBuffer(buffer, 0, numbers);
      device.queue.writeBuffer(sceneBuffers(buffers, sizes).view, 0, packView({ ...viewOf(kept, room), cotangents }));
      const lengths = gradientLengths(sizes);
      const [all, features, ofCamera, ofBackground] = await execute(steps, [
        { buffer: results.gradients, length: lengths.gradients },
        { buffer: results.features, length: lengths.features },
        { buffer: results.camera, length: lengths.camera },
        { buffer: results.background, length: lengths.background },
      ]);
      const section = (from: number, to: number): Float32Array => all!.slice(from * count, to * count);
      const appearance = section(15, 15 + sizes.appearanceRow);
      return {
        means: section(0, 3),
        quaternions: section(3, 7),
        logScales: section(7, 10),
        opacityLogits: section(10, 11),
        sh: settings.colors === undefined ? appearance : new Float32Array(gaussians.sh.length),
        ...(settings.colors !== undefined && { colors: appearance }),
        ...(settings.features !== undefined && { features: features! }),
        background: backgroundSums(ofBackground!, sizes),
        worldToCamera: cameraSums(ofCamera!),
        means2d: section(11, 13),
        absoluteMeans2d: section(13, 15),
      };
    });

  return {
    name: `webgpu (${description})`,
    kind: 'webgpu',
    render,
    backward,
    dispose: async () => {
      disposed = true;
      await last;
      buffers.dispose();
      if (options.device === undefined) device.destroy();
    },
  };
}

function viewOf({ gaussians, camera, settings }: Pick<Kept, 'gaussians' | 'camera' | 'settings'>, pairs: number): ViewNumbers {
  return { gaussians, camera, settings, leastTransmittance: LEAST_TRANSMITTANCE, pairs };
}

/** Sums of the groups' rows of 12, in their order. */
function cameraSums(rows: Float32Array): Float32Array {
  const sums = new Float64Array(12);
  for (let i = 0; i < rows.length; i++) sums[i % 12]! += rows[i]!;
  return Float32Array.from(sums);
}

/** Sums over tiles: four channels of all tiles lie together. */
function backgroundSums(vectors: Float32Array, { tilesX, tilesY, channels }: Sizes): Float32Array {
  const sums = new Float64Array(4 * Math.ceil(channels / 4));
  const each = 4 * tilesX * tilesY;
  for (let i = 0; i < vectors.length; i++) sums[4 * Math.floor(i / each) + (i % 4)]! += vectors[i]!;
  return Float32Array.from(sums.subarray(0, channels));
}
