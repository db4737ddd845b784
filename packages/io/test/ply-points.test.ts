import { readPlyPoints } from '@langevin/io/splats';
import { expect, it } from 'vitest';

const head = (lines: readonly string[], format = 'ascii'): string => ['ply', `format ${format} 1.0`, ...lines, 'end_header', ''].join('\n');
const AXES = ['property float x', 'property float y', 'property float z'];
const BYTES = ['property uchar red', 'property uchar green', 'property uchar blue'];
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const plain = ({ count, positions, colors }: Awaited<ReturnType<typeof readPlyPoints>>) => ({
  count,
  positions: [...positions],
  colors: [...colors],
});

it('points are found by name, with faces after them, in text', async () => {
  const lines = ['element vertex 2', ...BYTES, 'property float nx', ...AXES, 'element face 1', 'property list uchar int vertex_indices'];
  expect(plain(await readPlyPoints(text(`${head(lines)}255 0 7 0 1 2 3\n1 2 3 0 -4.5 5 6e1\n3 0 1 1\n`)))).toEqual({
    count: 2,
    positions: [1, 2, 3, -4.5, 5, 60],
    colors: [255, 0, 7, 1, 2, 3],
  });
});

it('and in binary, as Open3D writes them, with doubles for places', async () => {
  const lines = ['element vertex 2', ...AXES.map((line) => line.replace('float', 'double')), ...BYTES];
  const header = text(head(lines, 'binary_little_endian'));
  const bytes = new Uint8Array(header.length + 2 * 27);
  bytes.set(header);
  const view = new DataView(bytes.buffer, header.length);
  [0.1, -2, 3, 4, 5, 6].forEach((value, i) => view.setFloat64(Math.floor(i / 3) * 27 + (i % 3) * 8, value, true));
  [9, 8, 7, 6, 5, 4].forEach((value, i) => view.setUint8(Math.floor(i / 3) * 27 + 24 + (i % 3), value));
  expect(plain(await readPlyPoints(bytes))).toEqual({
    count: 2,
    positions: [0.1, -2, 3, 4, 5, 6],
    colors: [9, 8, 7, 6, 5, 4],
  });
});

it('colours may be shares of one, be called diffuse, or be missing', async () => {
  const of = async (names: readonly string[], row: string): Promise<readonly number[]> => [
    ...(await readPlyPoints(text(`${head(['element vertex 1', ...AXES, ...names])}${row}\n`))).colors,
  ];
  expect(
    await of(
      ['red', 'green', 'blue'].map((name) => `property float ${name}`),
      '0 0 0 1 0.5 -3',
    ),
  ).toEqual([255, 128, 0]);
  expect(
    await of(
      ['red', 'green', 'blue'].map((name) => `property uchar diffuse_${name}`),
      '0 0 0 1 2 3',
    ),
  ).toEqual([1, 2, 3]);
  expect(await of([], '0 0 0')).toEqual([128, 128, 128]);
});

it.each([
  [
    '2^32 points in a few bytes',
    head(['element vertex 4294967296', ...AXES], 'binary_little_endian'),
    /is truncated: elements \(vertex: 4294967296\) need at least 51539607552 bytes/,
  ],
  ['no places', `${head(['element vertex 1', 'property float x'])}1\n`, /without vertices that have x, y and z: elements=vertex/],
  ['a point at infinity', `${head(['element vertex 2', ...AXES])}0 0 0 1 inf 2\n`, /has a point that is nowhere: row=1, y=Infinity/],
  ['text that ends', `${head(['element vertex 2', ...AXES])}0 0 0 1 2\n     `, /truncated: the text ends before the last number/],
  ['another file', 'no points', /without end_header in its size=9 bytes\. It is truncated or not a PLY file/],
])('refuses %s', async (_name, content, message) => {
  await expect(readPlyPoints(text(content))).rejects.toThrow(message);
});
