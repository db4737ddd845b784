import { UnsupportedError, UserError } from '@langevin/tensor';
import type { Camera } from '../camera.ts';
import type { Gaussians } from '../gaussians.ts';
import type { Cotangents, Rasterizer, RenderGradients, Rendering, RenderOptions } from '../rasterizer.ts';
import { checkCotangents, LEAST_DIVISOR, settingsFor, type Settings } from '../settings.ts';
import { bin, sortByKey } from './bin.ts';
import { FREE, PIXELS, scratchBytes, stride, TILE, type Job } from './layout.ts';
import { lens, type Lens } from './lens.ts';
import { canShare, processors, type WasmMemory } from './platform.ts';
import { projectAll, type Visible } from './project.ts';
import { projectBackward } from './project-backward.ts';
import { startThreads, type Threads } from './threads.ts';

const WHERE = 'gaussians/cpu';

/** Most threads that anybody asks for in earnest. */
const MOST_THREADS = 64;

export interface CpuRasterizerOptions {
  /** How many work on a picture, the caller's thread included; 1 where memory cannot be shared between workers. @default the processors, 8 at most */
  readonly threads?: number;
}

/** What a rendering keeps for the way back. */
interface Kept {
  readonly gaussians: Gaussians;
  readonly lens: Lens;
  readonly settings: Settings<Float32Array>;
  readonly job: Job;
  /** Bytes of the memory, from FREE, that the way back reads. */
  readonly end: number;
  /** Those bytes, once another rendering has taken their place. */
  saved?: Uint8Array;
}

/**
 * Draws on the CPU: WebAssembly SIMD kernels over tiles of 16 x 16 pixels, which threads take from a common heap. The number of threads
 * changes no bit of the result. A Gaussian with a number that is not finite is not drawn.
 *
 * @throws UserError for a number of threads out of range
 * @example
 * const rasterizer = cpuRasterizer({ threads: 2 });
 * const picture = await rasterizer.render(gaussians, camera);
 */
export function cpuRasterizer(options: CpuRasterizerOptions = {}): Rasterizer {
  const { threads: count = canShare() ? Math.min(8, processors()) : 1 } = options;
  if (!Number.isSafeInteger(count) || count < 1 || count > MOST_THREADS) throw new UserError(`[${WHERE}] number of threads is out of range: threads=${String(count)}. Pass an integer from 1 to ${MOST_THREADS}.`);
  let threads: Promise<Threads> | undefined;
  let disposed = false;
  const kept = new WeakMap<Rendering, Kept>();
  /** Whose bytes are in the memory. */
  let resident: WeakRef<Kept> | undefined;
  let visible: Visible = { count: 0, ids: new Uint32Array(0), keys: new Uint32Array(0) };

  // One job at a time: calls wait for those before them.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(task: (threads: Threads) => Promise<T>): Promise<T> => {
    const turn = last.then(async () => {
      if (disposed) throw new UserError(`[${WHERE}] the rasterizer was disposed of: disposed=true. Make another.`);
      return task(await (threads ??= startThreads(count)));
    });
    last = turn.catch(() => {});
    return turn;
  };

  const evict = (memory: WasmMemory): void => {
    const before = resident?.deref();
    resident = undefined;
    if (before !== undefined) before.saved = new Uint8Array(memory.buffer, FREE, before.end - FREE).slice();
  };

  const render = (gaussians: Gaussians, camera: Camera, options: RenderOptions = {}): Promise<Rendering> =>
    inTurn(async ({ memory, count: workers, run }) => {
      const settings = settingsFor(WHERE, gaussians, camera, options);
      if (settings.cutoff === 'smooth') throw new UnsupportedError(`[${WHERE}] the kernels cut off: cutoff=smooth. Use referenceRasterizer() for finite differences.`);
      evict(memory);
      const { width, height } = camera;
      const channels = settings.background.length;
      const values = channels + (settings.depth === 'none' ? 0 : 1);
      const recordLength = stride(values);
      const space = reserve(memory);
      const recordsAt = space(4 * recordLength * gaussians.count);
      const backgroundAt = space(4 * channels);
      new Float32Array(memory.buffer, backgroundAt, channels).set(settings.background);

      if (visible.ids.length < gaussians.count) visible = { count: 0, ids: new Uint32Array(gaussians.count), keys: new Uint32Array(gaussians.count) };
      const radii = new Float32Array(gaussians.count);
      const through = lens(camera);
      const records = new Float32Array(memory.buffer, recordsAt, recordLength * gaussians.count);
      projectAll(gaussians, through, settings, records, recordLength, radii, visible);
      const bins = bin(sortByKey(visible), records, recordLength, width, height);

      const pixels = width * height;
      const padded = bins.tiles * PIXELS;
      const entriesAt = space(4 * bins.entries.length);
      const masksAt = space(4 * bins.entries.length);
      const startsAt = space(4 * bins.starts.length);
      const transmittanceAt = space(4 * padded);
      const stopsAt = space(4 * padded);
      const end = space(0);
      const scratchStride = scratchBytes(values);
      const job = {
        records: recordsAt,
        entries: entriesAt,
        masks: masksAt,
        starts: startsAt,
        transmittance: transmittanceAt,
        stops: stopsAt,
        scratch: space(scratchStride * workers),
        scratchStride,
        color: space(4 * pixels * channels),
        alpha: space(4 * pixels),
        depth: settings.depth === 'none' ? 0 : space(4 * pixels),
        rows: 0,
        recordStride: 4 * recordLength,
        rowStride: 4 * recordLength,
        width,
        height,
        tilesX: bins.tilesX,
        tiles: bins.tiles,
        channels,
        expected: settings.depth === 'expected' ? 1 : 0,
        background: backgroundAt,
      };
      new Uint32Array(memory.buffer, entriesAt, bins.entries.length).set(bins.entries);
      new Uint32Array(memory.buffer, startsAt, bins.starts.length).set(bins.starts);
      await run('forward', job);

      const copy = (at: number, length: number): Float32Array => new Float32Array(memory.buffer, at, length).slice();
      const rendering: Rendering = { width, height, channels, color: copy(job.color, pixels * channels), alpha: copy(job.alpha, pixels), radii, ...(job.depth !== 0 && { depth: copy(job.depth, pixels) }) };
      const own: Kept = { gaussians, lens: through, settings, job, end };
      kept.set(rendering, own);
      resident = new WeakRef(own);
      return rendering;
    });

  const backward = (rendering: Rendering, cotangents: Cotangents): Promise<RenderGradients> =>
    inTurn(async ({ memory, count: workers, run }) => {
      const own = kept.get(rendering);
      if (own === undefined) throw new UserError(`[${WHERE}] no way back from this rendering: it is of another rasterizer, or was used already. Render again.`);
      checkCotangents(WHERE, rendering, cotangents);
      kept.delete(rendering);
      if (own.saved === undefined) resident = undefined;
      else {
        evict(memory);
        new Uint8Array(memory.buffer, FREE, own.saved.length).set(own.saved);
      }
      const { gaussians, settings } = own;
      const { width, height, channels } = rendering;
      const pixels = width * height;
      const entries = new Uint32Array(memory.buffer, own.job.starts, own.job.tiles + 1)[own.job.tiles]!;
      const space = reserve(memory, own.end);
      const job = {
        ...own.job,
        scratch: space(own.job.scratchStride * workers),
        color: space(4 * pixels * channels),
        alpha: space(4 * pixels),
        depth: settings.depth === 'none' ? 0 : space(4 * pixels),
        rows: space(own.job.rowStride * entries),
      };
      const into = (at: number, length: number, given: Float32Array | undefined): Float32Array => {
        const target = new Float32Array(memory.buffer, at, length);
        if (given === undefined) target.fill(0);
        else target.set(given);
        return target;
      };
      const vColor = into(job.color, pixels * channels, cotangents.color);
      const vAlpha = into(job.alpha, pixels, cotangents.alpha);
      if (job.depth !== 0) {
        const vDepth = into(job.depth, pixels, cotangents.depth);
        if (settings.depth === 'expected' && cotangents.depth !== undefined) divideDepth(vDepth, vAlpha, rendering);
      }
      await run('backward', job);

      const rowLength = job.rowStride / 4;
      const sums = sumRows(memory, job, entries, gaussians.count, rowLength);
      const gradients = zeroGradients(gaussians, settings);
      backgroundGradient(gradients.background, vColor, rendering);
      projectBackward(gaussians, own.lens, settings, sums, rowLength, gradients);
      return gradients;
    });

  return {
    name: 'cpu',
    kind: 'cpu',
    render,
    backward,
    dispose: async () => {
      disposed = true;
      await last;
      const started = threads;
      threads = undefined;
      (await started)?.dispose();
    },
  };
}

/** Hands out pieces of the memory from `start` on, in whole cache lines, and lets it grow. */
function reserve(memory: WasmMemory, start = FREE): (bytes: number) => number {
  let next = start;
  return (bytes) => {
    const at = next;
    next += Math.ceil(bytes / 64) * 64;
    const missing = Math.ceil((next - memory.buffer.byteLength) / 65_536);
    if (missing > 0) {
      try {
        memory.grow(Math.max(missing, Math.min(1024, memory.buffer.byteLength / 65_536)));
      } catch {
        try {
          memory.grow(missing);
        } catch (cause) {
          throw new UnsupportedError(`[${WHERE}] the picture does not fit into the memory of the kernels: bytes=${next}. Draw a smaller picture, or fewer Gaussians.`, { cause });
        }
      }
    }
    return at;
  };
}

/** Expected depth is accumulated depth over alpha: its gradient by both. */
function divideDepth(vDepth: Float32Array, vAlpha: Float32Array, { alpha, depth }: Rendering): void {
  for (let pixel = 0; pixel < vDepth.length; pixel++) {
    const divisor = Math.max(LEAST_DIVISOR, alpha[pixel]!);
    const v = vDepth[pixel]! / divisor;
    vDepth[pixel] = v;
    if (alpha[pixel]! > LEAST_DIVISOR) vAlpha[pixel]! -= v * depth![pixel]!;
  }
}

/** Adds the rows of each Gaussian in the order of tiles, whoever made them. */
function sumRows(memory: WasmMemory, job: Job, count: number, gaussians: number, length: number): Float64Array {
  const entries = new Uint32Array(memory.buffer, job.entries, count);
  const masks = new Uint32Array(memory.buffer, job.masks, count);
  const rows = new Float32Array(memory.buffer, job.rows, count * length);
  const sums = new Float64Array(gaussians * length);
  for (let e = 0; e < count; e++) {
    if (masks[e] === 0) continue;
    const to = entries[e]! * length;
    const from = e * length;
    for (let k = 0; k < length; k++) sums[to + k]! += rows[from + k]!;
  }
  return sums;
}

function backgroundGradient(into: Float32Array, vColor: Float32Array, { channels, alpha }: Rendering): void {
  const sums = new Float64Array(channels);
  for (let pixel = 0, at = 0; pixel < alpha.length; pixel++) {
    const passes = 1 - alpha[pixel]!;
    for (let channel = 0; channel < channels; channel++, at++) sums[channel]! += passes * vColor[at]!;
  }
  into.set(sums);
}

function zeroGradients(gaussians: Gaussians, settings: Settings<Float32Array>): RenderGradients {
  const like = (array: Float32Array): Float32Array => new Float32Array(array.length);
  return {
    means: like(gaussians.means),
    quaternions: like(gaussians.quaternions),
    logScales: like(gaussians.logScales),
    opacityLogits: like(gaussians.opacityLogits),
    sh: like(gaussians.sh),
    ...(settings.colors !== undefined && { colors: like(settings.colors) }),
    ...(settings.features !== undefined && { features: like(settings.features) }),
    background: new Float32Array(settings.background.length),
    worldToCamera: new Float32Array(12),
    means2d: new Float32Array(2 * gaussians.count),
    absoluteMeans2d: new Float32Array(2 * gaussians.count),
  };
}
