import type { Camera } from '@langevin/core';
import { join } from 'node:path';
import { cpuRasterizer, gaussiansFromPoints, imageOf, turntable, type Gaussians } from '@langevin/gaussians';
import { makeFolder, writeFileAtomic, writeImage } from '@langevin/io/node';
import { counterGenerator, UserError } from '@langevin/tensor';
import { readdir } from 'node:fs/promises';
import type { Command } from 'commander';
import { integer } from '../../arguments.ts';
import { stopHere } from '../../stopping.ts';
import { line, type Terminal } from '../../terminal.ts';

interface ExampleOptions {
  readonly views: number;
  readonly side: number;
  readonly threads?: number;
  readonly json?: true;
}

/** Circles of cameras, in degrees above the horizon. */
const ELEVATIONS = [12, 35, 60];

const AFTER_HELP = `
Examples:
  langevin splat example scenes/balls
  langevin splat train scenes/balls --steps 600 --out balls.ply
  langevin splat render balls.ply --out balls.gif

The pictures are rendered: balls of several colours on a chequered floor. The folder has images/ and a transforms.json, as nerfstudio
writes it.`;

export function addSplatExample(program: Command, terminal: Terminal): void {
  program
    .command('example')
    .description('Write a small scene with posed pictures, to try training on.')
    .argument('<folder>', 'where it goes; made, or empty')
    .option('--views <n>', 'pictures, on three circles around the scene', integer(9, 300), 36)
    .option('--side <n>', 'pixels of a side of the pictures', integer(16, 2048), 160)
    .option('--threads <n>', 'threads that draw (default: all cores, 8 at most)', integer(1, 64))
    .option('--json', 'one JSON document on stdout at the end')
    .addHelpText('after', AFTER_HELP)
    .action((folder: string, options: ExampleOptions) => writeExample(folder, options, terminal));
}

async function writeExample(folder: string, { views, side, threads, json }: ExampleOptions, terminal: Terminal): Promise<void> {
  await makeFolder(folder);
  const there = await readdir(folder);
  if (there.length > 0)
    throw new UserError(
      `[cli/splat] folder is not empty: folder=${folder}, first=${JSON.stringify(there[0])}. Choose another, or empty it.`,
    );
  await makeFolder(join(folder, 'images'));
  const truth = balls();
  const cameras = ELEVATIONS.flatMap((elevation, circle) => {
    const frames = Math.floor((views + circle) / ELEVATIONS.length);
    return turntable({ centre: [0, -0.25, 0], radius: 1.25 }, { frames, width: side, height: side, elevation });
  });
  const rasterizer = cpuRasterizer(threads === undefined ? {} : { threads });
  const names = cameras.map((_, i) => `images/${String(i + 1).padStart(3, '0')}.png`);
  try {
    for (const [i, camera] of cameras.entries()) {
      await stopHere(terminal, () => `pictures done=${i} of ${cameras.length}`);
      await writeImage(join(folder, names[i]!), imageOf((await rasterizer.render(truth, camera)).color, camera));
    }
  } finally {
    await rasterizer.dispose();
  }
  const { fx, fy, cx, cy } = cameras[0]!;
  const frames = cameras.map((camera, i) => ({ file_path: names[i]!, transform_matrix: cameraToWorld(camera) }));
  // Last, as the scene is whole with it.
  await writeFileAtomic(
    join(folder, 'transforms.json'),
    `${JSON.stringify({ fl_x: fx, fl_y: fy, cx, cy, w: side, h: side, frames }, undefined, 1)}\n`,
  );
  if (json) return line(terminal, JSON.stringify({ folder, views: cameras.length, side, gaussians: truth.count }));
  line(terminal, `${folder}: ${cameras.length} pictures of ${side}x${side} with their poses`);
  line(terminal, `train on it  langevin splat train ${folder} --steps 600 --out balls.ply`);
}

/** Balls on a floor, of small round Gaussians on their surfaces. */
function balls(): Gaussians {
  const random = counterGenerator({ seed: 5, stream: [1] });
  const [positions, colors]: [number[], number[]] = [[], []];
  const dot = (at: readonly [number, number, number], color: readonly [number, number, number]): void => {
    positions.push(...at);
    colors.push(...color);
  };
  for (let x = -1; x <= 1; x += 0.04)
    for (let z = -1; z <= 1; z += 0.04)
      if (x * x + z * z <= 1) dot([x, 0, z], (Math.floor(4 * x) + Math.floor(4 * z)) % 2 === 0 ? [226, 222, 210] : [58, 66, 84]);
  for (const { at, radius, color } of BALLS) {
    const count = Math.round(9000 * radius * radius);
    const directions = random.normal(3 * count);
    for (let i = 0; i < count; i++) {
      const [x, y, z] = directions.subarray(3 * i, 3 * i + 3) as unknown as [number, number, number];
      const length = Math.hypot(x, y, z);
      // Lighter from above, so that a ball looks round.
      const light = 0.62 - (0.38 * y) / length;
      dot(
        [at[0] + (radius * x) / length, -radius + (radius * y) / length, at[1] + (radius * z) / length],
        [light * color[0], light * color[1], light * color[2]],
      );
    }
  }
  const count = positions.length / 3;
  return gaussiansFromPoints(
    { count, positions: Float32Array.from(positions), colors: Uint8Array.from(colors, (value) => Math.min(255, Math.round(value))) },
    { degree: 0, opacity: 0.95, scale: 0.022 },
  );
}

const BALLS: readonly {
  readonly at: readonly [number, number];
  readonly radius: number;
  readonly color: readonly [number, number, number];
}[] = [
  { at: [0, 0], radius: 0.34, color: [235, 94, 52] },
  { at: [0.55, 0.25], radius: 0.2, color: [63, 111, 224] },
  { at: [-0.5, 0.35], radius: 0.16, color: [242, 196, 61] },
  { at: [-0.3, -0.6], radius: 0.24, color: [74, 176, 110] },
  { at: [0.45, -0.5], radius: 0.13, color: [170, 92, 200] },
];

/** Camera to world with the axes of OpenGL, as transforms.json has it. */
function cameraToWorld({ worldToCamera: w }: Camera): readonly (readonly number[])[] {
  const rows = [0, 1, 2].map((axis) => {
    const place = -(w[axis]! * w[3]! + w[4 + axis]! * w[7]! + w[8 + axis]! * w[11]!);
    return [w[axis]!, -w[4 + axis]!, -w[8 + axis]!, place];
  });
  return [...rows, [0, 0, 0, 1]];
}
