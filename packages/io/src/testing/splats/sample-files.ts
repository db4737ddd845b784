import type { SplatCloud } from '../../splats/cloud.ts';
import { rowLength, shCoefficients } from '../../splats/cloud.ts';
import { encodeSplats4d, encodeSplatScene4d } from '../../splats/formats/container-4d.ts';
import { gzip } from '../../splats/gzip.ts';
import { inriaColumns } from '../../splats/formats/ply.ts';
import { encodeSplats, writeSplats } from '../../splats/registry.ts';
import { spzEncoders, spzHeader } from '../../splats/spz-encode.ts';
import type { SpzColumn, SpzVersion } from '../../splats/spz-layout.ts';
import { columnBytes, SPZ_COLUMNS } from '../../splats/spz-layout.ts';
import { seededRandom, syntheticCloud } from './synthetic-cloud.ts';

/** A small valid file of a kind that is read. */
export interface SampleFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Small valid files of a format, among them kinds that are only read, to start mutations from. */
export async function sampleFiles(format: string): Promise<readonly SampleFile[]> {
  const small = syntheticCloud({ count: 5, degree: 1, seed: 1 });
  const plain = syntheticCloud({ count: 7, degree: 0, seed: 2 });
  const rich = syntheticCloud({ count: 3, degree: 3, seed: 3 });
  switch (format) {
    case 'ply':
      return [
        { name: 'degree 1', bytes: await writeSplats(small, { format, comments: ['a comment'] }) },
        { name: 'degree 3, no normals', bytes: await writeSplats(rich, { format, normals: 'none' }) },
        { name: 'ascii', bytes: asciiPly(plain) },
        { name: 'big-endian, float64', bytes: bigEndianPly(plain) },
      ];
    case 'compressed-ply':
      return [
        { name: 'degree 0', bytes: packedPly({ count: 6, degree: 0, seed: 4 }) },
        { name: 'degree 1', bytes: packedPly({ count: 4, degree: 1, seed: 5 }) },
      ];
    case 'spz':
      return [
        { name: 'version 3, gzip', bytes: await writeSplats(small, { format }) },
        { name: 'version 3, plain', bytes: await spzFile(small, 3) },
        { name: 'version 2, gzip', bytes: await collect(gzip([await spzFile(plain, 2)])) },
        { name: 'version 1, plain', bytes: await spzFile(plain, 1) },
        { name: 'version 4', bytes: await spzFile(small, 4) },
      ];
    case '4d': {
      const bias = { dtype: 'float32', shape: [3], data: Float32Array.of(1, 2, 3) } as const;
      const moving = {
        cloud: small,
        times: { start: 0, end: 2, loop: 'mirror', frames: [0, 1, 2] },
        deformation: { kind: 'mlp', config: { width: 3 }, tensors: { bias } },
      } as const;
      const still = { cloud: plain, times: { start: 0, end: 1, loop: 'none' }, deformation: null } as const;
      return [
        { name: 'still', bytes: await writeSplats(plain, { format }) },
        { name: 'moving', bytes: encodeSplats4d(moving) },
        {
          name: 'scene',
          bytes: encodeSplatScene4d({
            assets: [
              { ...still, placement: { rotation: [0.5, 0.5, 0.5, 0.5], scale: 2 } },
              { ...moving, placement: { translation: [1, 2, 3], offset: 1, duration: 2, beyond: 'loop' } },
            ],
          }),
        },
      ];
    }
    default:
      return [{ name: 'plain', bytes: await collect(encodeSplats(plain, { format })) }];
  }
}

export async function collect(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of pieces) parts.push(new Uint8Array(piece));
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** The same cloud as text: nine digits give every float32 back. */
export function asciiPly(cloud: SplatCloud): Uint8Array {
  const columns = inriaColumns(cloud);
  const rows = Array.from({ length: cloud.count }, (_, n) =>
    columns.map(({ array, offset, stride }) => array[offset + n * stride]!.toPrecision(9)).join(' '),
  );
  const header = [
    'ply',
    'format ascii 1.0',
    `element vertex ${cloud.count}`,
    ...columns.map(({ name }) => `property float ${name}`),
    'end_header',
  ];
  return new TextEncoder().encode([...header, ...rows, ''].join('\n'));
}

/** Big-endian doubles, properties in reverse order, and an element before the vertices that has to be skipped. */
export function bigEndianPly(cloud: SplatCloud): Uint8Array {
  const columns = [...inriaColumns(cloud)].reverse();
  const header = [
    'ply',
    'format binary_big_endian 1.0',
    'element camera 1',
    'property short id',
    `element vertex ${cloud.count}`,
    ...columns.map(({ name }) => `property double ${name}`),
    'end_header',
    '',
  ];
  const head = new TextEncoder().encode(header.join('\r\n'));
  const bytes = new Uint8Array(head.length + 2 + 8 * columns.length * cloud.count);
  bytes.set(head);
  const view = new DataView(bytes.buffer, head.length + 2);
  columns.forEach(({ array, offset, stride }, column) => {
    for (let n = 0; n < cloud.count; n++) view.setFloat64(8 * (n * columns.length + column), array[offset + n * stride]!);
  });
  return bytes;
}

/** A packed PLY file of random words, each of which means something. */
export function packedPly({
  count,
  degree,
  seed,
}: {
  readonly count: number;
  readonly degree: 0 | 1 | 2 | 3;
  readonly seed: number;
}): Uint8Array {
  const random = seededRandom(seed);
  const chunks = Math.ceil(count / 256);
  const rest = 3 * (shCoefficients(degree) - 1);
  const ranges = ['x', 'y', 'z', 'scale_x', 'scale_y', 'scale_z', 'r', 'g', 'b'];
  const header = [
    'ply',
    'format binary_little_endian 1.0',
    `element chunk ${chunks}`,
    ...ranges.map((name) => `property float min_${name}`),
    ...ranges.map((name) => `property float max_${name}`),
    `element vertex ${count}`,
    ...['position', 'rotation', 'scale', 'color'].map((name) => `property uint packed_${name}`),
    ...(rest === 0 ? [] : [`element sh ${count}`, ...Array.from({ length: rest }, (_, i) => `property uchar f_rest_${i}`)]),
    'end_header',
    '',
  ].join('\n');
  const floats = Float32Array.from({ length: 18 * chunks }, (_, i) => (i % 18 < 9 ? -random() : random()));
  const words = Uint32Array.from({ length: 4 * count }, () => Math.floor(random() * 2 ** 32));
  const bytes = Uint8Array.from({ length: rest * count }, () => Math.floor(random() * 256));
  return concatenate([new TextEncoder().encode(header), new Uint8Array(floats.buffer), new Uint8Array(words.buffer), bytes]);
}

/** An uncompressed file of versions 1 to 3, or one of version 4 whose ZSTD streams store their data as it is. */
export async function spzFile(cloud: SplatCloud, version: SpzVersion): Promise<Uint8Array> {
  const layout = {
    version,
    count: cloud.count,
    degree: cloud.degree,
    fractionalBits: 12,
    flags: cloud.metadata?.antialiased === true ? 1 : 0,
  };
  const encoders = spzEncoders(cloud, layout);
  const columns = SPZ_COLUMNS.map((column) => {
    const bytes = new Uint8Array(cloud.count * columnBytes(column, layout));
    if (column === 'positions' && version === 1) halfPositions(cloud, bytes);
    else if (column === 'rotations' && version < 3) firstThree(cloud, bytes);
    else if (bytes.length > 0) encoders[column](bytes, 0);
    return { column, bytes };
  });
  if (version < 4) return concatenate([spzHeader(layout), ...columns.map(({ bytes }) => bytes)]);
  return spzStreams(
    spzHeader(layout),
    columns.filter(({ bytes }) => bytes.length > 0),
  );
}

function spzStreams(header: Uint8Array, columns: readonly { readonly column: SpzColumn; readonly bytes: Uint8Array }[]): Uint8Array {
  const head = new Uint8Array(32);
  head.set(header);
  head[15] = columns.length;
  head[16] = 32;
  const frames = columns.map(({ bytes }) => storedZstd(bytes));
  const table = new BigUint64Array(frames.flatMap((frame, i) => [BigInt(frame.length), BigInt(columns[i]!.bytes.length)]));
  return concatenate([head, new Uint8Array(table.buffer), ...frames]);
}

/** A ZSTD frame of one raw block. */
function storedZstd(bytes: Uint8Array): Uint8Array {
  const head = new Uint8Array(12);
  const view = new DataView(head.buffer);
  view.setUint32(0, 0xfd2fb528, true);
  head[4] = 0xa0; // single segment, size of the content in four bytes
  view.setUint32(5, bytes.length, true);
  const block = 1 | (bytes.length << 3);
  head.set([block, block >> 8, block >> 16], 9);
  return concatenate([head, bytes]);
}

function halfPositions({ means }: SplatCloud, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer);
  means.forEach((value, i) => {
    view.setUint16(2 * i, toHalf(i % 3 === 0 ? value : -value), true);
  });
}

/** Truncated to binary16, for numbers of ordinary size. */
function toHalf(value: number): number {
  const exponent = Math.max(-14, Math.min(15, Math.floor(Math.log2(Math.abs(value) || 1))));
  const fraction = Math.min(2047, Math.floor((Math.abs(value) / 2 ** exponent) * 1024));
  return (value < 0 ? 0x8000 : 0) | (fraction < 1024 ? fraction : ((exponent + 15) << 10) | (fraction - 1024));
}

function firstThree({ quaternions, degree }: SplatCloud, bytes: Uint8Array): void {
  const width = rowLength('quaternions', degree);
  for (let n = 0; n < bytes.length / 3; n++) {
    const [w = 1, x = 0, y = 0, z = 0] = quaternions.subarray(n * width, (n + 1) * width);
    const scale = (w < 0 ? -127.5 : 127.5) / Math.hypot(w, x, y, z);
    bytes.set(
      [x, -y, -z].map((value) => Math.round(value * scale + 127.5)),
      3 * n,
    );
  }
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
