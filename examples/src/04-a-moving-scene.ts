// Photographs of a jellyfish that swims, with the time of each: a scene to train a motion on (langevin splat train). SCENE is the folder
// that is written (default: a temporary one), SIZE the side of the pictures in pixels.
import type { Camera } from '@langevin/core';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuRasterizer, turntable, type Gaussians } from '@langevin/gaussians';
import { writeImage } from '@langevin/io/node';

const SIZE = Number(process.env['SIZE'] ?? 24);
const [DOME, TENTACLES, JOINTS, SAND] = [1400, 12, 50, 900];
const SH_C0 = 0.28209479177387814;

type Vector = readonly [number, number, number];
interface Drop {
  readonly at: Vector;
  readonly size: number;
  readonly color: Vector;
}

/** One Gaussian for each drop; y points down. */
function gaussiansOf(drops: readonly Drop[]): Gaussians {
  const count = drops.length;
  return {
    count,
    degree: 0,
    means: Float32Array.from(drops.flatMap(({ at }) => at)),
    quaternions: Float32Array.from({ length: 4 * count }, (_, i) => (i % 4 === 0 ? 1 : 0)),
    logScales: Float32Array.from(drops.flatMap(({ size }) => [Math.log(size), Math.log(size), Math.log(size)])),
    opacityLogits: new Float32Array(count).fill(2.5),
    sh: Float32Array.from(drops.flatMap(({ color }) => color.map((value) => (value - 0.5) / SH_C0))),
  };
}

/** The jellyfish pulses once and rises meanwhile; its tentacles follow in waves. */
function jellyfish(time: number): Gaussians {
  const pulse = Math.sin(2 * Math.PI * time);
  const height = 0.35 + 0.5 * time;
  const drops: Drop[] = [];
  for (let i = 0; i < DOME; i++) {
    // A spiral from the top to a little below the equator: evenly spread.
    const up = 1 - (1.25 * (i + 0.5)) / DOME;
    const around = i * Math.PI * (3 - Math.sqrt(5));
    const across = 0.52 * Math.sqrt(1 - up * up) * (1 + 0.2 * pulse * (1 - up));
    const stripe = Math.cos(8 * around) > 0 ? 1 : 0;
    drops.push({
      at: [across * Math.cos(around), -(height + 0.42 * up * (1 - 0.15 * pulse)), across * Math.sin(around)],
      size: 0.026,
      color: [0.85 - 0.25 * stripe, 0.35 + 0.3 * up, 0.65 + 0.3 * stripe],
    });
  }
  for (let i = 0; i < TENTACLES; i++) {
    const around = (2 * Math.PI * i) / TENTACLES;
    for (let joint = 0; joint < JOINTS; joint++) {
      const down = joint / JOINTS;
      const out = 0.44 * (1 + 0.25 * pulse) - 0.1 * down + 0.12 * down * Math.sin(2 * Math.PI * (time - down) + i);
      const turn = around + 0.5 * down * Math.sin(2 * Math.PI * (time - 0.7 * down));
      drops.push({
        at: [out * Math.cos(turn), -(height - 0.1 - 0.75 * down), out * Math.sin(turn)],
        size: 0.03 - 0.015 * down,
        color: [0.95 - 0.6 * down, 0.75, 0.45 + 0.5 * down],
      });
    }
  }
  for (let i = 0; i < SAND; i++) {
    const [around, out] = [i * Math.PI * (3 - Math.sqrt(5)), 1.1 * Math.sqrt(i / SAND)];
    const dark = Math.sin(9 * out * Math.cos(around)) * Math.sin(9 * out * Math.sin(around)) > 0;
    drops.push({
      at: [out * Math.cos(around), 0.62, out * Math.sin(around)],
      size: 0.034,
      color: dark ? [0.45, 0.36, 0.22] : [0.85, 0.76, 0.55],
    });
  }
  return gaussiansOf(drops);
}

/** Camera to world in the axes of OpenGL, as transforms.json has it. */
function openGl({ worldToCamera: w }: Camera): number[][] {
  const rows = [0, 1, 2].map((axis) => [
    w[axis]!,
    -w[4 + axis]!,
    -w[8 + axis]!,
    -(w[axis]! * w[3]! + w[4 + axis]! * w[7]! + w[8 + axis]! * w[11]!),
  ]);
  return [...rows, [0, 0, 0, 1]];
}

const folder = process.env['SCENE'] ?? (await mkdtemp(join(tmpdir(), 'jellyfish-')));
const rasterizer = cpuRasterizer();
const circle = (frames: number, elevation: number): readonly Camera[] =>
  turntable({ centre: [0, -0.22, 0], radius: 1.35 }, { frames, width: SIZE, height: SIZE, elevation, fieldOfView: 45 });
const cameras = { train: [...circle(8, 15), ...circle(5, 45)], test: circle(7, 28) };
for (const [split, places] of Object.entries(cameras)) {
  // Held out: other places, and times between those that are trained on.
  const times = split === 'train' ? [0, 1, 2, 3, 4, 5, 6, 7, 8].map((i) => i / 8) : [1, 3, 5, 7, 9, 11, 13].map((i) => i / 16);
  const frames: object[] = [];
  await mkdir(join(folder, split), { recursive: true });
  for (const [t, time] of times.entries()) {
    const scene = jellyfish(time);
    for (const [i, camera] of places.entries()) {
      if (split === 'test' && i !== t) continue;
      const { color, alpha } = await rasterizer.render(scene, camera);
      const name = `${split}/t${t}-v${i}`;
      const data = Uint8Array.from({ length: 4 * SIZE * SIZE }, (_, at) => {
        const pixel = at >> 2;
        // Colours are stored as if nothing shone through.
        return Math.round(
          255 * Math.min(1, at % 4 === 3 ? alpha[pixel]! : color[3 * pixel + (at % 4)]! / Math.max(alpha[pixel]!, 1 / 255)),
        );
      });
      await writeImage(join(folder, `${name}.png`), { width: SIZE, height: SIZE, channels: 4, data });
      frames.push({ file_path: name, time, transform_matrix: openGl(camera) });
    }
  }
  await writeFile(
    join(folder, `transforms_${split}.json`),
    JSON.stringify({ camera_angle_x: 2 * Math.atan(SIZE / 2 / places[0]!.fx), frames }),
  );
  console.log(`${split}: ${frames.length} views of ${SIZE}x${SIZE} at ${times.length} times`);
}
const [first, last] = [jellyfish(0), jellyfish(1)];
console.log(
  `the top rises by ${(first.means[1]! - last.means[1]!).toFixed(2)}, sand by `
    + `${(first.means.at(-2)! - last.means.at(-2)!).toFixed(2)}: ${folder}`,
);
await rasterizer.dispose();
