import type { AssetWorker } from '../files/asset.worker.ts';
import type { Remote } from '../rpc.ts';
import { toCamera } from './lens.ts';
import { BACKDROP, type Painter, type PainterEvents, type Subject, type Viewpoint } from './painter.ts';

/** Pixels of a picture: as many as the CPU draws at the pace of a hand. */
const MOST_PIXELS = 260_000;

/** Draws with our own rasterizer in a worker, where there is no WebGL 2, or to compare. The Gaussians are there already. */
export function rasterPainter(worker: Remote<AssetWorker>, { onPicture, onDue }: PainterEvents): Painter {
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { alpha: false })!;
  let busy = false;
  let wanted: Viewpoint | undefined;
  let disposed = false;
  let subject: Subject | undefined;
  let time = 0;

  const draw = async (viewpoint: Viewpoint): Promise<void> => {
    const { width, height } = canvas;
    if (subject === undefined) return;
    const pixels = await worker.draw({
      slot: subject.slot,
      time,
      camera: toCamera(viewpoint.camera, viewpoint.turn, { width, height }),
      background: BACKDROP,
    });
    // Of another size when the stage was resized meanwhile; the next one fits.
    if (disposed || pixels.length !== 4 * canvas.width * canvas.height) return;
    context.putImageData(new ImageData(pixels, width, height), 0, 0);
    onPicture();
  };
  // One picture at a time, and of those that were asked for meanwhile the last.
  const next = (): void => {
    if (busy || disposed || wanted === undefined) return;
    const viewpoint = wanted;
    wanted = undefined;
    busy = true;
    void draw(viewpoint).finally(() => {
      busy = false;
      next();
    });
  };
  return {
    name: 'Langevin rasterizer',
    canvas,
    show: async (given) => {
      subject = given;
      time = 0;
      onDue();
    },
    poseAt: (given) => {
      time = given;
      onDue();
    },
    resize: (width, height) => {
      const shrink = Math.min(1, Math.sqrt(MOST_PIXELS / Math.max(1, width * height)));
      canvas.width = Math.max(1, Math.round(width * shrink));
      canvas.height = Math.max(1, Math.round(height * shrink));
    },
    draw: (viewpoint) => {
      wanted = viewpoint;
      next();
    },
    dispose: () => {
      disposed = true;
    },
  };
}
