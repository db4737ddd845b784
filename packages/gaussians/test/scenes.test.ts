import { type Camera, cameraPosition, lookAt } from '@langevin/core';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  backProject,
  distort,
  gaussiansFromPoints,
  holdOutGap,
  meanSquaredDistances,
  parseColmapBinary,
  parseColmapText,
  parseTransforms,
  pointsFromDepth,
  randomPoints,
  sceneExtent,
  splitViews,
  undistort,
  undistortedPinhole,
  undistortImage,
  type ColmapFiles,
} from '@langevin/gaussians';
import { loadScene } from '@langevin/gaussians/node';
import { writeImage } from '@langevin/io/node';
import { counterGenerator } from '@langevin/tensor';
import { describe, expect, it, onTestFinished } from 'vitest';

const hex = (text: string): Uint8Array => Uint8Array.from(text.match(/[0-9a-f]{2}/g)!, (byte) => parseInt(byte, 16));

/** A COLMAP model written by hand: one camera of each kind of number, two images, two points. */
const GOLDEN: Required<ColmapFiles<Uint8Array>> = {
  // 1 camera: id 7, OPENCV (4), 4 x 2, fx 8, fy 16, cx 2, cy 1, k1 0.5, k2 0.25, p1 -0.5, p2 0.125
  cameras: hex(`0100000000000000 07000000 04000000 0400000000000000 0200000000000000
    0000000000002040 0000000000003040 0000000000000040 000000000000f03f
    000000000000e03f 000000000000d03f 000000000000e0bf 000000000000c03f`),
  // 2 images: id 1, q (1, 0, 0, 0), t (1, 2, 3), camera 7, "a.png", one point seen at (0, 0); id 2, q (0, 0, 0, 2), t 0, "b/c.png", none
  images: hex(`0200000000000000
    01000000 000000000000f03f 0000000000000000 0000000000000000 0000000000000000
    000000000000f03f 0000000000000040 0000000000000840 07000000 612e706e6700
    0100000000000000 0000000000000000 0000000000000000 ffffffffffffffff
    02000000 0000000000000000 0000000000000000 0000000000000000 0000000000000040
    0000000000000000 0000000000000000 0000000000000000 07000000 622f632e706e6700
    0000000000000000`),
  // 2 points: (1, -1, 0.5) colour ff8000, track of one; (0, 2, 4) colour 000102, no track
  points: hex(`0200000000000000
    0100000000000000 000000000000f03f 000000000000f0bf 000000000000e03f ff8000 0000000000000000 0100000000000000 01000000 00000000
    0200000000000000 0000000000000000 0000000000000040 0000000000001040 000102 0000000000000000 0000000000000000`),
};
const TEXT: Required<ColmapFiles<string>> = {
  cameras: '# Camera list\n7 OPENCV 4 2 8 16 2 1 0.5 0.25 -0.5 0.125\n',
  images: '# Image list\n1 1 0 0 0 1 2 3 7 a.png\n0 0 -1\n2 0 0 0 2 0 0 0 7 b/c.png\n\n',
  points: '1 1 -1 0.5 255 128 0 0 1 0\n2 0 2 4 0 1 2 0\n',
};

describe('COLMAP', () => {
  const model = parseColmapBinary(GOLDEN);

  it('binary, byte by byte', () => {
    expect([...model.cameras]).toEqual([[7, { width: 4, height: 2, fx: 8, fy: 16, cx: 2, cy: 1, k1: 0.5, k2: 0.25, p1: -0.5, p2: 0.125 }]]);
    expect(model.images).toEqual([
      { name: 'a.png', cameraId: 7, worldToCamera: [1, 0, 0, 1, 0, 1, 0, 2, 0, 0, 1, 3] },
      // Half a turn about z; the quaternion has length 2.
      { name: 'b/c.png', cameraId: 7, worldToCamera: [-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1, 0] },
    ]);
    expect(model.points).toEqual({
      count: 2,
      positions: Float64Array.of(1, -1, 0.5, 0, 2, 4),
      colors: Uint8Array.of(255, 128, 0, 0, 1, 2),
    });
  });

  it('text says the same', () => {
    expect(parseColmapText(TEXT)).toEqual(model);
  });

  it.each(['cameras', 'images', 'points'] as const)('a file of %s cut anywhere is refused, and nothing else is thrown', (name) => {
    for (let length = 0; length < GOLDEN[name].length; length++) {
      expect(() => parseColmapBinary({ ...GOLDEN, [name]: GOLDEN[name].subarray(0, length) }), String(length)).toThrow(
        /^\[gaussians\/(scenes|colmap)\]/,
      );
    }
  });

  it('random damage is read or refused, never a crash or a large allocation', () => {
    const random = counterGenerator({ seed: 9, stream: [] });
    let refused = 0;
    for (let round = 0; round < 3000; round++) {
      const name = (['cameras', 'images', 'points'] as const)[round % 3]!;
      const bytes = GOLDEN[name].slice();
      for (const place of random.integers(1 + (round % 4), { low: 0, high: bytes.length }))
        bytes[place] = random.integers(1, { low: 0, high: 256 })[0]!;
      try {
        parseColmapBinary({ ...GOLDEN, [name]: bytes });
      } catch (error) {
        refused++;
        expect((error as Error).message).toMatch(/^\[gaussians\/(scenes|colmap)\] /);
      }
    }
    expect(refused).toBeGreaterThan(500);
  });

  it('hostile counts are refused before memory is taken', () => {
    const points = GOLDEN.points.slice();
    points.set(hex('ffffffffffff0f00'));
    expect(() => parseColmapBinary({ ...GOLDEN, points })).toThrow(
      'points3D.bin is damaged at byte 8: number of points=4503599627370495 needs at least',
    );
  });

  it('lenses that are not read, names that lead out, poses that are none', () => {
    const fisheye = GOLDEN.cameras.slice();
    fisheye[12] = 5;
    expect(() => parseColmapBinary({ ...GOLDEN, cameras: fisheye })).toThrow(
      'camera model is not read: model=OPENCV_FISHEYE, file=cameras.bin. Read are SIMPLE_PINHOLE, PINHOLE, SIMPLE_RADIAL, RADIAL, OPENCV;',
    );
    // Only a camera that no image uses may be of any kind.
    expect(parseColmapText({ ...TEXT, cameras: `${TEXT.cameras}8 FISHEYE_OF_TOMORROW 4 2 1 1 1\n` }).cameras.size).toBe(1);
    expect(parseColmapText({ ...TEXT, images: TEXT.images.replace('1 1 0 0 0', '1 0 0 0 0') }).leftOut).toEqual([
      { name: 'a.png', reason: 'the pose is no pose' },
    ]);
    expect(() => parseColmapText({ ...TEXT, images: TEXT.images.replace('3 7 a.png', '3 8 a.png') })).toThrow(
      'image names a camera that is not there: image="a.png", camera=8',
    );
    const { images, leftOut } = parseColmapText({ ...TEXT, cameras: '7 PINHOLE 4 2 8 16 2\n' });
    expect([images.length, leftOut[0]?.reason]).toEqual([
      0,
      'camera 7 cannot be used: camera has another number of parameters: PINHOLE has 4 (fx, fy, cx, cy), found 3, cameras.txt line 1. '
        + 'Export the model again.',
    ]);
  });
});

describe('lenses', () => {
  const lens = { width: 64, height: 48, fx: 60, fy: 62, cx: 31, cy: 25, k1: -0.2, k2: 0.05, p1: 0.003, p2: -0.002 };

  it('distortion is inverted', () => {
    for (const point of [
      [0, 0],
      [0.5, -0.3],
      [-0.4, 0.4],
    ] as const) {
      const [x, y] = undistort(lens, distort(lens, point));
      expect(Math.hypot(x - point[0], y - point[1])).toBeLessThan(1e-9);
    }
    expect(() => undistort({ ...lens, k1: -3, k2: 0 }, [0.9, 0.9])).toThrow('[gaussians/lens] distortion cannot be inverted: k1=-3');
  });

  it('a ramp of directions comes out straight, with no pixel from beyond the picture', () => {
    const pinhole = undistortedPinhole(lens);
    const value = (x: number): number => 128 + 150 * x;
    const image = { width: 64, height: 48, channels: 1 as const, data: new Uint8Array(64 * 48) };
    for (let y = 0; y < 48; y++)
      for (let x = 0; x < 64; x++)
        image.data[y * 64 + x] = Math.round(value(undistort(lens, [(x + 0.5 - lens.cx) / lens.fx, (y + 0.5 - lens.cy) / lens.fy])[0]));
    const straight = undistortImage(image, lens, pinhole);
    let worst = 0;
    for (let y = 0; y < 48; y++)
      for (let x = 0; x < 64; x++)
        worst = Math.max(worst, Math.abs(straight.data[y * 64 + x]! - value((x + 0.5 - pinhole.cx) / pinhole.fx)));
    // Two roundings.
    expect(worst).toBeLessThan(1.2);
  });
});

describe('transforms.json', () => {
  const frame = {
    file_path: './images/r_0',
    transform_matrix: [
      [1, 0, 0, 5],
      [0, 0, -1, 6],
      [0, 1, 0, 7],
      [0, 0, 0, 1],
    ],
  };

  it('turns OpenGL poses into world to camera', () => {
    const { frames } = parseTransforms({ camera_angle_x: Math.PI / 2, frames: [frame] });
    expect(frames[0]).toMatchObject({ imagePath: 'images/r_0' });
    const camera = { ...frames[0]!.lens({ width: 100, height: 80 }), worldToCamera: frames[0]!.worldToCamera };
    expect(camera).toMatchObject({ cx: 50, cy: 40 });
    expect(camera.fx).toBeCloseTo(50, 9);
    expect(camera.fy).toBeCloseTo(50, 9);
    expect(cameraPosition(camera)).toEqual([5, 6, 7]);
    // It looks along minus its z column: (0, 1, 0); its y column points up, down is (0, 0, -1).
    expect(camera.worldToCamera.slice(8, 11).map((value) => value + 0)).toEqual([0, 1, 0]);
    expect(camera.worldToCamera.slice(4, 7).map((value) => value + 0)).toEqual([0, 0, -1]);
  });

  it('takes the numbers of a frame before those of the file', () => {
    const { frames, heldOut } = parseTransforms({
      fl_x: 10,
      fl_y: 11,
      cx: 1,
      cy: 2,
      w: 4,
      h: 3,
      k1: 0.1,
      frames: [{ ...frame, fl_x: 20, mask_path: 'm.png' }],
      test_filenames: ['./images/r_0'],
    });
    expect(frames[0]!.lens({ width: 4, height: 3 })).toEqual({
      width: 4,
      height: 3,
      fx: 20,
      fy: 11,
      cx: 1,
      cy: 2,
      k1: 0.1,
      k2: 0,
      p1: 0,
      p2: 0,
    });
    expect(frames[0]!.maskPath).toBe('m.png');
    expect(heldOut).toEqual(['images/r_0']);
  });

  it.each([
    [{ frames: [] }, 'transforms.json has the wrong form: frames'],
    [{ frames: [{ ...frame, file_path: 'a\0.png' }] }, 'names no file: path="a\\u0000.png"'],
    [{ camera_model: 'OPENCV_FISHEYE', frames: [frame] }, 'camera_model=OPENCV_FISHEYE'],
    [{ k3: 1, frames: [frame] }, 'k3=1'],
    [
      {
        frames: [
          {
            ...frame,
            transform_matrix: [
              [1, 0, 0, 0],
              [1, 1, 0, 0],
              [0, 0, 1, 0],
            ],
          },
        ],
      },
      'is no rotation',
    ],
    [
      {
        frames: [
          {
            ...frame,
            transform_matrix: [
              [0, 0, 0, 0],
              [0, 1, 0, 0],
              [0, 0, 1, 0],
            ],
          },
        ],
      },
      'is no pose',
    ],
    [{ fl_x: -1, frames: [frame] }, 'fl_x'],
    ['text', 'has the wrong form'],
  ])('refuses %j', (value, message) => {
    expect(() => parseTransforms(value)).toThrow(message);
  });

  it('a file without a focal length says so when asked', () => {
    expect(() => parseTransforms({ frames: [frame] }).frames[0]!.lens({ width: 1, height: 1 })).toThrow('has no focal length');
  });
});

describe('beginnings', () => {
  it('neighbours are those that a search over all pairs finds', () => {
    const positions = counterGenerator({ seed: 4, stream: [] }).normal(3 * 300);
    positions.copyWithin(30, 0, 3);
    const expected = Array.from({ length: 300 }, (_, i) => {
      const distances = Array.from({ length: 300 }, (_, j) =>
        i === j ? Infinity : [0, 1, 2].reduce((sum, axis) => sum + (positions[3 * i + axis]! - positions[3 * j + axis]!) ** 2, 0),
      );
      return (
        distances
          .sort((a, b) => a - b)
          .slice(0, 3)
          .reduce((a, b) => a + b, 0) / 3
      );
    });
    const found = meanSquaredDistances(positions);
    for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 12);
    expect([...meanSquaredDistances(Float32Array.of(1, 2, 3))]).toEqual([0]);
    expect([...meanSquaredDistances(Float32Array.of(0, 0, 0, 0, 3, 4))]).toEqual([25, 25]);
  });

  it('a Gaussian begins as wide as its neighbours are far, in its colour', () => {
    const { logScales, opacityLogits, sh, degree } = gaussiansFromPoints(
      { count: 2, positions: Float32Array.of(0, 0, 0, 0, 3, 4), colors: Uint8Array.of(255, 0, 128, 0, 0, 0) },
      { degree: 1 },
    );
    expect(Math.exp(logScales[0]!)).toBeCloseTo(5, 5);
    expect(1 / (1 + Math.exp(-opacityLogits[1]!))).toBeCloseTo(0.1, 6);
    expect([degree, sh.length]).toEqual([1, 24]);
    expect([0, 1, 2].map((c) => 0.5 + 0.28209479177387814 * sh[c]!)).toEqual([
      expect.closeTo(1, 6),
      expect.closeTo(0, 6),
      expect.closeTo(128 / 255, 6),
    ]);
    expect(() => gaussiansFromPoints({ count: 0, positions: new Float32Array(0), colors: new Uint8Array(0) })).toThrow(
      'no point to start from',
    );
  });

  it('pixels with depth go where the camera sees them', () => {
    const camera = { width: 4, height: 2, fx: 2, fy: 2, cx: 2, cy: 1, worldToCamera: [0, 0, 1, 0, 0, 1, 0, 0, -1, 0, 0, 5] };
    const point = backProject(camera, { x: 3.5, y: 0.5, z: 2 });
    const at = (row: number): number =>
      [0, 1, 2].reduce((sum, axis) => sum + camera.worldToCamera[4 * row + axis]! * point[axis]!, camera.worldToCamera[4 * row + 3]!);
    expect([(2 * at(0)) / at(2) + 2, (2 * at(1)) / at(2) + 1, at(2)]).toEqual([expect.closeTo(3.5, 12), expect.closeTo(0.5, 12), 2]);
    const view = {
      name: 'v',
      camera,
      image: { width: 4, height: 2, channels: 3 as const, data: Uint8Array.from({ length: 24 }, (_, i) => i) },
      depth: Float32Array.of(0, 0, 0, 2, 0, 0, 0, 0),
    };
    expect(pointsFromDepth([view], { stride: 1 })).toEqual({
      count: 1,
      positions: Float32Array.from(point),
      colors: Uint8Array.of(9, 10, 11),
    });
    // Of pictures of any kind; what is transparent is no point.
    const grey = { width: 4, height: 2, channels: 1 as const, data: Uint8Array.from({ length: 8 }, (_, i) => i) };
    expect([...pointsFromDepth([{ ...view, image: grey }], { stride: 1 }).colors]).toEqual([3, 3, 3]);
    const half = { width: 4, height: 2, channels: 2 as const, data: Uint8Array.of(0, 0, 0, 0, 9, 127, 5, 128, 0, 0, 0, 0, 0, 0, 0, 0) };
    const two = { ...view, image: half, depth: Float32Array.of(0, 0, 2, 2, 0, 0, 0, 0) };
    expect([...pointsFromDepth([two], { stride: 1 }).colors]).toEqual([5, 5, 5]);
    expect(() => pointsFromDepth([{ ...view, depth: new Float32Array(8) }])).toThrow('no pixel has a depth');
  });

  it('random points fill their box', () => {
    const { positions } = randomPoints({ count: 1000, halfSide: 2, centre: [10, 0, 0], random: counterGenerator({ seed: 1, stream: [] }) });
    const x = positions.filter((_, i) => i % 3 === 0);
    expect([Math.min(...x) > 8, Math.max(...x) < 12, Math.min(...x) < 8.1]).toEqual([true, true, true]);
  });

  it('views are divided by name, the extent is 1.1 of the farthest camera', () => {
    const views = Array.from({ length: 10 }, (_, i) => ({ name: `v${9 - i}.png` }));
    expect(splitViews(views).test.map(({ name }) => name)).toEqual(['v0.png', 'v8.png']);
    expect(splitViews(views, { names: ['v3', 'v4.png'] }).test.map(({ name }) => name)).toEqual(['v3.png', 'v4.png']);
    expect(splitViews(views, 'none').train.length).toBe(10);
    expect(() => splitViews(views, { names: ['v33'] })).toThrow('no view of that name to hold out: "v33".');
    const camera = (x: number) => ({
      width: 1,
      height: 1,
      fx: 1,
      fy: 1,
      cx: 0,
      cy: 0,
      worldToCamera: [1, 0, 0, -x, 0, 1, 0, 0, 0, 0, 1, 0],
    });
    expect(sceneExtent([camera(0), camera(4)])).toBeCloseTo(2.2, 12);
    expect(sceneExtent([camera(3)])).toBe(1);
  });

  it('views that are held out beyond the others are told from those between them', () => {
    // Three rings of eight, as a turntable takes them: every 8th is a whole meridian.
    const ring = (i: number): { readonly name: string; readonly camera: Camera } => {
      const [turn, tilt] = [(i % 8) * (Math.PI / 4), (Math.floor(i / 8) - 1) * 0.33];
      return {
        name: `v${String(i).padStart(2, '0')}`,
        camera: lookAt({
          width: 8,
          height: 8,
          fx: 8,
          fy: 8,
          cx: 4,
          cy: 4,
          eye: [4 * Math.cos(turn) * Math.cos(tilt), 4 * Math.sin(tilt), 4 * Math.sin(turn) * Math.cos(tilt)],
          target: [0, 0, 0],
        }),
      };
    };
    const views = Array.from({ length: 24 }, (_, i) => ring(i));
    expect(holdOutGap(splitViews(views))).toBeGreaterThan(2);
    expect(holdOutGap(splitViews(views, { names: ['v11', 'v13'] }))).toBeCloseTo(1, 6);
    expect(holdOutGap(splitViews(views, 'none'))).toBeUndefined();
    // All from one place.
    expect(holdOutGap({ train: [ring(0), ring(0)], test: [ring(1)] })).toBeUndefined();
  });
});

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'langevin-scene-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

describe('scenes from disk', () => {
  it('a COLMAP folder: images shrunk, straightened, with their cameras', async () => {
    const path = await folder();
    await mkdir(join(path, 'sparse/0'), { recursive: true });
    await mkdir(join(path, 'images/b'), { recursive: true });
    for (const [name, content] of [
      ['cameras', GOLDEN.cameras],
      ['images', GOLDEN.images],
      ['points3D', GOLDEN.points],
    ] as const)
      await writeFile(join(path, 'sparse/0', `${name}.bin`), content);
    for (const name of ['a.png', 'b/c.png'])
      await writeImage(join(path, 'images', name), { width: 4, height: 2, channels: 3, data: new Uint8Array(24).fill(77) });
    const scene = await loadScene(path, { downscale: 2 });
    expect([scene.train.length, scene.test.length, scene.points?.count]).toEqual([2, 0, 2]);
    expect(scene.train[0]).toMatchObject({
      name: 'a.png',
      camera: { width: 2, height: 1 },
      image: { width: 2, height: 1, channels: 3, data: new Uint8Array(6).fill(77) },
    });
    expect(await loadScene(path, { images: join(path, 'elsewhere') }).catch(String)).toMatch(
      /no view of the scene can be used: path=.*, 2 of 2 views are left out, its picture is not in .*elsewhere: a\.png, b\/c\.png\./,
    );
  });

  it('a Blender folder: alpha stays, the test file is held out', async () => {
    const path = await folder();
    const frame = (name: string) => ({
      file_path: `./${name}`,
      transform_matrix: [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 4],
        [0, 0, 0, 1],
      ],
    });
    await writeFile(join(path, 'transforms_train.json'), JSON.stringify({ camera_angle_x: 1, frames: [frame('t0'), frame('t1')] }));
    await writeFile(join(path, 'transforms_test.json'), JSON.stringify({ camera_angle_x: 1, frames: [frame('e0')] }));
    for (const name of ['t0', 't1', 'e0'])
      await writeImage(join(path, `${name}.png`), { width: 2, height: 2, channels: 4, data: new Uint8Array(16).fill(100) });
    const scene = await loadScene(path);
    expect([scene.train.map(({ name }) => name), scene.test.map(({ name }) => name), scene.points]).toEqual([
      ['t0', 't1'],
      ['e0'],
      undefined,
    ]);
    expect(scene.train[0]!.image.channels).toBe(4);
  });

  it('a nerfstudio folder: training begins at the points that it names', async () => {
    const path = await folder();
    const json = {
      camera_angle_x: 1,
      ply_file_path: './sparse_pc.ply',
      frames: [0, 1].map((i) => ({
        file_path: `r_${i}.png`,
        transform_matrix: [
          [1, 0, 0, i],
          [0, 1, 0, 0],
          [0, 0, 1, 4],
          [0, 0, 0, 1],
        ],
      })),
    };
    await writeFile(join(path, 'transforms.json'), JSON.stringify(json));
    for (const i of [0, 1])
      await writeImage(join(path, `r_${i}.png`), { width: 2, height: 2, channels: 3, data: new Uint8Array(12).fill(100) });
    const without = await loadScene(path);
    expect([without.points, without.remarks]).toEqual([
      undefined,
      ['the points that transforms.json names are not there: ply_file_path=sparse_pc.ply'],
    ]);
    const head = [
      'ply',
      'format ascii 1.0',
      'element vertex 3',
      ...['x', 'y', 'z'].map((name) => `property float ${name}`),
      ...['red', 'green', 'blue'].map((name) => `property uint8 ${name}`),
      'end_header',
    ];
    await writeFile(join(path, 'sparse_pc.ply'), [...head, '1 2 3 255 0 0', '4 5 6 0 255 0', '7 8 9 0 0 255', ''].join('\n'));
    const { points } = await loadScene(path);
    expect([points?.count, [...points!.positions], [...points!.colors]]).toEqual([
      3,
      [1, 2, 3, 4, 5, 6, 7, 8, 9],
      [255, 0, 0, 0, 255, 0, 0, 0, 255],
    ]);
    await writeFile(join(path, 'sparse_pc.ply'), head.join('\n'));
    await expect(loadScene(path)).rejects.toThrow(/points to begin with cannot be read: .*sparse_pc\.ply/);
  });

  it('what is no scene', async () => {
    const path = await folder();
    await writeFile(join(path, 'notes.txt'), 'x');
    await expect(loadScene(path)).rejects.toThrow(/neither a COLMAP model nor a transforms\.json: .*found notes\.txt/);
    await expect(loadScene('/nowhere')).rejects.toThrow('no scene there: path=/nowhere');
  });

  const data = join(
    process.env['LANGEVIN_DATA'] ?? fileURLToPath(new URL('../../../../shared/data', import.meta.url)),
    'splat-scenes',
    'scene256',
  );
  const there = existsSync(data);
  if (!there) console.warn(`[test] skipped: no scene at ${data}; set LANGEVIN_DATA to the folder that has splat-scenes/scene256.`);
  it.runIf(there)('the real scene of 24 views', async () => {
    const scene = await loadScene(data, { holdOut: { names: ['v011'] } });
    expect([scene.train.length, scene.test[0]?.name, scene.points?.count]).toEqual([23, 'v011.png', 5000]);
    expect(scene.train[0]!.camera).toMatchObject({ width: 256, height: 256, cx: 128, cy: 128 });
    // Its cameras look at its points.
    const [u, v, z] = project(scene.train[0]!.camera, scene.points!.positions.subarray(0, 3));
    expect(z).toBeGreaterThan(0);
    expect(Math.hypot(u - 128, v - 128)).toBeLessThan(128);
  });
});

function project(
  camera: { readonly fx: number; readonly fy: number; readonly cx: number; readonly cy: number; readonly worldToCamera: readonly number[] },
  point: ArrayLike<number>,
): readonly [number, number, number] {
  const at = (row: number): number =>
    [0, 1, 2].reduce((sum, axis) => sum + camera.worldToCamera[4 * row + axis]! * point[axis]!, camera.worldToCamera[4 * row + 3]!);
  return [(camera.fx * at(0)) / at(2) + camera.cx, (camera.fy * at(1)) / at(2) + camera.cy, at(2)];
}
