import { type Camera, cameraPosition } from '@langevin/core';
import type { Gaussians } from '../gaussians.ts';
import { FRUSTUM_MARGIN, type Settings } from '../settings.ts';
import { stopwatch } from '../trace.ts';
import { inParts } from './in-parts.ts';
import { CHUNK, JOB_WORDS, PIXELS, recordBytes, rowBytes, scratchBytes, sortingBytes, TILE, type Job } from './layout.ts';
import { addressOf, floats, place, placeUnlessThere, reserve, type Space } from './memory.ts';
import type { WasmMemory } from './platform.ts';
import type { Threads } from './threads.ts';

export const NO_JOB = Object.fromEntries(JOB_WORDS.map((name) => [name, 0])) as Job;

/** Where a picture is; 0 where there is no depth. */
export interface PicturePlaces {
  readonly color: number;
  readonly alpha: number;
  readonly depth: number;
}

/** Copies that are made while threads work. */
export interface PictureCopies {
  /** Called once there is room for the picture. */
  readonly prepare: () => void;
  /** Told of rows of the picture, from `from` to before `to`, that are done. */
  readonly take: (picture: PicturePlaces, from: number, to: number) => void;
}

/** A picture in the memory of the kernels. */
export interface Drawn extends PicturePlaces {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** Rows of the scene. */
  readonly count: number;
  readonly settings: Settings<Float32Array>;
  /** What the backward pass needs, in the bytes before `end`. */
  readonly job: Job;
  readonly end: number;
  /** First byte after everything. */
  readonly top: number;
}

/** What is drawn, from where in the memory on. */
export interface DrawRequest {
  readonly start: number;
  readonly gaussians: Gaussians;
  readonly camera: Camera;
  readonly settings: Settings<Float32Array>;
}

/**
 * Draws into the memory, from `start` on.
 *
 * @param copies who copies the picture while threads work. @default nobody does
 */
export async function draw(threads: Threads, { start, gaussians, camera, settings }: DrawRequest, copies?: PictureCopies): Promise<Drawn> {
  const { memory, count: workers, run, trace } = threads;
  const { width, height } = camera;
  const { count } = gaussians;
  const channels = settings.background.length;
  const values = channels + (settings.depth === 'none' ? 0 : 1);
  const done = stopwatch(trace);
  const space = reserve(memory, start);
  // What lies where the drawing will be is taken out of its way first.
  const safe = (given: Float32Array): Float32Array => ((addressOf(memory, given) ?? -1) >= start ? given.slice() : given);
  const { means, quaternions, logScales, opacityLogits, sh } = {
    means: safe(gaussians.means),
    quaternions: safe(gaussians.quaternions),
    logScales: safe(gaussians.logScales),
    opacityLogits: safe(gaussians.opacityLogits),
    sh: safe(gaussians.sh),
  };
  const [colors, features] = [settings.colors && safe(settings.colors), settings.features && safe(settings.features)];
  const put = (given: Float32Array | undefined): number => (given === undefined ? 0 : placeUnlessThere({ memory, space, start }, given));
  const [tilesX, tilesY] = [Math.ceil(width / TILE), Math.ceil(height / TILE)];
  const tiles = tilesX * tilesY;
  const pixels = width * height;
  const chunks = Math.ceil(count / CHUNK);
  const projection: Job = {
    ...NO_JOB,
    means: put(means),
    quaternions: put(quaternions),
    logScales: put(logScales),
    opacityLogits: put(opacityLogits),
    sh: addressOf(memory, sh) ?? space(4 * sh.length),
    colors: put(colors),
    features: put(features),
    background: place(memory, space, settings.background),
    lens: lens({ memory, space }, camera, settings.near),
    records: space(recordBytes(values) * count),
    radii: space(4 * count),
    keys: space(4 * count),
    firstPairs: space(4 * count),
    pairCounts: space(4 * count),
    spans: space(8 * count),
    chunkCounts: space(8 * chunks),
    scratchStride: scratchBytes(values),
    scratch: space(scratchBytes(values) * workers),
    depth: settings.depth === 'none' ? 0 : 1,
    recordStride: recordBytes(values),
    rowStride: rowBytes(values),
    width,
    height,
    channels,
    expected: settings.depth === 'expected' ? 1 : 0,
    count,
    chunks,
    tilesX,
    tilesY,
    tiles,
    degree: settings.degree,
    shRow: 3 * (gaussians.degree + 1) ** 2,
    featureChannels: settings.featureChannels,
    mip: settings.antialiasing === 'mip' ? 1 : 0,
    pinhole: camera.kind === 'orthographic' ? 0 : 1,
  };
  done('copy in');
  const shRows = CHUNK * projection.shRow;
  await inParts(threads, {
    kind: 'project',
    job: projection,
    units: chunks,
    bring:
      addressOf(memory, sh) !== undefined
        ? undefined
        : (from, to) => {
            // Most of what a scene has, in time for those who work on it.
            const part = sh.subarray(shRows * from, shRows * to);
            floats(memory, projection.sh + 4 * shRows * from, part.length).set(part);
          },
  });
  done('project');
  const counts = new Uint32Array(memory.buffer, projection.chunkCounts, 2 * chunks);
  let [pairs, rows] = [0, 0];
  for (let i = 0; i < counts.length; i += 2) {
    pairs += counts[i]!;
    rows += counts[i + 1]!;
  }
  const job: Job = {
    ...projection,
    starts: space(4 * (tiles + 1)),
    entries: space(4 * pairs),
    pairs: space(4 * pairs),
    masks: space(4 * pairs),
    transmittance: space(4 * PIXELS * tiles),
    stops: space(4 * PIXELS * tiles),
  };
  const end = space(0);
  const picture = {
    color: space(4 * pixels * channels),
    alpha: space(4 * pixels),
    depth: settings.depth === 'none' ? 0 : space(4 * pixels),
  };
  const top = space(0);
  const sorting: Job = {
    ...job,
    sorting: space(sortingBytes(count, tilesY)),
    rowList: space(4 * rows),
    rowStarts: space(4 * (tilesY + 1)),
    rowEntries: space(4 * (tilesY + 1)),
  };
  await run({ kind: 'sort', job: sorting, pieces: 1, ...(copies && { meanwhile: copies.prepare }) });
  done('sort');
  await run({ kind: 'binTiles', job: sorting, pieces: tilesY });
  done('bin into tiles');
  await inParts(threads, {
    kind: 'forward',
    job: { ...job, ...picture },
    units: tilesY,
    each: tilesX,
    take: copies && ((from, to) => copies.take(picture, TILE * from, Math.min(height, TILE * to))),
  });
  done('forward');
  return { width, height, channels, count, settings, job, end, ...picture, top };
}

/** The numbers of a camera as assembly/layout.ts has them; returns where they are. */
function lens({ memory, space }: { readonly memory: WasmMemory; readonly space: Space }, camera: Camera, near: number): number {
  const { width, height, fx, fy, cx, cy, worldToCamera } = camera;
  const marginX = (FRUSTUM_MARGIN * width) / (2 * fx);
  const marginY = (FRUSTUM_MARGIN * height) / (2 * fy);
  const numbers = [
    ...worldToCamera,
    fx,
    fy,
    cx,
    cy,
    -cx / fx - marginX,
    (width - cx) / fx + marginX,
    -cy / fy - marginY,
    (height - cy) / fy + marginY,
    near,
    ...cameraPosition(camera),
  ];
  const at = space(8 * numbers.length);
  new Float64Array(memory.buffer, at, numbers.length).set(numbers);
  return at;
}
