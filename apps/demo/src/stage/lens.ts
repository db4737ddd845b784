import { type Camera, cameraPosition } from '@langevin/core';
import { Matrix4, Quaternion, Vector3, type PerspectiveCamera } from 'three';

// The page's world is three's: y up. Scenes are turned into it, so that their "up" is y.

/** The turn that takes a scene's direction of up to y. */
export function uprightTurn(up: readonly [number, number, number]): Quaternion {
  return new Quaternion().setFromUnitVectors(new Vector3(...up).normalize(), new Vector3(0, 1, 0));
}

/** What our rasterizer calls the camera of the stage: it sees the scene before the turn, with y down and z forward. */
export function toCamera(
  camera: PerspectiveCamera,
  turn: Quaternion,
  { width, height }: { readonly width: number; readonly height: number },
): Camera {
  camera.updateMatrixWorld();
  const view = new Matrix4()
    .makeScale(1, -1, -1)
    .multiply(camera.matrixWorldInverse)
    .multiply(new Matrix4().makeRotationFromQuaternion(turn));
  const at = (row: number, column: number): number => view.elements[4 * column + row]!;
  const focal = height / 2 / Math.tan((camera.fov * Math.PI) / 360);
  return {
    width,
    height,
    fx: focal,
    fy: focal,
    cx: width / 2,
    cy: height / 2,
    worldToCamera: [0, 1, 2].flatMap((row) => [0, 1, 2, 3].map((column) => at(row, column))),
  };
}

/** Where a camera of the scene stands and looks in the page's world. */
export function placeOf(
  camera: Camera,
  turn: Quaternion,
): { readonly eye: Vector3; readonly forward: Vector3; readonly fieldOfView: number } {
  const { worldToCamera: w } = camera;
  return {
    eye: new Vector3(...cameraPosition(camera)).applyQuaternion(turn),
    forward: new Vector3(w[8], w[9], w[10]).applyQuaternion(turn).normalize(),
    fieldOfView: (360 / Math.PI) * Math.atan(camera.height / 2 / camera.fy),
  };
}

/** Up in a scene that was photographed: the mean of what is up in its photographs. */
export function upOf(cameras: readonly Camera[]): readonly [number, number, number] {
  const sum = [0, 1, 2].map((axis) => cameras.reduce((total, { worldToCamera }) => total - worldToCamera[4 + axis]!, 0)) as unknown as [
    number,
    number,
    number,
  ];
  return Math.hypot(...sum) > 1e-6 ? sum : [0, -1, 0];
}

/** The corners of a camera's picture at a distance, and its eye, in the page's world: eye first, then clockwise from the top left. */
export function frustum(camera: Camera, turn: Quaternion, size: number): readonly Vector3[] {
  const { width, height, fx, fy, cx, cy, worldToCamera: w } = camera;
  const eye = cameraPosition(camera);
  // The longer side of the picture gets the size.
  const depth = size / Math.max(width / fx, height / fy);
  const corner = (u: number, v: number): Vector3 => {
    const seen = [((u - cx) / fx) * depth, ((v - cy) / fy) * depth, depth];
    const along = (axis: number): number => eye[axis]! + w[axis]! * seen[0]! + w[4 + axis]! * seen[1]! + w[8 + axis]! * seen[2]!;
    return new Vector3(along(0), along(1), along(2)).applyQuaternion(turn);
  };
  return [new Vector3(...eye).applyQuaternion(turn), corner(0, 0), corner(width, 0), corner(width, height), corner(0, height)];
}
