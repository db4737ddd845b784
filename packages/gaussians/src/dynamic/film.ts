import { encodeGif } from '@langevin/io';
import type { Artifact } from '@langevin/training';
import type { SceneView } from '../scenes/scene.ts';
import { imageOf } from '../training/pictures.ts';

/** Enough to see how something moves; each costs a picture. */
const FRAMES = 12;
const FRAMES_PER_SECOND = 8;

/** A film of all moments, seen by the camera of one view. @param draw the picture [height, width, 3] of a view at a time in [0, 1] */
export async function filmOf(
  view: SceneView,
  { draw }: { readonly draw: (view: SceneView, time: number) => Promise<Float32Array> },
): Promise<Artifact> {
  const { width, height } = view.camera;
  const frames = async function* () {
    for (let i = 0; i < FRAMES; i++) yield imageOf(await draw(view, i / (FRAMES - 1)), { width, height });
  };
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of encodeGif(frames(), { width, height, framesPerSecond: FRAMES_PER_SECOND })) pieces.push(piece.slice());
  return { name: 'motion', kind: 'film', extension: 'gif', content: new Uint8Array(await new Blob(pieces).arrayBuffer()) };
}
