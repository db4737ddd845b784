import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuRasterizer, imageOf, sceneBounds, turntable } from '@langevin/gaussians';
import { writeImage } from '@langevin/io/node';
import { swayingStalks } from '../../src/built-in/swaying.ts';

/**
 * A folder with a transforms.json and six small photographs of the stalks; cameras are written in OpenGL's axes, as nerfstudio does.
 *
 * @param times of the photographs. @default they have none
 */
export async function photographedFolder(side: number, times?: readonly number[]): Promise<string> {
  const folder = join(await mkdtemp(join(tmpdir(), 'langevin-demo-')), 'stalks');
  await mkdir(join(folder, 'images'), { recursive: true });
  const { cloud } = swayingStalks();
  const rasterizer = cpuRasterizer({ threads: 1 });
  const frames = [];
  for (const [i, camera] of turntable(sceneBounds(cloud), { frames: 6, width: side, height: side, distance: 3 }).entries()) {
    const { color } = await rasterizer.render(cloud, camera);
    await writeImage(join(folder, 'images', `${i}.png`), imageOf(color, camera));
    frames.push({
      file_path: `images/${i}.png`,
      fl_x: camera.fx,
      fl_y: camera.fy,
      cx: camera.cx,
      cy: camera.cy,
      w: side,
      h: side,
      ...(times && { time: times[i] }),
      transform_matrix: toWorld(camera.worldToCamera),
    });
  }
  await rasterizer.dispose();
  await writeFile(join(folder, 'transforms.json'), JSON.stringify({ frames }));
  return folder;
}

/** Camera to world, with y and z of the camera the other way round. */
function toWorld(w: readonly number[]): readonly (readonly number[])[] {
  const rotation = (row: number, column: number): number => w[4 * column + row]! * (column === 0 ? 1 : -1);
  const position = (row: number): number => -(w[row]! * w[3]! + w[4 + row]! * w[7]! + w[8 + row]! * w[11]!);
  return [...[0, 1, 2].map((row) => [rotation(row, 0), rotation(row, 1), rotation(row, 2), position(row)]), [0, 0, 0, 1]];
}
