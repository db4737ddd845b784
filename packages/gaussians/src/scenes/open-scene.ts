import { MAX_SIDE } from '@langevin/core';
import { checkNumber, UserError } from '@langevin/tensor';
import { findColmap, readColmap } from './colmap/folder.ts';
import type { SceneFolder } from './folder.ts';
import { movedCamera, movedPositions, originOf } from './origin.ts';
import { readView, type ReadView } from './read-view.ts';
import { sceneExtent, type PointCloud, type SceneTimes, type SceneView, type SplatScene, type Vector } from './scene.ts';
import type { LeftOutView, SceneSource, SourcePoints, ViewSource } from './source.ts';
import { splitViews, type HoldOut } from './split.ts';
import { findTransforms, readTransforms } from './transforms-folder.ts';
import { upOf } from './up.ts';

export interface OpenSceneOptions {
  /** Divide the sides of all images by this, >= 1. @default 1 */
  readonly downscale?: number;
  /** Shrink images until no side is longer than this, in pixels. @default as they are */
  readonly maxSide?: number;
  /** Of COLMAP scenes, where the images are. @default 'images', or beside the model */
  readonly images?: string;
  /** Of scenes with several COLMAP models, the folder of the one to read, such as `sparse/1`. @default the one with the most images */
  readonly model?: string;
  /** The transforms.json to read, when it has another name. @default whatever is found */
  readonly transforms?: string;
  /** @default what the scene's own files say, otherwise every 8th by name */
  readonly holdOut?: HoldOut;
  /**
   * Views that the files list and that cannot be used, since their picture or mask is missing or their pose is not a number: `leave-out`
   * names them in `leftOut` and `remarks`, `refuse` throws. @default 'leave-out'
   */
  readonly unusable?: 'leave-out' | 'refuse';
  /** Which way is up in the world. @default guessed from the cameras */
  readonly up?: Vector;
}

/** A view whose picture has not been read yet. */
export interface UnreadView {
  readonly name: string;
  /** Rows of [R | t], 12 numbers. */
  readonly worldToCamera: readonly number[];
  /** As in {@link SceneView}. */
  readonly time?: number;
  /** Its camera, picture, mask and depth. @throws UserError when a file is damaged, or not of the camera's shape */
  readonly read: () => Promise<SceneView>;
}

/** A scene whose pictures are read one by one, as they are asked for. */
export interface OpenedScene extends Omit<SplatScene, 'train' | 'test'> {
  readonly train: readonly UnreadView[];
  readonly test: readonly UnreadView[];
}

/** The same, with what reading a view showed. */
export type UnreadSource = Omit<UnreadView, 'read'> & { readonly read: () => Promise<ReadView> };

/**
 * Open a scene as {@link readScene} does, without decoding a single picture: for one view of many, or to look at poses.
 *
 * @throws UserError when a file is missing or damaged, or an option is out of range; UnsupportedError for lenses that are not read
 */
export async function openScene(folder: SceneFolder, options: OpenSceneOptions = {}): Promise<OpenedScene> {
  const { train, test, ...scene } = await openSources(folder, options);
  const unread = ({ read, ...view }: UnreadSource): UnreadView => ({ ...view, read: async () => (await read()).view });
  return { ...scene, train: train.map(unread), test: test.map(unread) };
}

/** {@link openScene}, whose views also tell what reading them showed. */
export async function openSources(
  folder: SceneFolder,
  options: OpenSceneOptions,
): Promise<Omit<OpenedScene, 'train' | 'test'> & { readonly train: readonly UnreadSource[]; readonly test: readonly UnreadSource[] }> {
  const { downscale = 1, maxSide = MAX_SIDE } = options;
  checkNumber('gaussians/scenes', { downscale, maxSide }, { atLeast: 1, atMost: MAX_SIDE });
  const source = await readSource(folder, options);
  const leftOut = judged(source, folder, options.unusable ?? 'leave-out');
  const times = timesOf(source.views);
  const origin = originOf(source.views);
  const placed = origin === undefined ? source.views : source.views.map((view) => movedCamera(view, origin));
  const views = placed.map((view): UnreadSource => ({
    name: view.name,
    worldToCamera: view.worldToCamera,
    ...(times && { time: (view.time! - times.start) / (times.end - times.start) }),
    read: () => readView(folder, view, { downscale, maxSide, times }),
  }));
  const { train, test } = splitViews(views, options.holdOut ?? (source.heldOut.length > 0 ? { names: source.heldOut } : undefined));
  const up = unitOf(options.up) ?? upOf(views);
  const points = source.points && pointsOf(source.points, origin);
  const remarks = [
    ...leftOutRemarks(leftOut, source.views.length),
    ...source.remarks,
    ...(origin
      ? [`places are far from the origin, as in coordinates of maps; the scene is moved by (${origin.map((value) => -value).join(', ')})`]
      : []),
    ...(times ? [movesRemark(times)] : []),
  ];
  return {
    name: folder.name,
    train,
    test,
    ...(points && { points }),
    extent: sceneExtent(train),
    ...(times && { times }),
    ...(origin && { origin }),
    ...(up && { up }),
    ...(leftOut.length > 0 && { leftOut }),
    ...(remarks.length > 0 && { remarks }),
  };
}

async function readSource(folder: SceneFolder, { transforms, images, model }: OpenSceneOptions): Promise<SceneSource> {
  const found = transforms !== undefined ? [transforms] : model === undefined ? await findTransforms(folder) : [];
  if (found.length > 0) return readTransforms(folder, found);
  const colmap = await findColmap(folder, model);
  if (colmap !== undefined) return readColmap(folder, colmap, images);
  const names = await folder.names();
  const seen = names.slice(0, 8).join(', ') || 'nothing';
  if (names.some((name) => /\.(png|jpe?g|webp|heic|tiff?)$/i.test(name)) || names.includes('images'))
    throw new UserError(
      `[gaussians/scenes] photographs without poses: path=${folder.label('')}, found ${seen}. Where each was taken is missing, a `
        + 'transforms.json or a COLMAP model in sparse/0: make one of the photographs with COLMAP, or with ns-process-data of nerfstudio.',
    );
  throw new UserError(
    `[gaussians/scenes] neither a COLMAP model nor a transforms.json: path=${folder.label('')}, found ${seen}. Give a `
      + 'folder with sparse/0/cameras.bin (or .txt), or with transforms.json.',
  );
}

function movesRemark({ start, end }: SceneTimes): string {
  return `the scene moves: its views have times, from ${start} to ${end}; trained as one that stands still, what moves is blurred`;
}

/** Names shown of a long list. */
const SHOWN = 5;

function listed(names: readonly string[]): string {
  return names.length > SHOWN ? `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more` : names.join(', ');
}

function leftOutRemarks(leftOut: readonly LeftOutView[], used: number): readonly string[] {
  const byReason = new Map<string, string[]>();
  for (const { name, reason } of leftOut) byReason.set(reason, [...(byReason.get(reason) ?? []), name]);
  const all = used + leftOut.length;
  return [...byReason].map(([reason, names]) => `${names.length} of ${all} views are left out, ${reason}: ${listed(names)}`);
}

/** The views that are left out, where that is allowed and some are left. */
function judged({ leftOut, views }: SceneSource, folder: SceneFolder, unusable: 'leave-out' | 'refuse'): readonly LeftOutView[] {
  if (leftOut.length === 0 && views.length > 0) return leftOut;
  if (leftOut.length === 0) throw new UserError(`[gaussians/scenes] scene has no view: path=${folder.label('')}. Export the model again.`);
  if (views.length > 0 && unusable === 'leave-out') return leftOut;
  const all = leftOutRemarks(leftOut, views.length).join('; ');
  throw new UserError(
    `[gaussians/scenes] ${views.length === 0 ? 'no view of the scene can be used' : 'views of the scene cannot be used'}: `
      + `path=${folder.label('')}, ${all}. Put the files where the scene says, or `
      + `${views.length === 0 ? 'export it again.' : 'train without these views.'}`,
  );
}

function pointsOf({ count, positions, colors }: SourcePoints, origin: Vector | undefined): PointCloud | undefined {
  if (count === 0) return undefined;
  return { count, positions: origin === undefined ? Float32Array.from(positions) : movedPositions(positions, origin), colors };
}

function unitOf(up: Vector | undefined): Vector | undefined {
  if (up === undefined) return undefined;
  const length = Math.hypot(...up);
  if (!(length > 0 && length < Infinity))
    throw new UserError(`[gaussians/scenes] up is no direction: up=[${up.join(', ')}]. Give three numbers that are not all 0.`);
  return [up[0] / length, up[1] / length, up[2] / length];
}

/** First and last moment of a scene in motion; undefined where all was taken at once. @throws UserError when only some views have a time */
function timesOf(views: readonly ViewSource[]): SceneTimes | undefined {
  const known = views.flatMap(({ time }) => (time === undefined ? [] : [time]));
  const start = known.reduce((least, time) => Math.min(least, time), Infinity);
  const end = known.reduce((most, time) => Math.max(most, time), -Infinity);
  if (!(start < end)) return undefined;
  const without = views.find(({ time }) => time === undefined);
  if (without !== undefined)
    throw new UserError(
      `[gaussians/scenes] some views have a time and some have none: view=${without.name}, with a time=${known.length} of `
        + `${views.length}. Give all of them one, or none.`,
    );
  return { start, end };
}
