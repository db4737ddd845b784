import type { Camera } from '@langevin/core';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cpuRasterizer, imageOf, turntable, type Gaussians } from '@langevin/gaussians';
import { writeImage } from '@langevin/io/node';

export const COUNT = 12;

/** Twelve coloured blobs on a helix. */
export function blobs(): Gaussians {
  const rows = <T>(make: (i: number) => readonly T[]): T[] => Array.from({ length: COUNT }, (_, i) => make(i)).flat();
  return {
    count: COUNT,
    degree: 0,
    means: Float32Array.from(rows((i) => [Math.cos(i), i / 6 - 1, Math.sin(i)])),
    quaternions: Float32Array.from(rows(() => [1, 0, 0, 0])),
    logScales: new Float32Array(3 * COUNT).fill(Math.log(0.25)),
    opacityLogits: new Float32Array(COUNT).fill(3),
    sh: Float32Array.from(rows((i) => [Math.sin(i), Math.sin(2 * i), Math.cos(i)])),
  };
}

/** The upper half of the helix rises by 0.8. */
export function blobsAt(time: number): Gaussians {
  const still = blobs();
  return { ...still, means: still.means.map((value, i) => value - (i % 3 === 1 && i < 3 * (COUNT / 2) ? 0.8 * time : 0)) };
}

/**
 * A transforms.json in which every frame has its time: eight cameras at the first moment, four at three others; the last frame is held out.
 */
export async function writeMovingScene(root: string): Promise<string> {
  const folder = join(root, 'walk');
  await mkdir(join(folder, 'images'), { recursive: true });
  const rasterizer = cpuRasterizer({ threads: 1 });
  const circle = turntable({ centre: [0, 0, 0], radius: 1.8 }, { frames: 8, width: 24, height: 20 });
  const shots = [10, 10.5, 11, 12].flatMap((seconds) =>
    circle.filter((_, i) => seconds === 10 || i % 2 === 0).map((camera, i) => ({ seconds, camera, name: `images/s${seconds}-${i}.png` })),
  );
  for (const { seconds, camera, name } of shots)
    await writeImage(join(folder, name), imageOf((await rasterizer.render(blobsAt((seconds - 10) / 2), camera)).color, camera));
  await rasterizer.dispose();
  const { fx, fy, cx, cy, width, height } = circle[0]!;
  const frames = shots.map(({ seconds, camera, name }) => ({ file_path: name, time: seconds, transform_matrix: openGl(camera) }));
  await writeFile(
    join(folder, 'transforms.json'),
    JSON.stringify({ fl_x: fx, fl_y: fy, cx, cy, w: width, h: height, frames, test_filenames: [shots[9]!.name, shots.at(-1)!.name] }),
  );
  return folder;
}

/** Camera to world with the axes of OpenGL. */
function openGl({ worldToCamera: w }: Camera): number[][] {
  const rows = [0, 1, 2].map((axis) => {
    const place = -(w[axis]! * w[3]! + w[4 + axis]! * w[7]! + w[8 + axis]! * w[11]!);
    return [w[axis]!, -w[4 + axis]!, -w[8 + axis]!, place];
  });
  return [...rows, [0, 0, 0, 1]];
}
