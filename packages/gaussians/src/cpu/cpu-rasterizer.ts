import type { Camera } from '@langevin/core';
import { InternalError, UnsupportedError, UserError } from '@langevin/tensor';
import type { Gaussians } from '../gaussians.ts';
import { depthLoss } from '../losses/depth.ts';
import type {
  BackwardOptions,
  Cotangents,
  PhotometricRequest,
  PhotometricStep,
  Rasterizer,
  RenderGradients,
  Rendering,
  RenderOptions,
  ParameterMemory,
} from '../rasterizer.ts';
import { checkCotangents, checkPhotometric, LEAST_DIVISOR, settingsFor, type Settings } from '../settings.ts';
import type { Trace } from '../trace.ts';
import { compare } from './compare.ts';
import { draw, type Drawn, type PicturePlaces } from './draw.ts';
import { arrayOf, touchPages } from './in-parts.ts';
import { backwardPass } from './backward-pass.ts';
import { FREE } from './layout.ts';
import { floats, reserve } from './memory.ts';
import { loadParameters, stepAdam } from './parameter-memory.ts';
import { canShare, processors, type WasmMemory } from './platform.ts';
import { startThreads, type Threads } from './threads.ts';

const WHERE = 'gaussians/cpu';

/** Most threads that anybody asks for in earnest. */
const MOST_THREADS = 64;

export interface CpuRasterizerOptions {
  /**
   * How many work on a picture, the caller's thread included; 1 where memory cannot be shared between workers.
   * @default the processors, 8 at most
   */
  readonly threads?: number;
  /** Told how long each part of a call took. @default nobody is */
  readonly trace?: Trace;
}

/** What a rendering keeps for the backward pass. */
interface Kept {
  readonly gaussians: Gaussians;
  readonly camera: Camera;
  readonly drawn: Drawn;
  /** Where its bytes begin, and where the parameter memory ended. */
  readonly start: number;
  readonly held: number;
  /** The bytes of the memory that the backward pass reads, once another rendering has taken their place. */
  saved?: Uint8Array;
}

/**
 * Draws on the CPU: WebAssembly SIMD kernels over tiles of 16 x 16 pixels, which threads take from a common heap. The number of threads
 * changes no bit of the result. A Gaussian with a number that is not finite is not drawn.
 *
 * @throws UserError for a number of threads out of range
 * @example
 * const gaussians = gaussiansFromPoints({
 *   count: 2,
 *   positions: Float32Array.of(-1, 0, 0, 1, 0, 0),
 *   colors: Uint8Array.of(255, 80, 0, 0, 80, 255),
 * });
 * const camera = lookAt({ width: 16, height: 16, fx: 16, fy: 16, cx: 8, cy: 8, eye: [0, 0, -4], target: [0, 0, 0] });
 * const rasterizer = cpuRasterizer({ threads: 2 });
 * const picture = await rasterizer.render(gaussians, camera);
 * picture.color.length; // => 768
 * await rasterizer.dispose();
 */
export function cpuRasterizer(options: CpuRasterizerOptions = {}): Rasterizer {
  const { threads: count = canShare() ? Math.min(8, processors()) : 1, trace } = options;
  if (!Number.isSafeInteger(count) || count < 1 || count > MOST_THREADS)
    throw new UserError(
      `[${WHERE}] number of threads is out of range: threads=${String(count)}. Pass an integer from 1 to ${MOST_THREADS}.`,
    );
  let threads: Promise<Threads> | undefined;
  let disposed = false;
  const states = new WeakMap<Rendering, Kept>();
  /** Whose bytes are in the memory. */
  let resident: WeakRef<Kept> | undefined;
  /** Where drawings begin: behind the parameter memory. */
  let start = FREE;
  /** Who has claimed the parameter memory. */
  let holder: object | undefined;
  /** First byte after the gradients of the last photometric step: pictures that are drawn while they are in use lie behind them. */
  let gradientsEnd = 0;
  const base = (): number => Math.max(start, gradientsEnd);

  // One job at a time: calls wait for those before them.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(task: (threads: Threads) => Promise<T>): Promise<T> => {
    const turn = last.then(async () => {
      if (disposed) throw new UserError(`[${WHERE}] the rasterizer was disposed of: disposed=true. Make another.`);
      const ready = await (threads ??= startThreads(count, trace));
      ready.wake();
      return task(ready);
    });
    last = turn.catch(() => {});
    return turn;
  };

  const evict = (memory: WasmMemory): void => {
    const before = resident?.deref();
    resident = undefined;
    if (before !== undefined) before.saved = new Uint8Array(memory.buffer, before.start, before.drawn.end - before.start).slice();
  };

  /** Nobody goes back from a rendering whose arrays are written over. */
  const forget = (rendering: Rendering | undefined): void => {
    const kept = rendering && states.get(rendering);
    if (kept === undefined) return;
    states.delete(rendering!);
    if (resident?.deref() === kept) resident = undefined;
  };

  const render = (gaussians: Gaussians, camera: Camera, options: RenderOptions = {}): Promise<Rendering> =>
    inTurn(async (threads) => {
      const { memory } = threads;
      const settings = hardSettings(gaussians, camera, options);
      const { reuse } = options;
      forget(reuse);
      evict(memory);
      const { width, height } = camera;
      const pixels = width * height;
      const channels = settings.background.length;
      let own: Pick<Rendering, 'color' | 'alpha' | 'depth'> | undefined;
      const prepare = (): void => {
        const fresh: Float32Array[] = [];
        const array = (length: number, given: Float32Array | undefined): Float32Array => {
          const { array, isNew } = arrayOf(length, given);
          if (isNew) fresh.push(array);
          return array;
        };
        own = {
          color: array(pixels * channels, reuse?.color),
          alpha: array(pixels, reuse?.alpha),
          ...(settings.depth !== 'none' && { depth: array(pixels, reuse?.depth) }),
        };
        touchPages(fresh);
      };
      const take = (picture: PicturePlaces, from: number, to: number): void => {
        const copy = (target: Float32Array | undefined, at: number, length: number): void =>
          target?.set(floats(memory, at + 4 * length * width * from, length * width * (to - from)), length * width * from);
        copy(own?.color, picture.color, channels);
        copy(own?.alpha, picture.alpha, 1);
        copy(own?.depth, picture.depth, 1);
      };
      const drawn = await draw(threads, { start: base(), gaussians, camera, settings }, { prepare, take });
      const { array: radii } = arrayOf(gaussians.count, reuse?.radii);
      radii.set(floats(memory, drawn.job.radii, gaussians.count));
      const rendering: Rendering = { width, height, channels, ...own!, radii };
      const kept: Kept = { gaussians, camera, drawn, start: base(), held: start };
      states.set(rendering, kept);
      resident = new WeakRef(kept);
      return rendering;
    });

  const backward = (rendering: Rendering, cotangents: Cotangents, { reuse }: BackwardOptions = {}): Promise<RenderGradients> =>
    inTurn(async (threads) => {
      const { memory } = threads;
      const own = states.get(rendering);
      if (own === undefined)
        throw new UserError(
          `[${WHERE}] no backward pass for this rendering: it is of another rasterizer, or was used already. Render again.`,
        );
      checkCotangents(WHERE, rendering, cotangents);
      states.delete(rendering);
      let { drawn } = own;
      if (own.saved === undefined) resident = undefined;
      else {
        evict(memory);
        // Its addresses hold only where it was drawn.
        if (own.held === start && own.start >= base()) new Uint8Array(memory.buffer, own.start, own.saved.length).set(own.saved);
        else drawn = await draw(threads, { start: base(), gaussians: own.gaussians, camera: own.camera, settings: drawn.settings });
      }
      const { width, height, channels, settings } = drawn;
      const pixels = width * height;
      const space = reserve(memory, drawn.end);
      const into = (length: number, given: Float32Array | undefined): Float32Array => {
        const target = floats(memory, space(4 * length), length);
        if (given === undefined) target.fill(0);
        else target.set(given);
        return target;
      };
      const vColor = space(4 * pixels * channels);
      const expected = settings.depth === 'expected' && cotangents.depth !== undefined;
      const vAlpha = cotangents.alpha === undefined && !expected ? undefined : into(pixels, cotangents.alpha);
      const vDepth = settings.depth === 'none' ? undefined : into(pixels, cotangents.depth);
      if (expected) divideDepth({ alpha: vAlpha!, depth: vDepth! }, { alpha: rendering.alpha, depth: rendering.depth! });
      const bring = (from: number, to: number): void => {
        const [first, last] = [from * width * channels, to * width * channels];
        const target = floats(memory, vColor + 4 * first, last - first);
        if (cotangents.color === undefined) target.fill(0);
        else target.set(cotangents.color.subarray(first, last));
      };
      const { gradients } = await backwardPass(
        threads,
        {
          start: space(0),
          drawn,
          picture: { color: vColor, alpha: vAlpha?.byteOffset ?? 0, depth: vDepth?.byteOffset ?? 0 },
          absolute: true,
        },
        { bring, reuse },
      );
      return gradients;
    });

  const photometric = (request: PhotometricRequest): Promise<PhotometricStep> =>
    inTurn(async (threads) => {
      const { memory } = threads;
      const { gaussians, camera, options = {}, target, mask, dssim, depth } = request;
      const settings = hardSettings(gaussians, camera, { ...options, ...(depth !== undefined && { depth: 'expected' }) });
      checkPhotometric(WHERE, request);
      evict(memory);
      gradientsEnd = 0;
      const drawn = await draw(threads, { start, gaussians, camera, settings });
      const pixels = camera.width * camera.height;
      const picture = await compare(threads, { start: drawn.top, drawn }, { target, mask, dssim });
      const space = reserve(memory, picture.end);
      let addresses = { color: picture.at, alpha: 0, depth: 0 };
      let loss = picture.loss;
      if (depth !== undefined) {
        const found = floats(memory, drawn.depth, pixels);
        const { loss: missed, gradient } = depthLoss(found, depth.target, { weight: depth.weight });
        loss += missed;
        addresses = { ...addresses, alpha: space(4 * pixels), depth: space(4 * pixels) };
        const [vAlpha, vDepth] = [floats(memory, addresses.alpha, pixels), floats(memory, addresses.depth, pixels)];
        vAlpha.fill(0);
        vDepth.set(gradient);
        divideDepth({ alpha: vAlpha, depth: vDepth }, { alpha: floats(memory, drawn.alpha, pixels), depth: found });
      }
      const { gradients, finite, end } = await backwardPass(threads, {
        start: space(0),
        drawn,
        picture: addresses,
        absolute: request.absolute === true,
      });
      gradientsEnd = end;
      const { l1, mse, ssim } = picture;
      return { loss, l1, mse, ssim, gradients, finite, radii: floats(memory, drawn.job.radii, gaussians.count) };
    });

  const claimMemory = (): ParameterMemory | undefined => {
    if (holder !== undefined) return undefined;
    const self = {};
    holder = self;
    const asHolder = <T>(task: (threads: Threads) => Promise<T>): Promise<T> =>
      inTurn((threads) => {
        if (holder !== self) throw new InternalError(`[${WHERE}] the parameter memory was released: released=true. Claim it again.`);
        return task(threads);
      });
    return {
      load: (arrays) =>
        asHolder(async (threads) => {
          evict(threads.memory);
          start = FREE;
          gradientsEnd = 0;
          const loaded = loadParameters(threads, arrays);
          start = loaded?.end ?? FREE;
          return loaded?.arrays;
        }),
      adam: (steps) => asHolder((threads) => stepAdam(threads, start, steps)),
      release: () => {
        if (holder === self) holder = undefined;
      },
    };
  };

  return {
    name: 'cpu',
    kind: 'cpu',
    render,
    backward,
    photometric,
    claimMemory,
    dispose: async () => {
      disposed = true;
      await last;
      const started = threads;
      threads = undefined;
      (await started)?.dispose();
    },
  };
}

function hardSettings(gaussians: Gaussians, camera: Camera, options: RenderOptions): Settings<Float32Array> {
  const settings = settingsFor(WHERE, { gaussians, camera, options });
  if (settings.cutoff === 'smooth')
    throw new UnsupportedError(`[${WHERE}] the kernels cut off: cutoff=smooth. Use referenceRasterizer() for finite differences.`);
  return settings;
}

/** Expected depth is accumulated depth over alpha: its gradient by both, in place of the one by it. */
function divideDepth(
  { alpha: vAlpha, depth: vDepth }: { readonly alpha: Float32Array; readonly depth: Float32Array },
  { alpha, depth }: { readonly alpha: Float32Array; readonly depth: Float32Array },
): void {
  for (let pixel = 0; pixel < vDepth.length; pixel++) {
    const divisor = Math.max(LEAST_DIVISOR, alpha[pixel]!);
    const v = vDepth[pixel]! / divisor;
    vDepth[pixel] = v;
    if (alpha[pixel]! > LEAST_DIVISOR) vAlpha[pixel]! -= v * depth[pixel]!;
  }
}
