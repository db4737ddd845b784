import type { Camera } from '@langevin/core';
import { playback } from '@langevin/gaussians';
import { PerspectiveCamera, Vector3 } from 'three';
import { describe, expect, it } from 'vitest';
import { stillLife } from '../src/built-in/still-life.ts';
import { swayingStalks } from '../src/built-in/swaying.ts';
import { boxAround } from '../src/files/asset.ts';
import { intentOf } from '../src/files/dropped.ts';
import { bounds, bytes, figure, plain } from '../src/page/format.ts';
import { frustum, placeOf, toCamera, uprightTurn, upOf } from '../src/stage/lens.ts';
import { createCurve } from '../src/train/curve.ts';

describe('what was dropped', () => {
  const files = (...paths: readonly string[]) => paths.map((path) => ({ path, file: new File([], path) }));

  it.each([
    [
      'a COLMAP folder',
      files('garden/sparse/0/cameras.bin', 'garden/sparse/0/images.bin', 'garden/images/a.png'),
      'garden',
      ['sparse/0/cameras.bin', 'sparse/0/images.bin', 'images/a.png'],
    ],
    [
      'one within another',
      files('all/colmap/sparse/0/cameras.txt', 'all/images/a.png', 'notes.md'),
      'all',
      ['colmap/sparse/0/cameras.txt', 'images/a.png'],
    ],
    ['a model on its own', files('cameras.bin', 'images/a.png'), 'scene', ['cameras.bin', 'images/a.png']],
    ['transforms.json', files('lego/transforms_train.json', 'lego/train/r_0.png'), 'lego', ['transforms_train.json', 'train/r_0.png']],
  ])('is a scene: %s', (_, given, name, paths) => {
    const intent = intentOf(given);
    expect(intent).toMatchObject({ kind: 'scene', name });
    expect(intent.kind === 'scene' && intent.files.map(({ path }) => path)).toEqual(paths);
  });

  it('is a file of Gaussians, also among others, or nothing that can be read', () => {
    expect(intentOf(files('cloud.spz'))).toMatchObject({ kind: 'asset', file: { name: 'cloud.spz' } });
    expect(intentOf(files('out/cloud.ply', 'out/report.html'))).toMatchObject({ kind: 'asset' });
    expect(() => intentOf(files('a.ply', 'b.spz'))).toThrow('2 files of Gaussians, such as a.ply and b.spz. Open one at a time.');
    expect(() => intentOf(files('a.md', 'b.md'))).toThrow('2 files, but nothing that says from where they were taken');
    expect(() => intentOf([])).toThrow('Nothing was dropped');
  });
});

describe('photographs without poses', () => {
  const files = (...paths: readonly string[]) => paths.map((path) => ({ path, file: new File([], path.split('/').at(-1)!) }));

  it('are told what is missing, and what makes it', () => {
    const missing = 'transforms.json or a COLMAP model (sparse/0 with cameras.bin or cameras.txt) is missing. COLMAP, or ns-process-data';
    expect(() => intentOf(files('garden/a.jpg', 'garden/b.JPG', 'garden/notes.md'))).toThrow(
      `2 pictures, such as garden/a.jpg, but nothing that says from where they were taken: ${missing}`,
    );
    expect(() => intentOf(files('a.png'))).toThrow(
      'a.png is a picture, not a file of Gaussians. To train on photographs, choose their folder',
    );
    expect(() => intentOf(files('images/a.jpg', 'sparse/0/images.bin'))).toThrow(missing);
  });

  it('but with models under any number are a scene from its top', () => {
    const intent = intentOf(files('church/sparse/1/cameras.bin', 'church/sparse/1/images.bin', 'church/images/a.jpg'));
    expect(intent).toMatchObject({ kind: 'scene', name: 'church' });
    expect(intent.kind === 'scene' && intent.files.map(({ path }) => path)).toEqual([
      'sparse/1/cameras.bin',
      'sparse/1/images.bin',
      'images/a.jpg',
    ]);
  });
});

describe('the lens', () => {
  it('our camera puts a point where three puts it, however the scene is turned', () => {
    const camera = new PerspectiveCamera(40, 3 / 2, 0.1, 100);
    camera.position.set(1, 2, 5);
    camera.lookAt(0.2, 0.1, -0.3);
    for (const up of [
      [0, -1, 0],
      [0, 1, 0],
      [0.3, -0.5, 0.8],
    ] as const) {
      const turn = uprightTurn(up);
      const { fx, fy, cx, cy, worldToCamera: w } = toCamera(camera, turn, { width: 300, height: 200 });
      for (const point of [
        [0, 0, 0],
        [0.5, -0.4, 0.3],
        [-1, 0.2, 0.7],
      ] as const) {
        const seen = new Vector3(...point).applyQuaternion(turn).project(camera);
        const [x, y, z] = [0, 1, 2].map(
          (row) => w[4 * row]! * point[0] + w[4 * row + 1]! * point[1] + w[4 * row + 2]! * point[2] + w[4 * row + 3]!,
        ) as [number, number, number];
        expect([(fx * x) / z + cx, (fy * y) / z + cy]).toEqual([
          expect.closeTo(((seen.x + 1) / 2) * 300, 6),
          expect.closeTo(((1 - seen.y) / 2) * 200, 6),
        ]);
      }
    }
  });

  it('what is up in photographs is up on the stage, and their pyramids look forward', () => {
    // At z = -3, looking along z, the picture's top towards -y.
    const camera: Camera = { width: 40, height: 20, fx: 20, fy: 20, cx: 20, cy: 10, worldToCamera: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3] };
    expect(upOf([camera, camera]).map((value) => value / 2)).toEqual([0, -1, 0]);
    const turn = uprightTurn(upOf([camera]));
    const { eye, forward, fieldOfView } = placeOf(camera, turn);
    expect(fieldOfView).toBeCloseTo((2 * Math.atan(0.5) * 180) / Math.PI, 10);
    const [tip, a, b, , d] = frustum(camera, turn, 1);
    expect(tip!.distanceTo(eye)).toBeCloseTo(0, 12);
    expect(a!.distanceTo(b!)).toBeCloseTo(1, 12);
    expect(a!.y).toBeGreaterThan(d!.y);
    expect(
      a!
        .clone()
        .add(frustum(camera, turn, 1)[3]!)
        .sub(eye)
        .sub(eye)
        .dot(forward),
    ).toBeGreaterThan(0);
  });
});

describe('curves', () => {
  const points = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => ({ step: from + i + 1, loss: 1, psnr: from + i + 1, count: 5, milliseconds: 1 }));

  it('stay short however long a training runs, and keep their mean', () => {
    const curve = createCurve(50);
    for (let step = 0; step < 3000; step += 10) curve.add(points(step, step + 10));
    const [steps, loss, psnr] = curve.columns();
    expect(steps.length).toBeLessThanOrEqual(51);
    expect(steps.at(-1)).toBe(3000);
    expect(loss.every((value) => value === 1)).toBe(true);
    // The last bin's mean is near its last step.
    expect(psnr.at(-1)).toBeGreaterThan(2900);
    expect([...steps]).toEqual([...steps].sort((a, b) => a - b));
  });

  it('take measured views at their steps', () => {
    const curve = createCurve();
    curve.measure(0, 10);
    curve.add(points(0, 3));
    curve.measure(2, 11);
    curve.measure(2, 12);
    expect(curve.columns()).toEqual([
      [0, 1, 2, 3],
      [null, 1, 1, 1],
      [null, 1, 2, 3],
      [10, null, 12, null],
    ]);
  });
});

describe('what is built in', () => {
  it('the still life is finite and stands on its disc', () => {
    const still = stillLife();
    expect(
      [still.means, still.quaternions, still.logScales, still.opacityLogits, still.sh].every((array) => array.every(Number.isFinite)),
    ).toBe(true);
    expect(boxAround(still).high[1]).toBeCloseTo(0.62, 6);
  });

  it('stalks sway above the ground, which stays', () => {
    const { cloud, deformation } = swayingStalks();
    const at = playback(cloud, deformation!);
    const [start, later] = [at(0), at(0.25)];
    const moved = (row: number): number =>
      Math.hypot(...[0, 1, 2].map((axis) => later.means[3 * row + axis]! - start.means[3 * row + axis]!));
    const rows = Array.from({ length: cloud.count }, (_, row) => row);
    const ground = rows.filter((row) => cloud.means[3 * row + 1]! > 0.79);
    const high = rows.filter((row) => cloud.means[3 * row + 1]! < -0.5);
    expect(Math.max(...ground.map(moved))).toBe(0);
    expect(Math.min(...high.map(moved))).toBeGreaterThan(0.1);
    // A whole turn comes back.
    expect(Math.max(...at(1).means.map((value, i) => Math.abs(value - start.means[i]!)))).toBeLessThan(1e-5);
  });
});

describe('words and numbers', () => {
  it.each([
    [999, '999 B'],
    [12_345, '12.3 kB'],
    [1_500_000, '1.50 MB'],
    [2.5e9, '2.50 GB'],
  ])('%d bytes are %s', (value, expected) => expect(bytes(value)).toBe(expected));
  it.each([
    [0, '0'],
    [12.345, '12.3'],
    [-0.5, '−0.500'],
    [123456, '1.2e+5'],
    [0.0001, '1.0e-4'],
  ])('%d is %s', (value, expected) => expect(figure(value)).toBe(expected));

  it('a box says its sides and its middle; a message loses the place in the code', () => {
    expect(bounds({ low: [-1, 0, -2], high: [1, 3, -1] })).toBe('2.00 × 3.00 × 1.00, around (0.00, 1.50, −1.50)');
    expect(plain('[io/splats] cloud.ply is truncated: size=3. Use it whole.')).toBe('cloud.ply is truncated: size=3. Use it whole.');
    expect(plain('[demo/scene] file is not there: path=a.png.')).toBe('File is not there: path=a.png.');
  });
});
