import { UnsupportedError, UserError } from '@langevin/tensor';
import type { ByteSource } from '../safetensors/byte-source.ts';
import type { ShDegree, SplatCloud } from './cloud.ts';
import { allocateCloud, bytesInMemory, shCoefficients } from './cloud.ts';
import { finishCloud } from './finish.ts';
import type { SplatFormat } from './format.ts';
import type { ReadRequest, SplatEncodeOptions } from './options.ts';
import type { PlyElement, PlyHeader } from './ply-header.ts';
import { readPlyHeader } from './ply-header.ts';
import type { PlyTarget } from './ply-rows.ts';
import { checkPlySize, readPlyRows } from './ply-rows.ts';
import { isCompressedPly, readCompressedRows } from './compressed-ply-rows.ts';
import { cleanComments } from './comments.ts';

/**
 * The layout of the first paper on 3D Gaussians (Kerbl et al. 2023), which every tool reads: an element `vertex` whose properties are found
 * by their names, in any order, of any number type. `f_rest_*` is channel-major: all of red, then green, then blue.
 */
export const plyFormat: SplatFormat = {
  name: 'ply',
  extensions: ['.ply'],
  keeps: 'everything, bit for bit; comments',
  loses: 'nothing',
  bytesPerGaussian: (degree) => bytesInMemory(degree) + 12,
  matches: (head) => /^ply\r?\n/.test(String.fromCharCode(...head.subarray(0, 5))),
  read: readPly,
  encode: encodePly,
};

/** The comment by which brush and splat-transform mark clouds that were trained with the compensation of Mip-Splatting. */
const MIP_COMMENT = 'SplatRenderMode: mip';

async function readPly(request: ReadRequest): Promise<SplatCloud> {
  const header = await readPlyHeader(request.source);
  if (isCompressedPly(header)) return readCompressedRows(request, header);
  return readInriaRows(request, header);
}

async function readInriaRows(request: ReadRequest, header: PlyHeader): Promise<SplatCloud> {
  const { source } = request;
  const vertex = vertexOf(header, source.label);
  const degree = degreeOf(vertex, source.label);
  checkPlySize(source, header, ['vertex']);
  const cloud = allocateCloud(source.label, vertex.count, degree);
  await readPlyRows(source, header, new Map([['vertex', targetsOf(cloud, vertex, source)]]));
  const antialiased = header.comments.includes(MIP_COMMENT) ? { antialiased: true } : {};
  return finishCloud(cloud, request, {
    format: 'ply',
    comments: header.comments.filter((comment) => comment !== MIP_COMMENT),
    ...antialiased,
  });
}

const REQUIRED = [
  'x',
  'y',
  'z',
  'f_dc_0',
  'f_dc_1',
  'f_dc_2',
  'opacity',
  'scale_0',
  'scale_1',
  'scale_2',
  'rot_0',
  'rot_1',
  'rot_2',
  'rot_3',
];

function vertexOf(header: PlyHeader, label: string): PlyElement {
  const vertex = header.elements.find(({ name }) => name === 'vertex');
  if (vertex === undefined) throw new UserError(`[io/splats] ${label} is a PLY file without the element "vertex". It holds no Gaussians.`);
  const missing = REQUIRED.filter((name) => !vertex.properties.has(name));
  if (missing.length === 0) return vertex;
  const hint = missing.includes('scale_0') ? 'It holds points or a mesh, not Gaussians.' : 'It was written by a tool with another layout.';
  throw new UserError(`[io/splats] ${label} has PLY vertices without properties=${missing.join(', ')}. ${hint}`);
}

/** From the number of `f_rest_*`: 3 ((degree + 1)^2 - 1). */
function degreeOf(vertex: PlyElement, label: string): ShDegree {
  const rest = [...vertex.properties.keys()].filter((name) => /^f_rest_\d+$/.test(name)).length;
  const degree = [0, 9, 24, 45].indexOf(rest);
  if (rest === 72)
    throw new UnsupportedError(`[io/splats] ${label} has spherical harmonics of degree 4: f_rest count=72. Save it with degree 3 at most.`);
  if (degree < 0)
    throw new UserError(
      `[io/splats] ${label} has a number of spherical harmonics that no degree has: f_rest count=${rest}, expected 0, 9, 24 or 45. `
        + 'It is damaged.',
    );
  for (let i = 0; i < rest; i++)
    if (!vertex.properties.has(`f_rest_${i}`))
      throw new UserError(`[io/splats] ${label} lacks PLY property=f_rest_${i} among its ${rest}. It is damaged.`);
  return degree as ShDegree;
}

/** What goes where, for a file that is read and one that is written: property name, array, place in its row. */
export function inriaColumns(
  cloud: SplatCloud,
): readonly { readonly name: string; readonly array: Float32Array; readonly offset: number; readonly stride: number }[] {
  const k = shCoefficients(cloud.degree);
  const rest = Array.from({ length: 3 * (k - 1) }, (_, i) => {
    const channel = Math.floor(i / (k - 1));
    const coefficient = 1 + (i % (k - 1));
    return { name: `f_rest_${i}`, array: cloud.sh, offset: 3 * coefficient + channel, stride: 3 * k };
  });
  const columns = (names: readonly string[], array: Float32Array, stride: number): typeof rest =>
    names.map((name, offset) => ({ name, array, offset, stride }));
  return [
    ...columns(['x', 'y', 'z'], cloud.means, 3),
    ...columns(['f_dc_0', 'f_dc_1', 'f_dc_2'], cloud.sh, 3 * k),
    ...rest,
    ...columns(['opacity'], cloud.opacityLogits, 1),
    ...columns(['scale_0', 'scale_1', 'scale_2'], cloud.logScales, 3),
    ...columns(['rot_0', 'rot_1', 'rot_2', 'rot_3'], cloud.quaternions, 4),
  ];
}

function targetsOf(cloud: SplatCloud, vertex: PlyElement, source: ByteSource): PlyTarget[] {
  return inriaColumns(cloud).map(({ name, array, offset, stride }) => {
    const property = vertex.properties.get(name);
    if (property === undefined) throw new UserError(`[io/splats] ${source.label} lacks PLY property=${name}. It is damaged.`);
    return { property, into: array, offset, stride };
  });
}

const ROWS_PER_PIECE = 4096;

function* encodePly(cloud: SplatCloud, options: SplatEncodeOptions): Generator<Uint8Array, void> {
  const columns = [...inriaColumns(cloud)];
  if ((options.normals ?? 'zero') === 'zero') {
    const zeros = { array: new Float32Array(1), offset: 0, stride: 0 };
    columns.splice(3, 0, ...['nx', 'ny', 'nz'].map((name) => ({ name, ...zeros })));
  }
  yield new TextEncoder().encode(
    headerText(
      cloud,
      columns.map(({ name }) => name),
      options,
    ),
  );
  for (let first = 0; first < cloud.count; first += ROWS_PER_PIECE) {
    const rows = Math.min(ROWS_PER_PIECE, cloud.count - first);
    const values = new Float32Array(rows * columns.length);
    columns.forEach(({ array, offset, stride }, column) => {
      for (let row = 0, to = column, from = offset + first * stride; row < rows; row++, to += columns.length, from += stride)
        values[to] = array[from]!;
    });
    yield new Uint8Array(values.buffer);
  }
}

function headerText(cloud: SplatCloud, names: readonly string[], options: SplatEncodeOptions): string {
  const comments = cleanComments(options.comments ?? cloud.metadata?.comments ?? []);
  if (cloud.metadata?.antialiased === true) comments.push(MIP_COMMENT);
  return [
    'ply',
    'format binary_little_endian 1.0',
    ...comments.map((comment) => `comment ${comment}`),
    `element vertex ${cloud.count}`,
    ...names.map((name) => `property float ${name}`),
    'end_header',
    '',
  ].join('\n');
}
