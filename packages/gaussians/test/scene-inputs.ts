import { type Camera, lookAt } from '@langevin/core';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { onTestFinished } from 'vitest';

/** A view of a scene that is written for a test. */
export interface Shot {
  /** As the scene's files name it. */
  readonly name: string;
  readonly camera: Camera;
  readonly time?: number;
  /** As a transforms.json names it; COLMAP has places for masks. */
  readonly mask?: string;
}

/** A scene before it is written in some format. */
export interface Shots {
  readonly shots: readonly Shot[];
  readonly points?: readonly (readonly [number, number, number])[];
  /** Of all shots. @default PINHOLE */
  readonly model?: 'PINHOLE' | 'SIMPLE_RADIAL' | 'RADIAL' | 'fisheye';
  /** The pose of this shot is not a number. */
  readonly broken?: string;
}

/** A format of scenes: what every reader is held to. */
export interface SceneFormat {
  readonly name: string;
  /** Where pictures are when nobody says otherwise. */
  readonly pictures: string;
  /** Files by path. */
  readonly files: (scene: Shots) => Readonly<Record<string, string | Uint8Array>>;
}

export const SIZE = { width: 12, height: 8 } as const;
const [FX, CX, CY] = [10, 6, 4];

/** Cameras on a circle around a place, level, with z upwards. */
export function ring(
  count: number,
  options: { readonly around?: readonly [number, number, number]; readonly radius?: number } = {},
): Shot[] {
  const { around = [0, 0, 0], radius = 3 } = options;
  return Array.from({ length: count }, (_, i) => {
    const turn = (2 * Math.PI * i) / count;
    return {
      name: `v${i}.png`,
      camera: lookAt({
        ...SIZE,
        fx: FX,
        fy: FX,
        cx: CX,
        cy: CY,
        eye: [around[0] + radius * Math.cos(turn), around[1] + radius * Math.sin(turn), around[2] + radius / 2],
        target: around,
        up: [0, 0, 1],
      }),
    };
  });
}

/** A picture whose red counts columns and whose green counts rows, by twenties; `orientation` is an EXIF tag. */
export async function picture(
  { width, height }: { readonly width: number; readonly height: number },
  options: { readonly orientation?: number; readonly kind?: 'jpeg' | 'png' } = {},
): Promise<Uint8Array> {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return [20 * (pixel % width), 20 * Math.floor(pixel / width), 100][i % 3]!;
  });
  const image = sharp(data, { raw: { width, height, channels: 3 } });
  const tagged = options.orientation === undefined ? image : image.withMetadata({ orientation: options.orientation });
  return new Uint8Array(
    await (options.kind === 'jpeg' ? tagged.jpeg({ quality: 100, chromaSubsampling: '4:4:4' }) : tagged.png()).toBuffer(),
  );
}

/** A grey picture whose left half counts. */
export async function mask({ width, height }: { readonly width: number; readonly height: number }): Promise<Uint8Array> {
  const data = Uint8Array.from({ length: width * height }, (_, i) => (i % width < width / 2 ? 255 : 0));
  return new Uint8Array(
    await sharp(data, { raw: { width, height, channels: 1 } })
      .png()
      .toBuffer(),
  );
}

/** Writes files below a new folder that the test removes. */
export async function folderOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'langevin-scene-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return root;
}

/** COLMAP's (w, x, y, z) of the rotation in [R | t], whatever its trace. */
export function quaternionOf(m: readonly number[]): readonly [number, number, number, number] {
  const at = (row: number, column: number): number => m[4 * row + column]!;
  const squares = [
    1 + at(0, 0) + at(1, 1) + at(2, 2),
    1 + at(0, 0) - at(1, 1) - at(2, 2),
    1 - at(0, 0) + at(1, 1) - at(2, 2),
    1 - at(0, 0) - at(1, 1) + at(2, 2),
  ];
  const largest = squares.indexOf(Math.max(...squares));
  const s = 2 * Math.sqrt(squares[largest]!);
  const differences = [at(2, 1) - at(1, 2), at(0, 2) - at(2, 0), at(1, 0) - at(0, 1)] as const;
  const sums = { xy: at(0, 1) + at(1, 0), xz: at(0, 2) + at(2, 0), yz: at(1, 2) + at(2, 1) };
  if (largest === 0) return [s / 4, differences[0] / s, differences[1] / s, differences[2] / s];
  if (largest === 1) return [differences[0] / s, s / 4, sums.xy / s, sums.xz / s];
  if (largest === 2) return [differences[1] / s, sums.xy / s, s / 4, sums.yz / s];
  return [differences[2] / s, sums.xz / s, sums.yz / s, s / 4];
}

const COLMAP = {
  PINHOLE: { id: 1, name: 'PINHOLE', values: [FX, FX, CX, CY] },
  SIMPLE_RADIAL: { id: 2, name: 'SIMPLE_RADIAL', values: [FX, CX, CY, 0.01] },
  RADIAL: { id: 3, name: 'RADIAL', values: [FX, CX, CY, 0.01, 0.001] },
  fisheye: { id: 5, name: 'OPENCV_FISHEYE', values: [FX, FX, CX, CY, 0.1, 0, 0, 0] },
} as const;

function posesOf({ shots, broken }: Shots): readonly { readonly name: string; readonly values: readonly number[] }[] {
  return shots.map(({ name, camera: { worldToCamera: w } }) => {
    const values = [...quaternionOf(w), w[3]!, w[7]!, w[11]!];
    return { name, values: name === broken ? values.map(() => NaN) : values };
  });
}

export const colmapText: SceneFormat = {
  name: 'COLMAP, text',
  pictures: 'images',
  files: (scene) => {
    const { name, values } = COLMAP[scene.model ?? 'PINHOLE'];
    const images = posesOf(scene).map((shot, i) => `${i + 1} ${shot.values.join(' ')} 1 ${shot.name}\n1.5 2.5 -1\n`);
    const points = (scene.points ?? []).map((point, i) => `${i + 1} ${point.join(' ')} 255 128 0 0.5\n`);
    return {
      'sparse/0/cameras.txt': `# Camera list\n1 ${name} ${SIZE.width} ${SIZE.height} ${values.join(' ')}\n`,
      'sparse/0/images.txt': `# Image list\n${images.join('')}`,
      ...(scene.points && { 'sparse/0/points3D.txt': points.join('') }),
    };
  },
};

export const colmapBinary: SceneFormat = {
  name: 'COLMAP, binary',
  pictures: 'images',
  files: (scene) => {
    const { id, values } = COLMAP[scene.model ?? 'PINHOLE'];
    const poses = posesOf(scene);
    const points = scene.points ?? [];
    return {
      'sparse/0/cameras.bin': bytesOf((put) => {
        put.u64(1);
        put.u32(1);
        put.u32(id);
        put.u64(SIZE.width);
        put.u64(SIZE.height);
        values.forEach(put.f64);
      }),
      'sparse/0/images.bin': bytesOf((put) => {
        put.u64(poses.length);
        for (const [i, pose] of poses.entries()) {
          put.u32(i + 1);
          pose.values.forEach(put.f64);
          put.u32(1);
          put.bytes(new TextEncoder().encode(`${pose.name}\0`));
          put.u64(0);
        }
      }),
      ...(scene.points && {
        'sparse/0/points3D.bin': bytesOf((put) => {
          put.u64(points.length);
          for (const [i, point] of points.entries()) {
            put.u64(i + 1);
            point.forEach(put.f64);
            put.bytes(Uint8Array.of(255, 128, 0));
            put.f64(0.5);
            put.u64(0);
          }
        }),
      }),
    };
  },
};

export const transformsJson: SceneFormat = {
  name: 'transforms.json',
  pictures: '',
  files: (scene) => {
    const lens = {
      PINHOLE: { camera_model: 'OPENCV' },
      SIMPLE_RADIAL: { camera_model: 'SIMPLE_RADIAL', k1: 0.01 },
      RADIAL: { camera_model: 'RADIAL', k1: 0.01, k2: 0.001 },
      fisheye: { is_fisheye: true, k1: 0.1 },
    }[scene.model ?? 'PINHOLE'];
    const frames = scene.shots.map(({ name, camera, time, mask: maskPath }) => ({
      file_path: name,
      ...(time !== undefined && { time }),
      ...(maskPath !== undefined && { mask_path: maskPath }),
      // As Python writes it.
      transform_matrix: name === scene.broken ? 'BROKEN' : openGl(camera),
    }));
    const json = { ...lens, w: SIZE.width, h: SIZE.height, fl_x: FX, fl_y: FX, cx: CX, cy: CY, frames };
    const points = scene.points && { ply_file_path: 'points.ply' };
    const broken = '[[NaN,0,0,0],[0,1,0,-Infinity],[0,0,1,0],[0,0,0,1]]';
    return {
      'transforms.json': JSON.stringify({ ...json, ...points }).replaceAll('"BROKEN"', broken),
      ...(scene.points && {
        'points.ply': [
          'ply',
          'format ascii 1.0',
          `element vertex ${scene.points.length}`,
          ...['x', 'y', 'z'].map((axis) => `property double ${axis}`),
          ...['red', 'green', 'blue'].map((name) => `property uchar ${name}`),
          'end_header',
          ...scene.points.map((point) => `${point.join(' ')} 255 128 0`),
          '',
        ].join('\n'),
      }),
    };
  },
};

/** Camera to world with the axes of OpenGL. */
export function openGl({ worldToCamera: w }: Camera): number[][] {
  const rows = [0, 1, 2].map((axis) => {
    const place = -(w[axis]! * w[3]! + w[4 + axis]! * w[7]! + w[8 + axis]! * w[11]!);
    return [w[axis]!, -w[4 + axis]!, -w[8 + axis]!, place];
  });
  return [...rows, [0, 0, 0, 1]];
}

interface Put {
  readonly u32: (value: number) => void;
  readonly u64: (value: number) => void;
  readonly f64: (value: number) => void;
  readonly bytes: (values: Uint8Array) => void;
}

function bytesOf(write: (put: Put) => void): Uint8Array {
  const out: number[] = [];
  const view = new DataView(new ArrayBuffer(8));
  const push = (length: number): void => void out.push(...new Uint8Array(view.buffer, 0, length));
  write({
    u32: (value) => (view.setUint32(0, value, true), push(4)),
    u64: (value) => (view.setBigUint64(0, BigInt(value), true), push(8)),
    f64: (value) => (view.setFloat64(0, value, true), push(8)),
    bytes: (values) => void out.push(...values),
  });
  return Uint8Array.from(out);
}
