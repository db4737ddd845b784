import { UserError } from '@langevin/tensor';
import type { ShDegree, SplatCloud } from './cloud.ts';
import { allocateCloud, SH_C0, shCoefficients } from './cloud.ts';
import { finishCloud } from './finish.ts';
import type { ReadRequest } from './options.ts';
import type { PlyElement, PlyHeader } from './ply-header.ts';
import type { PlyTarget } from './ply-rows.ts';
import { checkPlySize, readPlyRows } from './ply-rows.ts';
import { logitOfByte } from './quantized.ts';

/** Gaussians that share a range of values. */
const CHUNK_ROWS = 256;
const RANGES = ['x', 'y', 'z', 'scale_x', 'scale_y', 'scale_z'];
const COLOR_RANGES = ['r', 'g', 'b'];
const PACKED = ['packed_position', 'packed_rotation', 'packed_scale', 'packed_color'];

/** Whether a PLY file has the packed vertices of PlayCanvas. */
export function isCompressedPly(header: PlyHeader): boolean {
  return header.elements.some(({ name, properties }) => name === 'vertex' && properties.has('packed_position'));
}

/**
 * PlayCanvas' packed PLY, as splat-transform writes it: every 256 Gaussians share ranges of position, logarithm of scale and colour; a
 * Gaussian is four 32-bit words within them.
 */
export async function readCompressedRows(request: ReadRequest, header: PlyHeader): Promise<SplatCloud> {
  const { source } = request;
  const vertex = elementWith(header, { name: 'vertex', properties: PACKED }, source.label);
  const chunk = elementWith(header, { name: 'chunk', properties: withEnds(RANGES) }, source.label);
  const { count } = vertex;
  if (chunk.count !== Math.ceil(count / CHUNK_ROWS))
    throw new UserError(
      `[io/splats] ${source.label} has chunks that do not fit its Gaussians: chunk count=${chunk.count}, expected `
        + `${Math.ceil(count / CHUNK_ROWS)} for vertex count=${count}. It is damaged.`,
    );
  const degree = degreeOf(header, count, source.label);
  checkPlySize(source, header, degree === 0 ? ['chunk', 'vertex'] : ['chunk', 'vertex', 'sh']);

  const hasColorRanges = withEnds(COLOR_RANGES).every((name) => chunk.properties.has(name));
  const rangeNames = [...withEnds(RANGES), ...(hasColorRanges ? withEnds(COLOR_RANGES) : [])];
  const ranges = new Float32Array(chunk.count * rangeNames.length);
  const packed = new Uint32Array(count * PACKED.length);
  const restCount = 3 * (shCoefficients(degree) - 1);
  const rest = new Uint8Array(count * restCount);
  const restNames = Array.from({ length: restCount }, (_, i) => `f_rest_${i}`);
  const targets = new Map([
    ['chunk', targetsFor(chunk, rangeNames, ranges)],
    ['vertex', targetsFor(vertex, PACKED, packed)],
  ]);
  const sh = header.elements.find(({ name }) => name === 'sh');
  if (sh !== undefined && degree > 0) targets.set('sh', targetsFor(sh, restNames, rest));
  await readPlyRows(source, header, inFileOrder(header, targets));

  const cloud = allocateCloud(source.label, count, degree);
  unpack(cloud, { ranges, width: rangeNames.length, packed });
  unpackRest(cloud, rest);
  return finishCloud(cloud, request, { format: 'compressed-ply', comments: header.comments });
}

/** min_x, min_y, ..., max_x, max_y, ...: triples of minima and maxima in turn. */
function withEnds(names: readonly string[]): string[] {
  return names.flatMap((name) => [`min_${name}`, `max_${name}`]);
}

function elementWith(
  header: PlyHeader,
  { name, properties }: { readonly name: string; readonly properties: readonly string[] },
  label: string,
): PlyElement {
  const element = header.elements.find((other) => other.name === name);
  const missing = properties.filter((property) => element?.properties.has(property) !== true);
  if (element !== undefined && missing.length === 0) return element;
  throw new UserError(
    `[io/splats] ${label} is a packed PLY file whose element=${name} lacks properties=${missing.slice(0, 8).join(', ')}. It is damaged.`,
  );
}

function degreeOf(header: PlyHeader, count: number, label: string): ShDegree {
  const sh = header.elements.find(({ name }) => name === 'sh');
  if (sh === undefined) return 0;
  const degree = [0, 9, 24, 45].indexOf(sh.properties.size);
  const complete = Array.from(sh.properties.keys()).every(
    (name) => /^f_rest_(0|[1-9]\d?)$/.test(name) && Number(name.slice(7)) < sh.properties.size,
  );
  if (degree > 0 && complete && sh.count === count) return degree as ShDegree;
  throw new UserError(
    `[io/splats] ${label} has packed spherical harmonics that fit no degree: properties=${sh.properties.size}, count=${sh.count} `
      + `for vertex count=${count}. It is damaged.`,
  );
}

function targetsFor(element: PlyElement, names: readonly string[], into: PlyTarget['into']): PlyTarget[] {
  return names.map((name, offset) => ({ property: element.properties.get(name)!, into, offset, stride: names.length }));
}

/** The reader stops after the last target, so they must come in the order of the file. */
function inFileOrder(header: PlyHeader, targets: ReadonlyMap<string, readonly PlyTarget[]>): Map<string, readonly PlyTarget[]> {
  return new Map(header.elements.flatMap(({ name }) => (targets.has(name) ? [[name, targets.get(name)!] as const] : [])));
}

interface PackedRows {
  readonly ranges: Float32Array;
  /** Numbers of a chunk's ranges: pairs of minimum and maximum. */
  readonly width: number;
  readonly packed: Uint32Array;
}

function unpack(cloud: SplatCloud, { ranges, width, packed }: PackedRows): void {
  const { count, means, logScales, quaternions, opacityLogits, sh } = cloud;
  const shStride = 3 * shCoefficients(cloud.degree);
  const hasColorRanges = width > 2 * RANGES.length;
  for (let n = 0; n < count; n++) {
    const at = Math.floor(n / CHUNK_ROWS) * width;
    const within = (range: number, t: number): number => ranges[at + 2 * range]! * (1 - t) + ranges[at + 2 * range + 1]! * t;
    const position = packed[4 * n]!;
    const scale = packed[4 * n + 2]!;
    const color = packed[4 * n + 3]!;
    // 11, 10 and 11 bits from the highest down.
    means[3 * n] = within(0, (position >>> 21) / 2047);
    means[3 * n + 1] = within(1, ((position >>> 11) & 1023) / 1023);
    means[3 * n + 2] = within(2, (position & 2047) / 2047);
    logScales[3 * n] = within(3, (scale >>> 21) / 2047);
    logScales[3 * n + 1] = within(4, ((scale >>> 11) & 1023) / 1023);
    logScales[3 * n + 2] = within(5, (scale & 2047) / 2047);
    for (let channel = 0; channel < 3; channel++) {
      const unit = ((color >>> (24 - 8 * channel)) & 255) / 255;
      sh[n * shStride + channel] = ((hasColorRanges ? within(6 + channel, unit) : unit) - 0.5) / SH_C0;
    }
    opacityLogits[n] = logitOfByte(color & 255);
    unpackRotation(packed[4 * n + 1]!, quaternions, 4 * n);
  }
}

/** Two bits name the largest component of (w, x, y, z); ten bits each give the others, in order, from -1/sqrt(2) to 1/sqrt(2). */
function unpackRotation(word: number, quaternions: Float32Array, at: number): void {
  const largest = word >>> 30;
  let squares = 0;
  for (let i = 0, shift = 20; i < 4; i++) {
    if (i === largest) continue;
    const value = (((word >>> shift) & 1023) / 1023 - 0.5) * Math.SQRT2;
    quaternions[at + i] = value;
    squares += value * value;
    shift -= 10;
  }
  quaternions[at + largest] = Math.sqrt(Math.max(0, 1 - squares));
}

/** One byte for [-4, 4); the ends stand for themselves, the others for the middle of their interval, as splat-transform reads them. */
function unpackRest(cloud: SplatCloud, rest: Uint8Array): void {
  const k = shCoefficients(cloud.degree);
  const values = Float32Array.from({ length: 256 }, (_, byte) => 8 * ((byte === 0 ? 0 : byte === 255 ? 1 : (byte + 0.5) / 256) - 0.5));
  const width = 3 * (k - 1);
  for (let n = 0; n < cloud.count; n++) {
    for (let i = 0; i < width; i++) {
      const channel = Math.floor(i / (k - 1));
      cloud.sh[(n * k + 1 + (i % (k - 1))) * 3 + channel] = values[rest[n * width + i]!]!;
    }
  }
}
