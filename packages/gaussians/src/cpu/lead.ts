import type { RenderGradients } from '../rasterizer.ts';
import { stopwatch } from '../trace.ts';
import type { Drawn } from './draw.ts';
import type { Job } from './layout.ts';
import { floats, reserve } from './memory.ts';
import type { Threads } from './threads.ts';

/** Where the gradients of a picture lie; 0 where the loss does not depend on it. */
export interface PictureGradients {
  readonly color: number;
  readonly alpha: number;
  readonly depth: number;
}

/**
 * Leads gradients of a picture back to the scene, with what lies in the memory before `start`. The arrays lie in the memory: they change with
 * the next job.
 */
export async function lead({ memory, run, trace }: Threads, start: number, drawn: Drawn, picture: PictureGradients, absolute: boolean): Promise<{ readonly gradients: RenderGradients; readonly finite: boolean }> {
  const { settings, count, channels } = drawn;
  const { tiles, chunks, shRow, starts, rowStride } = drawn.job;
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
  await run('backward', job, tiles);
  done('backward');
  await run('lead', job, chunks);
  done('project backward');
  const view = (at: number, length: number): Float32Array => floats(memory, at, length);
  const gradients: RenderGradients = {
    means: view(job.vMeans, 3 * count),
    quaternions: view(job.vQuaternions, 4 * count),
    logScales: view(job.vLogScales, 3 * count),
    opacityLogits: view(job.vOpacityLogits, count),
    sh: view(job.vSh, shRow * count),
    ...(settings.colors !== undefined && { colors: view(job.vColors, 3 * count) }),
    ...(settings.features !== undefined && { features: view(job.vFeatures, settings.featureChannels * count) }),
    background: sumOfRows(new Float64Array(memory.buffer, job.vBackground, channels * tiles), channels),
    worldToCamera: sumOfRows(new Float64Array(memory.buffer, job.vCamera, 12 * chunks), 12),
    means2d: view(job.vMeans2d, 2 * count),
    absoluteMeans2d: view(job.vAbsoluteMeans2d, 2 * count),
  };
  return { gradients, finite: new Float64Array(memory.buffer, job.checks, chunks).every(Number.isFinite) };
}

/** The sum of rows of `length` numbers, in their order. */
function sumOfRows(rows: Float64Array, length: number): Float32Array {
  const sums = new Float64Array(length);
  for (let i = 0; i < rows.length; i++) sums[i % length]! += rows[i]!;
  return Float32Array.from(sums);
}
