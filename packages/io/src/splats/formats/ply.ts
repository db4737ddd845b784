import { UnsupportedError, UserError } from '@langevin/tensor';
import type { ShDegree, SplatCloud } from '../cloud.ts';
import { allocateCloud, bytesInMemory, shCoefficients } from '../cloud.ts';
import { finishCloud } from '../finish.ts';
import { defineSplatFormat, type SplatFormat } from '../format.ts';
import type { ReadRequest, SplatEncodeOptions } from '../options.ts';
import type { PlyElement, PlyHeader } from '../ply-header.ts';
import { readPlyHeader } from '../ply-header.ts';
import type { PlyTarget } from '../ply-rows.ts';
import { checkPlySize, readPlyRows } from '../ply-rows.ts';
import { isCompressedPly, readCompressedRows } from '../compressed-ply-rows.ts';
import { cleanComments } from '../comments.ts';
import { originOfDoubles, placementComments, readPlacement } from '../up-and-origin.ts';

/**
 * The layout of the first paper on 3D Gaussians (Kerbl et al. 2023), which every tool reads: an element `vertex` whose properties are found
 * by their names, in any order, of any number type. `f_rest_*` is channel-major: all of red, then green, then blue.
 */
export const plyFormat: SplatFormat = defineSplatFormat({
  name: 'ply',
  extensions: ['.ply'],
  keeps: 'everything, bit for bit; comments, which way is up, an origin far from 0',
  loses: 'nothing',
  bytesPerGaussian: (degree) => bytesInMemory(degree) + 12,
  origin: 'kept',
  known: 'shared mark',
  matches: (head) => /^ply\r?\n/.test(String.fromCharCode(...head.subarray(0, 5))),
  read: readPly,
  encode: encodePly,
});

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
  const { placement, others } = readPlacement(header.comments);
  const doubles = ['x', 'y', 'z'].every((name) => vertex.properties.get(name)?.type === 'float64');
  const exact = doubles || placement.origin !== undefined ? new Float64Array(cloud.means.length) : undefined;
  await readPlyRows(source, header, new Map([['vertex', targetsOf(cloud, exact, { vertex, label: source.label })]]));
  const origin = exact && (placement.origin ?? originOfDoubles(exact));
  if (exact !== undefined) cloud.means.set(origin === undefined ? exact : exact.map((value, i) => value - origin[i % 3]!));
  const antialiased = others.includes(MIP_COMMENT) ? { antialiased: true } : {};
  return finishCloud(cloud, request, {
    format: 'ply',
    comments: others.filter((comment) => comment !== MIP_COMMENT),
    ...antialiased,
    ...placement,
    ...(origin && { origin }),
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

/** @param exact where centres go instead, for files whose coordinates float32 would spoil */
function targetsOf(
  cloud: SplatCloud,
  exact: Float64Array | undefined,
  { vertex, label }: { readonly vertex: PlyElement; readonly label: string },
): PlyTarget[] {
  return inriaColumns(cloud).map(({ name, array, offset, stride }) => {
    const property = vertex.properties.get(name);
    if (property === undefined) throw new UserError(`[io/splats] ${label} lacks PLY property=${name}. It is damaged.`);
    return { property, into: array === cloud.means ? (exact ?? array) : array, offset, stride };
  });
}

const ROWS_PER_PIECE = 4096;

function* encodePly(cloud: SplatCloud, options: SplatEncodeOptions): Generator<Uint8Array, void> {
  const columns = [...inriaColumns(cloud)];
  if ((options.normals ?? 'zero') === 'zero') {
    const zeros = { array: new Float32Array(1), offset: 0, stride: 0 };
    columns.splice(3, 0, ...['nx', 'ny', 'nz'].map((name) => ({ name, ...zeros })));
  }
  const origin = cloud.metadata?.origin;
  const names = columns.map(({ name }) => name);
  yield new TextEncoder().encode(headerText(cloud, names, options));
  for (let first = 0; first < cloud.count; first += ROWS_PER_PIECE) {
    const rows = { first, count: Math.min(ROWS_PER_PIECE, cloud.count - first) };
    yield origin === undefined ? floatRows(columns, rows) : doubleRows(columns, origin, rows);
  }
}

type Columns = readonly Pick<ReturnType<typeof inriaColumns>[number], 'array' | 'offset' | 'stride'>[];

interface Rows {
  readonly first: number;
  readonly count: number;
}

function floatRows(columns: Columns, { first, count }: Rows): Uint8Array {
  const values = new Float32Array(count * columns.length);
  columns.forEach(({ array, offset, stride }, column) => {
    for (let row = 0, to = column, from = offset + first * stride; row < count; row++, to += columns.length, from += stride)
      values[to] = array[from]!;
  });
  return new Uint8Array(values.buffer);
}

/** Rows whose first three numbers, the centre, are doubles in the coordinates of the world. */
function doubleRows(columns: Columns, origin: readonly number[], { first, count }: Rows): Uint8Array {
  const width = 24 + 4 * (columns.length - 3);
  const view = new DataView(new ArrayBuffer(count * width));
  columns.forEach(({ array, offset, stride }, column) => {
    const at = column < 3 ? 8 * column : 24 + 4 * (column - 3);
    for (let row = 0, from = offset + first * stride; row < count; row++, from += stride) {
      if (column < 3) view.setFloat64(row * width + at, array[from]! + origin[column]!, true);
      else view.setFloat32(row * width + at, array[from]!, true);
    }
  });
  return new Uint8Array(view.buffer);
}

function headerText(cloud: SplatCloud, names: readonly string[], options: SplatEncodeOptions): string {
  const comments = cleanComments(options.comments ?? cloud.metadata?.comments ?? []);
  const { antialiased, origin } = cloud.metadata ?? {};
  if (antialiased === true) comments.push(MIP_COMMENT);
  comments.push(...placementComments(cloud.metadata ?? {}));
  return [
    'ply',
    'format binary_little_endian 1.0',
    ...comments.map((comment) => `comment ${comment}`),
    `element vertex ${cloud.count}`,
    ...names.map((name) => `property ${origin !== undefined && ['x', 'y', 'z'].includes(name) ? 'double' : 'float'} ${name}`),
    'end_header',
    '',
  ].join('\n');
}
