import { SparkRenderer, SplatMesh } from '@sparkjsdev/spark';
import { Color, Group, Scene, WebGLRenderer } from 'three';
import type { AssetWorker } from '../files/asset.worker.ts';
import type { Remote } from '../rpc.ts';
import { pack, repose, type Packed } from './packing.ts';
import { BACKDROP, type Painter, type PainterEvents, type Subject } from './painter.ts';
import { createPoses } from './poses.ts';

/** Draws with Spark (WebGL 2). @throws Error where there is no WebGL 2 */
export function sparkPainter(worker: Remote<AssetWorker>, { onPicture, onDue }: PainterEvents): Painter {
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('webgl2', { antialias: false, alpha: false, depth: true, powerPreference: 'high-performance' });
  if (context === null) throw new Error('no WebGL 2');
  const renderer = new WebGLRenderer({ canvas, context, antialias: false });
  renderer.setPixelRatio(Math.min(2, devicePixelRatio));
  // Without a conversion: what the file says is what the screen gets.
  renderer.setClearColor(new Color().setRGB(...BACKDROP, 'srgb'), 1);
  const scene = new Scene();
  const world = new Group();
  const spark = new SparkRenderer({ renderer, onDirty: onDue, enableLod: false, sortRadial: false });
  scene.add(spark, world);
  let shown: { readonly mesh: SplatMesh; readonly packed: Packed; readonly subject: Subject } | undefined;
  let poses: ReturnType<typeof createPoses> | undefined;
  let turn = 0;

  const clear = (): void => {
    if (shown === undefined) return;
    poses = undefined;
    world.remove(shown.mesh);
    shown.mesh.dispose();
    shown = undefined;
  };
  return {
    name: 'Spark (WebGL 2)',
    canvas,
    show: async (subject) => {
      const mine = ++turn;
      // What belongs elsewhere goes at once; another moment or file of the same kind stays until it is replaced.
      if (shown !== undefined && shown.subject.slot !== subject.slot) {
        clear();
        onDue();
      }
      const { centre } = subject.bounds;
      const packed = await pack(await worker.give({ slot: subject.slot }), centre, () => mine === turn);
      if (packed === undefined || mine !== turn) return;
      // As our rasterizer: a blur that keeps the light for scenes trained so, and a plain one for the others.
      spark.preBlurAmount = subject.antialiased ? 0 : 0.3;
      spark.blurAmount = subject.antialiased ? 0.3 : 0;
      const mesh = new SplatMesh({
        packedSplats: packed.splats,
        splatEncoding: { ...packed.encoding },
        editable: false,
        raycastable: false,
      });
      mesh.position.set(...centre);
      await mesh.initialized;
      if (mine !== turn) return mesh.dispose();
      clear();
      world.add(mesh);
      shown = { mesh, packed, subject };
      poses = createPoses(worker, subject, (pose) => {
        if (shown?.mesh !== mesh) return;
        repose(packed, pose, centre);
        mesh.needsUpdate = true;
        onDue();
      });
      onDue();
    },
    poseAt: (time) => poses?.want(time),
    resize: (width, height) => renderer.setSize(width, height, false),
    draw: ({ camera, turn: rotation }) => {
      world.quaternion.copy(rotation);
      renderer.render(scene, camera);
      onPicture();
    },
    dispose: () => {
      turn = -1;
      clear();
      spark.dispose();
      renderer.dispose();
      renderer.forceContextLoss();
    },
  };
}
