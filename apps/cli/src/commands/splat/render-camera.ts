import { type Camera, checkCamera, lookAt } from '@langevin/core';
import { movedCamera, sceneBounds, scaleCamera, turntable, type Gaussians } from '@langevin/gaussians';
import { openSceneFolder } from '@langevin/gaussians/node';
import { readJson } from '@langevin/io/node';
import { didYouMean, UserError } from '@langevin/tensor';
import { vector } from './arguments.ts';

export interface CameraOptions {
  readonly camera: string;
  readonly size?: readonly [number, number];
  readonly elevation: number;
  readonly fov: number;
  readonly up?: readonly [number, number, number];
  readonly target?: readonly [number, number, number];
  /** Of the file of Gaussians: places are given in the world, and its Gaussians are relative to this. */
  readonly origin?: readonly [number, number, number];
}

/**
 * One camera for each frame: on a circle for a turntable, otherwise always the same.
 * @param turns how often the turntable turns meanwhile
 */
export async function camerasOf(
  gaussians: Gaussians,
  options: CameraOptions,
  { frames, turns }: { readonly frames: number; readonly turns: number },
): Promise<readonly Camera[]> {
  const [width, height] = options.size ?? [512, 512];
  const { camera, elevation, fov, up } = options;
  if (camera === 'turntable') {
    // As many places on the circle as frames: a frame takes every turns-th of them.
    const circle = turntable(sceneBounds(gaussians), { frames, width, height, elevation, fieldOfView: fov, ...(up && { up }) });
    return Array.from({ length: frames }, (_, frame) => circle[(frame * turns) % frames]!);
  }
  const given = await oneCamera(gaussians, options, [width, height]);
  const one = options.origin === undefined ? given : movedCamera(given, options.origin);
  return Array.from({ length: frames }, () => one);
}

async function oneCamera(
  gaussians: Gaussians,
  { camera, fov, up, target, size, origin = [0, 0, 0] }: CameraOptions,
  [width, height]: readonly [number, number],
): Promise<Camera> {
  if (/^[-+\d.eE]+(,[-+\d.eE]+){2}$/.test(camera)) {
    const focal = Math.min(width, height) / 2 / Math.tan((fov * Math.PI) / 360);
    return lookAt({
      width,
      height,
      fx: focal,
      fy: focal,
      cx: width / 2,
      cy: height / 2,
      eye: vector(camera),
      target: target ?? inWorld(sceneBounds(gaussians).centre, origin),
      ...(up && { up }),
    });
  }
  const found = camera.endsWith('.json') ? await cameraOfFile(camera) : await cameraOfScene(camera);
  return size === undefined ? found : scaleCamera(found, { width, height });
}

type Vector = readonly [number, number, number];

function inWorld(place: Vector, origin: Vector): Vector {
  return [place[0] + origin[0], place[1] + origin[1], place[2] + origin[2]];
}

async function cameraOfFile(path: string): Promise<Camera> {
  const value = await readJson(path);
  const given = (typeof value === 'object' && value !== null ? value : {}) as Partial<Record<keyof Camera, unknown>>;
  const number = (name: keyof Camera): number => (typeof given[name] === 'number' ? given[name] : NaN);
  const pose = Array.isArray(given.worldToCamera) ? given.worldToCamera.map((entry) => (typeof entry === 'number' ? entry : NaN)) : [];
  const camera: Camera = {
    width: number('width'),
    height: number('height'),
    fx: number('fx'),
    fy: number('fy'),
    cx: number('cx'),
    cy: number('cy'),
    worldToCamera: pose,
    ...(given.kind === 'orthographic' && { kind: 'orthographic' }),
  };
  checkCamera('cli/splat', camera);
  return camera;
}

async function cameraOfScene(text: string): Promise<Camera> {
  const at = text.lastIndexOf(':');
  if (at < 1)
    throw new UserError(
      `[cli/splat] camera is not understood: --camera=${text}. Give turntable, x,y,z, a JSON file, or <scene folder>:<view>.`,
    );
  const [folder, name] = [text.slice(0, at), text.slice(at + 1)];
  // Views are read when they are asked: one picture of hundreds is decoded.
  const { train, origin } = await openSceneFolder(folder, { holdOut: 'none' });
  const view = viewNamed(name, train);
  if (view === undefined)
    throw new UserError(
      `[cli/splat] scene has no view of that name: "${name}".${didYouMean(
        name,
        train.map((candidate) => candidate.name),
      )} It has ${train.length}, the first is ${train[0]!.name}.`,
    );
  const { camera } = await view.read();
  // Files of Gaussians have the places that the scene's own files say.
  return origin === undefined ? camera : movedCamera(camera, [-origin[0], -origin[1], -origin[2]]);
}

/** The view of that name; or with another ending, or named without its folder, where only one fits. */
function viewNamed<V extends { readonly name: string }>(name: string, views: readonly V[]): V | undefined {
  const stem = (text: string): string => text.replace(/\.[^./]+$/, '');
  const last = (text: string): string => text.slice(text.lastIndexOf('/') + 1);
  const ways: readonly ((view: string) => boolean)[] = [
    (view) => view === name,
    (view) => stem(view) === stem(name),
    (view) => last(view) === name,
    (view) => stem(last(view)) === stem(name),
  ];
  for (const fits of ways) {
    const found = views.filter((view) => fits(view.name));
    if (found.length === 1) return found[0];
  }
  return undefined;
}
