import { type Camera, lookAt } from '@langevin/core';
import {
  backProject,
  cpuRasterizer,
  imageOf,
  pictureOf,
  pointsFromDepth,
  psnr,
  readScene,
  undistort,
  type LensCamera,
  type Rasterizer,
  type SceneFolder,
} from '@langevin/gaussians';
import type { Image } from '@langevin/io';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blobs } from './tiny-scene.ts';

let rasterizer: Rasterizer;
beforeAll(() => void (rasterizer = cpuRasterizer({ threads: 1 })));
afterAll(() => rasterizer.dispose());

/** A folder in memory. */
function folderOf(
  texts: Readonly<Record<string, string>>,
  images: Readonly<Record<string, Image>>,
  depths: Readonly<Record<string, { readonly width: number; readonly height: number; readonly data: Uint16Array }>> = {},
): SceneFolder {
  return {
    name: 'memory',
    has: (path) => Promise.resolve(path in texts || path in images || path in depths),
    bytes: (path) => Promise.resolve(new TextEncoder().encode(texts[path])),
    image: (path, { channels }) => {
      const { width, height, data, channels: own } = images[path]!;
      if (channels === 'grey') return Promise.resolve(images[path]!);
      return Promise.resolve({
        width,
        height,
        channels: 4,
        data: Uint8Array.from({ length: 4 * width * height }, (_, i) => (i % 4 === 3 ? 255 : data[own * (i >> 2) + (i % 4)]!)),
      });
    },
    depth: (path) => Promise.resolve(depths[path]!),
    label: (path) => path,
    names: () => Promise.resolve(Object.keys(texts)),
  };
}

/** So many blobs have details of a few pixels. */
const FINE = 600;
const SIZE = { width: 64, height: 48 } as const;
const EYE = lookAt({ ...SIZE, fx: 60, fy: 60, cx: 32, cy: 24, eye: [0.5, -0.8, -3.4], target: [0, 0, 0] });
const POSE = EYE.worldToCamera;

/** COLMAP's (w, x, y, z) and translation; the trace is not near -1 here. */
function colmapPose(m: readonly number[]): string {
  const w = Math.sqrt(1 + m[0]! + m[5]! + m[10]!) / 2;
  return [w, (m[9]! - m[6]!) / (4 * w), (m[2]! - m[8]!) / (4 * w), (m[4]! - m[1]!) / (4 * w), m[3], m[7], m[11]].join(' ');
}

/** What a lens sees of the blobs: a finer pinhole's picture, looked up where the lens looks. */
async function photograph(lens: LensCamera): Promise<Image> {
  const fine: Camera = { width: 640, height: 480, fx: 400, fy: 400, cx: 320, cy: 240, worldToCamera: POSE };
  const { color } = await rasterizer.render(blobs(FINE), fine);
  const data = new Uint8Array(3 * lens.width * lens.height);
  for (let y = 0; y < lens.height; y++) {
    for (let x = 0; x < lens.width; x++) {
      const [dx, dy] = undistort(lens, [(x + 0.5 - lens.cx) / lens.fx, (y + 0.5 - lens.cy) / lens.fy]);
      const at = Math.floor(fine.fy * dy + fine.cy) * fine.width + Math.floor(fine.fx * dx + fine.cx);
      for (let c = 0; c < 3; c++) data[3 * (y * lens.width + x) + c] = Math.round(255 * Math.min(1, color[3 * at + c]!));
    }
  }
  return { width: lens.width, height: lens.height, channels: 3, data };
}

describe('photographs of lenses', () => {
  it.each([
    ['SIMPLE_RADIAL', '60 32 24 -0.15', { fx: 60, fy: 60, k1: -0.15, k2: 0, p1: 0, p2: 0 }],
    ['RADIAL', '60 32 24 0.12 -0.03', { fx: 60, fy: 60, k1: 0.12, k2: -0.03, p1: 0, p2: 0 }],
    ['OPENCV', '60 58 32 24 -0.1 0.02 0.01 -0.015', { fx: 60, fy: 58, k1: -0.1, k2: 0.02, p1: 0.01, p2: -0.015 }],
  ] as const)('become those of pinholes: %s of COLMAP, and the same in a transforms.json', async (model, parameters, numbers) => {
    const lens = { ...SIZE, cx: 32, cy: 24, ...numbers };
    const image = await photograph(lens);
    const colmap = folderOf(
      {
        'sparse/0/cameras.txt': `1 ${model} 64 48 ${parameters}\n`,
        'sparse/0/images.txt': `1 ${colmapPose(POSE)} 1 a.png\n\n`,
        'sparse/0/points3D.txt': '',
      },
      { 'images/a.png': image },
    );
    const rows = [0, 1, 2].map((i) => [
      POSE[i]!,
      -POSE[4 + i]!,
      -POSE[8 + i]!,
      -(POSE[i]! * POSE[3]! + POSE[4 + i]! * POSE[7]! + POSE[8 + i]! * POSE[11]!),
    ]);
    const { fx, fy, ...rest } = numbers;
    const json = folderOf(
      {
        'transforms.json': JSON.stringify({
          camera_model: 'OPENCV',
          w: 64,
          h: 48,
          fl_x: fx,
          fl_y: fy,
          cx: 32,
          cy: 24,
          ...rest,
          frames: [{ file_path: 'a.png', transform_matrix: [...rows, [0, 0, 0, 1]] }],
        }),
      },
      { 'a.png': image },
    );
    for (const folder of [colmap, json]) {
      const [view] = (await readScene(folder)).train;
      expect(view!.camera.fx).not.toBeCloseTo(fx, 1);
      const against = async (camera: Camera): Promise<number> =>
        psnr((await rasterizer.render(blobs(FINE), camera)).color, pictureOf(view!.image, [0, 0, 0]));
      const read = await against(view!.camera);
      expect(read).toBeGreaterThan(27);
      // A reader that leaves the distortion in has these numbers.
      expect(read - (await against({ ...view!.camera, fx, fy, cx: 32, cy: 24 }))).toBeGreaterThan(5);
    }
  });
});

it('masks are found where COLMAP puts them', async () => {
  const image = imageOf((await rasterizer.render(blobs(), EYE)).color, EYE);
  const grey = { ...SIZE, channels: 1 as const, data: Uint8Array.from({ length: 64 * 48 }, (_, i) => (i % 64 < 32 ? 255 : 0)) };
  const texts = {
    'sparse/0/cameras.txt': '1 PINHOLE 64 48 60 60 32 24\n',
    'sparse/0/images.txt': `1 ${colmapPose(POSE)} 1 a.jpg\n\n`,
    'sparse/0/points3D.txt': '',
  };
  for (const name of ['masks/a.jpg.png', 'masks/a.png', 'masks/a.jpg']) {
    const [view] = (await readScene(folderOf(texts, { 'images/a.jpg': image, [name]: grey }), { downscale: 2 })).train;
    expect([...view!.mask!.subarray(14, 18)]).toEqual([255, 255, 0, 0]);
  }
  expect((await readScene(folderOf(texts, { 'images/a.jpg': image }))).train[0]!.mask).toBeUndefined();
});

it('depth maps come with their views, in world units, and give points', async () => {
  const image = imageOf((await rasterizer.render(blobs(), EYE)).color, EYE);
  const data = Uint16Array.from({ length: 64 * 48 }, (_, i) => (i % 64 < 8 ? 0 : 2000 + (i % 64)));
  const frame = {
    file_path: 'a.png',
    depth_file_path: 'd.png',
    transform_matrix: [
      [1, 0, 0, 0],
      [0, -1, 0, 0],
      [0, 0, -1, 0],
      [0, 0, 0, 1],
    ],
  };
  const file = { fl_x: 60, cx: 32, cy: 24, w: 64, h: 48, frames: [frame] };
  const read = async (more: object): Promise<Float32Array> =>
    (
      await readScene(
        folderOf({ 'transforms.json': JSON.stringify({ ...file, ...more }) }, { 'a.png': image }, { 'd.png': { ...SIZE, data } }),
        { downscale: 2 },
      )
    ).train[0]!.depth!;
  const depth = await read({});
  expect(depth.length).toBe(32 * 24);
  // The middle of a pixel of half the size lies at the left edge of the second of its two.
  expect([...depth.subarray(3, 6)]).toEqual([0, 2.009, 2.011].map(Math.fround));
  expect((await read({ depth_unit_scale_factor: 1 }))[5]).toBe(2011);
  const scene = await readScene(folderOf({ 'transforms.json': JSON.stringify(file) }, { 'a.png': image }, { 'd.png': { ...SIZE, data } }));
  const { count, positions } = pointsFromDepth(scene.train, { stride: 16 });
  // Columns 8, 24, 40 and 56, all of them known.
  expect(count).toBe(12);
  const wanted = backProject(scene.train[0]!.camera, { x: 8.5, y: 8.5, z: 2.008 });
  expect([...positions.subarray(0, 3)].map((value, i) => Math.abs(value - wanted[i]!) < 1e-6)).toEqual([true, true, true]);
  const small = folderOf(
    { 'transforms.json': JSON.stringify(file) },
    { 'a.png': image },
    { 'd.png': { width: 9, height: 2, data: new Uint16Array(18) } },
  );
  await expect(readScene(small)).rejects.toThrow('depth map is not of the shape of its image: view "a.png", depth map 9x2, image 64x48.');
});
