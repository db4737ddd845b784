import type { RenderGradients } from '../rasterizer.ts';
import { stopwatch } from '../trace.ts';
import type { Drawn } from './draw.ts';
import { arrayOf, inParts, touchPages } from './in-parts.ts';
import { CHUNK, TILE, type Job } from './layout.ts';
import { floats, reserve } from './memory.ts';
import type { Threads } from './threads.ts';

/** Where the gradients of a picture lie; 0 where the loss does not depend on it. */
export interface PictureGradients {
  readonly color: number;
  readonly alpha: number;
  readonly depth: number;
}

/** What is gone back from. */
export interface BackwardRequest {
  /** First byte that may be used: what lies before it is needed. */
  readonly start: number;
  readonly drawn: Drawn;
  readonly picture: PictureGradients;
  /** Whether sums of absolute values are wanted. */
  readonly absolute: boolean;
}

/** Copies that are made while threads work. */
export interface GradientCopies {
  /** Puts rows of the gradients of the picture, from `from` to before `to`, where they are expected. */
  readonly bring: (from: number, to: number) => void;
  /** Arrays to write into. @default new ones */
  readonly reuse?: RenderGradients | undefined;
}

/**
 * From gradients of a picture to those of the scene, with what lies in the memory before `start`; `end` is the first byte after them. The
 * arrays lie in the memory and change with the next job, or, with `copies`, are the caller's own.
 *
 * @param copies who copies while threads work. @default nobody does
 */
export async function backwardPass(
  threads: Threads,
  { start, drawn, picture, absolute }: BackwardRequest,
  copies?: GradientCopies,
): Promise<{ readonly gradients: RenderGradients; readonly finite: boolean; readonly end: number }> {
  const { memory, trace } = threads;
  const { settings, count, channels, height } = drawn;
  const { tiles, tilesX, tilesY, chunks, shRow, starts, rowStride } = drawn.job;
  const entries = new Uint32Array(memory.buffer, starts, tiles + 1)[tiles]!;
  const done = stopwatch(trace);
  const space = reserve(memory, start);
  const job: Job = {
    ...drawn.job,
    ...picture,
    absolute: absolute ? 1 : 0,
    rows: space(rowStride * entries),
    vMeans: space(12 * count),
    vQuaternions: space(16 * count),
    vLogScales: space(12 * count),
    vOpacityLogits: space(4 * count),
    vSh: space(4 * shRow * count),
    vColors: space(12 * count),
    vFeatures: space(4 * settings.featureChannels * count),
    vMeans2d: space(8 * count),
    vAbsoluteMeans2d: space(8 * count),
    vCamera: space(8 * 12 * chunks),
    vBackground: space(8 * channels * tiles),
    checks: space(8 * chunks),
  };
  const own = new Map<Float32Array, number>();
  const fresh: Float32Array[] = [];
  /** Rows of `length` numbers, one for each Gaussian. */
  const view = (name: keyof RenderGradients, at: number, length: number): Float32Array => {
    if (copies === undefined) return floats(memory, at, length * count);
    const { array, isNew } = arrayOf(length * count, copies.reuse?.[name]);
    own.set(array, at);
    if (isNew) fresh.push(array);
    return array;
  };
  const perGaussian = {
    means: view('means', job.vMeans, 3),
    quaternions: view('quaternions', job.vQuaternions, 4),
    logScales: view('logScales', job.vLogScales, 3),
    opacityLogits: view('opacityLogits', job.vOpacityLogits, 1),
    sh: view('sh', job.vSh, shRow),
    ...(settings.colors !== undefined && { colors: view('colors', job.vColors, 3) }),
    ...(settings.features !== undefined && { features: view('features', job.vFeatures, settings.featureChannels) }),
    means2d: view('means2d', job.vMeans2d, 2),
    absoluteMeans2d: view('absoluteMeans2d', job.vAbsoluteMeans2d, 2),
  };
  const bringRows = (from: number, to: number): void => {
    copies?.bring(TILE * from, Math.min(height, TILE * to));
    if (from > 0) touchPages(fresh);
  };
  await inParts(threads, { kind: 'backward', job, units: tilesY, each: tilesX, bring: copies && bringRows });
  done('backward');
  const take = (from: number, to: number): void => {
    for (const [array, at] of own) {
      const length = array.length / count;
      const [first, last] = [CHUNK * from * length, Math.min(array.length, CHUNK * to * length)];
      array.set(floats(memory, at + 4 * first, last - first), first);
    }
  };
  await inParts(threads, { kind: 'projectBackward', job, units: chunks, take: copies && count > 0 ? take : undefined });
  done('project backward');
  const gradients: RenderGradients = {
    ...perGaussian,
    background: sumOfRows(new Float64Array(memory.buffer, job.vBackground, channels * tiles), channels),
    worldToCamera: sumOfRows(new Float64Array(memory.buffer, job.vCamera, 12 * chunks), 12),
  };
  return { gradients, finite: new Float64Array(memory.buffer, job.checks, chunks).every(Number.isFinite), end: space(0) };
}

/** The sum of rows of `length` numbers, in their order. */
function sumOfRows(rows: Float64Array, length: number): Float32Array {
  const sums = new Float64Array(length);
  for (let i = 0; i < rows.length; i++) sums[i % length]! += rows[i]!;
  return Float32Array.from(sums);
}
