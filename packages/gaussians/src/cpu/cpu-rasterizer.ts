import { UnsupportedError, UserError } from '@langevin/tensor';
import { cameraPosition, type Camera } from '../camera.ts';
import type { Gaussians } from '../gaussians.ts';
import type { Cotangents, Rasterizer, RenderGradients, Rendering, RenderOptions } from '../rasterizer.ts';
import { checkCotangents, FRUSTUM_MARGIN, LEAST_DIVISOR, settingsFor, type Settings } from '../settings.ts';
import { deal, nearToFar, reach } from './bin.ts';
import { CHUNK, FREE, JOB_WORDS, PIXELS, scratchBytes, stride, TILE, type Job } from './layout.ts';
import { canShare, processors, type WasmMemory } from './platform.ts';
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
  const states = new WeakMap<Rendering, Kept>();
  /** Whose bytes are in the memory. */
  let resident: WeakRef<Kept> | undefined;

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
      const { count: rows } = gaussians;
      const channels = settings.background.length;
      const values = channels + (settings.depth === 'none' ? 0 : 1);
      const recordLength = stride(values);
      const space = reserve(memory);
      const place = (given: ArrayLike<number>): number => {
        const at = space(4 * given.length);
        new Float32Array(memory.buffer, at, given.length).set(given);
        return at;
      };
      const view = (at: number, length: number): Uint32Array => new Uint32Array(memory.buffer, at, length);
      const projection: Job = {
        ...NO_JOB,
        means: place(gaussians.means),
        quaternions: place(gaussians.quaternions),
        logScales: place(gaussians.logScales),
        opacityLogits: place(gaussians.opacityLogits),
        sh: place(gaussians.sh),
        colors: settings.colors === undefined ? 0 : place(settings.colors),
        features: settings.features === undefined ? 0 : place(settings.features),
        background: place(settings.background),
        lens: lens(camera, settings.near, space, memory),
        records: space(4 * recordLength * rows),
        radii: space(4 * rows),
        keys: space(4 * rows),
        firstPairs: space(4 * rows),
        pairCounts: space(4 * rows),
        scratchStride: scratchBytes(values),
        scratch: space(scratchBytes(values) * workers),
        depth: settings.depth === 'none' ? 0 : 1,
        recordStride: 4 * recordLength,
        rowStride: 4 * recordLength,
        width,
        height,
        channels,
        expected: settings.depth === 'expected' ? 1 : 0,
        count: rows,
        chunks: Math.ceil(rows / CHUNK),
        degree: settings.degree,
        shRow: 3 * (gaussians.degree + 1) ** 2,
        featureChannels: settings.featureChannels,
        mip: settings.antialiasing === 'mip' ? 1 : 0,
        pinhole: camera.kind === 'orthographic' ? 0 : 1,
      };
      await run('project', projection);
      const dealt = { sorted: nearToFar(view(projection.keys, rows)), records: new Float32Array(memory.buffer, projection.records, recordLength * rows), stride: recordLength, width, height };
      const reached = reach(dealt);
      const tilesX = Math.ceil(width / TILE);
      const tiles = tilesX * Math.ceil(height / TILE);
      const pixels = width * height;
      const kept: Job = {
        ...projection,
        tilesX,
        tiles,
        starts: space(4 * (tiles + 1)),
        entries: space(4 * reached.pairs),
        pairs: space(4 * reached.pairs),
        masks: space(4 * reached.pairs),
        transmittance: space(4 * PIXELS * tiles),
        stops: space(4 * PIXELS * tiles),
      };
      deal(dealt.sorted, reached, tilesX, {
        starts: view(kept.starts, tiles + 1),
        entries: view(kept.entries, reached.pairs),
        pairs: view(kept.pairs, reached.pairs),
        firstPairs: view(kept.firstPairs, rows),
        pairCounts: view(kept.pairCounts, rows),
      });
      const end = space(0);
      const job: Job = { ...kept, color: space(4 * pixels * channels), alpha: space(4 * pixels), depth: settings.depth === 'none' ? 0 : space(4 * pixels) };
      await run('forward', job);

      const copy = (at: number, length: number): Float32Array => new Float32Array(memory.buffer, at, length).slice();
      const rendering: Rendering = { width, height, channels, color: copy(job.color, pixels * channels), alpha: copy(job.alpha, pixels), radii: copy(job.radii, rows), ...(job.depth !== 0 && { depth: copy(job.depth, pixels) }) };
      const own: Kept = { gaussians, settings, job: kept, end };
      states.set(rendering, own);
      resident = new WeakRef(own);
      return rendering;
    });

  const backward = (rendering: Rendering, cotangents: Cotangents): Promise<RenderGradients> =>
    inTurn(async ({ memory, run }) => {
      const own = states.get(rendering);
      if (own === undefined) throw new UserError(`[${WHERE}] no way back from this rendering: it is of another rasterizer, or was used already. Render again.`);
      checkCotangents(WHERE, rendering, cotangents);
      states.delete(rendering);
      if (own.saved === undefined) resident = undefined;
      else {
        evict(memory);
        new Uint8Array(memory.buffer, FREE, own.saved.length).set(own.saved);
      }
      const { gaussians, settings } = own;
      const { width, height, channels } = rendering;
      const { count: rows } = gaussians;
      const { tiles, chunks } = own.job;
      const pixels = width * height;
      const entries = new Uint32Array(memory.buffer, own.job.starts, tiles + 1)[tiles]!;
      const space = reserve(memory, own.end);
      const job: Job = {
        ...own.job,
        color: space(4 * pixels * channels),
        alpha: space(4 * pixels),
        depth: settings.depth === 'none' ? 0 : space(4 * pixels),
        rows: space(own.job.rowStride * entries),
        vMeans: space(12 * rows),
        vQuaternions: space(16 * rows),
        vLogScales: space(12 * rows),
        vOpacityLogits: space(4 * rows),
        vSh: space(4 * own.job.shRow * rows),
        vColors: space(12 * rows),
        vFeatures: space(4 * settings.featureChannels * rows),
        vMeans2d: space(8 * rows),
        vAbsoluteMeans2d: space(8 * rows),
        vCamera: space(8 * 12 * chunks),
        vBackground: space(8 * channels * tiles),
      };
      const into = (at: number, length: number, given: Float32Array | undefined): Float32Array => {
        const target = new Float32Array(memory.buffer, at, length);
        if (given === undefined) target.fill(0);
        else target.set(given);
        return target;
      };
      into(job.color, pixels * channels, cotangents.color);
      const vAlpha = into(job.alpha, pixels, cotangents.alpha);
      if (job.depth !== 0) {
        const vDepth = into(job.depth, pixels, cotangents.depth);
        if (settings.depth === 'expected' && cotangents.depth !== undefined) divideDepth(vDepth, vAlpha, rendering);
      }
      await run('backward', job);
      await run('lead', job);

      const copy = (at: number, length: number): Float32Array => new Float32Array(memory.buffer, at, length).slice();
      return {
        means: copy(job.vMeans, 3 * rows),
        quaternions: copy(job.vQuaternions, 4 * rows),
        logScales: copy(job.vLogScales, 3 * rows),
        opacityLogits: copy(job.vOpacityLogits, rows),
        sh: copy(job.vSh, job.shRow * rows),
        ...(settings.colors !== undefined && { colors: copy(job.vColors, 3 * rows) }),
        ...(settings.features !== undefined && { features: copy(job.vFeatures, settings.featureChannels * rows) }),
        background: sumOfRows(new Float64Array(memory.buffer, job.vBackground, channels * tiles), channels),
        worldToCamera: sumOfRows(new Float64Array(memory.buffer, job.vCamera, 12 * chunks), 12),
        means2d: copy(job.vMeans2d, 2 * rows),
        absoluteMeans2d: copy(job.vAbsoluteMeans2d, 2 * rows),
      };
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

const NO_JOB = Object.fromEntries(JOB_WORDS.map((name) => [name, 0])) as Job;

/** The numbers of a camera as assembly/layout.ts has them; returns where they are. */
function lens(camera: Camera, near: number, space: (bytes: number) => number, memory: WasmMemory): number {
  const { width, height, fx, fy, cx, cy, worldToCamera } = camera;
  const marginX = (FRUSTUM_MARGIN * width) / (2 * fx);
  const marginY = (FRUSTUM_MARGIN * height) / (2 * fy);
  const numbers = [...worldToCamera, fx, fy, cx, cy, -cx / fx - marginX, (width - cx) / fx + marginX, -cy / fy - marginY, (height - cy) / fy + marginY, near, ...cameraPosition(camera)];
  const at = space(8 * numbers.length);
  new Float64Array(memory.buffer, at, numbers.length).set(numbers);
  return at;
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

/** The sum of rows of `length` numbers, in their order. */
function sumOfRows(rows: Float64Array, length: number): Float32Array {
  const sums = new Float64Array(length);
  rows.forEach((value, i) => (sums[i % length]! += value));
  return Float32Array.from(sums);
}
