import { parsePythonJson } from '@langevin/io';
import { readPlyPoints } from '@langevin/io/splats';
import { UserError } from '@langevin/tensor';
import type { SceneFolder } from './folder.ts';
import { findFile, leadsOut, type FoundFile } from './paths.ts';
import type { LeftOutView, SceneSource, SourcePoints, ViewSource } from './source.ts';
import { parseTransforms, type TransformsFrame, type TransformsModel } from './transforms.ts';

/** Far above any list of cameras, and small enough to parse at once. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Seventy million points with colours: more than can be trained. */
const MAX_POINT_BYTES = 1024 ** 3;

/** The files to read: a transforms.json, or Blender's transforms_train.json and transforms_test.json; empty when there is none. */
export async function findTransforms(files: SceneFolder): Promise<readonly string[]> {
  for (const names of [['transforms.json'], ['transforms_train.json', 'transforms_test.json']]) {
    const there = [];
    for (const name of names) if (await files.has(name)) there.push(name);
    if (there.length > 0) return there;
  }
  return [];
}

/** @param paths the second one is held out whole */
export async function readTransforms(files: SceneFolder, paths: readonly string[]): Promise<SceneSource> {
  const sources: SceneSource[] = [];
  for (const [i, path] of paths.entries()) sources.push(await readOne(files, path, i === 1 ? 'all' : 'listed'));
  const points = sources.find((source) => source.points !== undefined)?.points;
  return {
    views: sources.flatMap(({ views }) => views),
    leftOut: sources.flatMap(({ leftOut }) => leftOut),
    heldOut: sources.flatMap(({ heldOut }) => heldOut),
    remarks: sources.flatMap(({ remarks }) => remarks),
    ...(points && { points }),
  };
}

async function readOne(files: SceneFolder, path: string, heldOut: 'all' | 'listed'): Promise<SceneSource> {
  const label = files.label(path);
  const text = new TextDecoder().decode(await files.bytes(path, { maxBytes: MAX_BYTES }));
  const model = parseTransforms(parsePythonJson(text, `[gaussians/transforms] ${JSON.stringify(label)}`), label);
  const roots = [path.slice(0, Math.max(0, path.lastIndexOf('/')))];
  const remarks: string[] = [];
  const { used, unused } = listed(model);
  if (unused > 0) remarks.push(`${unused} frames of ${path} are in none of its lists of names and are not used`);
  const found = await Promise.all(used.map((frame) => filesOf(files, frame, roots)));
  const shared = claimedTwice(found.map(({ picture }) => picture));
  const held = new Set(model.heldOut);
  const views: ViewSource[] = [];
  const leftOut: LeftOutView[] = [...model.leftOut];
  const heldNames: string[] = [];
  let withoutDepth = 0;
  for (const [at, frame] of used.entries()) {
    const { picture, mask, depth } = found[at]!;
    const name = leadsOut(frame.imagePath) ? (picture?.path ?? frame.imagePath) : frame.imagePath;
    if (picture === undefined || shared.has(picture.path)) {
      const which = picture === undefined ? '' : ', and others have the same name';
      leftOut.push({ name: frame.imagePath, reason: `its picture is not where ${path} says${which}` });
      continue;
    }
    if (frame.maskPath !== undefined && mask === undefined) {
      leftOut.push({ name, reason: `its mask is not where ${path} says` });
      continue;
    }
    if (frame.depthPath !== undefined && depth === undefined) withoutDepth++;
    views.push({
      name,
      imagePath: picture.path,
      ...(mask && { maskPath: mask.path }),
      ...(depth && { depth: { path: depth.path, unit: model.depthUnit } }),
      ...(frame.time !== undefined && { time: frame.time }),
      worldToCamera: frame.worldToCamera,
      lens: frame.lens,
    });
    if (heldOut === 'all' || held.has(frame.imagePath)) heldNames.push(name);
  }
  if (withoutDepth > 0) remarks.push(`${withoutDepth} depth maps that ${path} names are not there`);
  const names = new Set(used.map(({ imagePath }) => imagePath));
  const strangers = model.heldOut.filter((name) => !names.has(name));
  if (strangers.length > 0) remarks.push(`${strangers.length} names that ${path} holds out are of no frame, the first is ${strangers[0]}`);
  const pointsFile = model.pointsPath === undefined ? undefined : await findFile(files, model.pointsPath, roots);
  if (model.pointsPath !== undefined && pointsFile === undefined)
    remarks.push(`the points that ${path} names are not there: ply_file_path=${model.pointsPath}`);
  return {
    views,
    leftOut,
    heldOut: heldNames,
    remarks,
    ...(pointsFile && { points: await pointsOf(files, pointsFile.path) }),
  };
}

/** Frames that the lists of a file use, as nerfstudio does: where it names those to train on, no others count. */
function listed({ frames, trained, heldOut }: TransformsModel): { readonly used: readonly TransformsFrame[]; readonly unused: number } {
  if (trained === undefined) return { used: frames, unused: 0 };
  const names = new Set([...trained, ...heldOut]);
  const used = frames.filter(({ imagePath }) => names.has(imagePath));
  return { used, unused: frames.length - used.length };
}

interface FrameFiles {
  readonly picture: FoundFile | undefined;
  readonly mask: FoundFile | undefined;
  readonly depth: FoundFile | undefined;
}

async function filesOf(files: SceneFolder, frame: TransformsFrame, roots: readonly string[]): Promise<FrameFiles> {
  const picture = await findFile(files, frame.imagePath, roots);
  const beside = async (name: string | undefined): Promise<FoundFile | undefined> => {
    const found = name === undefined ? undefined : await findFile(files, name, roots);
    // Masks often bear the name of their picture, in another folder: the end of a name is not enough to tell them.
    return found?.how === 'moved' && (!leadsOut(name!) || found.path === picture?.path) ? undefined : found;
  };
  return { picture, mask: await beside(frame.maskPath), depth: await beside(frame.depthPath) };
}

/** Pictures that were found by the end of their names only, and for several frames: whose they are nobody knows. */
function claimedTwice(found: readonly (FoundFile | undefined)[]): ReadonlySet<string> {
  const claims = new Map<string, { readonly count: number; readonly moved: boolean }>();
  for (const file of found) {
    if (file === undefined) continue;
    const { count, moved } = claims.get(file.path) ?? { count: 0, moved: false };
    claims.set(file.path, { count: count + 1, moved: moved || file.how === 'moved' });
  }
  return new Set([...claims].flatMap(([path, { count, moved }]) => (moved && count > 1 ? [path] : [])));
}

async function pointsOf(files: SceneFolder, path: string): Promise<SourcePoints> {
  const bytes = await files.bytes(path, { maxBytes: MAX_POINT_BYTES });
  try {
    return await readPlyPoints(bytes);
  } catch (error) {
    if (error instanceof UserError)
      throw new UserError(`[gaussians/transforms] points to begin with cannot be read: ${files.label(path)}. ${error.message}`, {
        cause: error,
      });
    throw error;
  }
}
