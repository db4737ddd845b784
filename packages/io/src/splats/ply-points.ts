import { UserError } from '@langevin/tensor';
import type { ByteSource } from '../safetensors/byte-source.ts';
import type { PlyElement, PlyProperty } from './ply-header.ts';
import { readPlyHeader } from './ply-header.ts';
import type { PlyTarget } from './ply-rows.ts';
import { checkPlySize, readPlyRows } from './ply-rows.ts';

/** Coloured points of a PLY file, as structure from motion and scanners write them. */
export interface PlyPoints {
  readonly count: number;
  /** World units, [count, 3]; in the precision of files that hold coordinates of maps. */
  readonly positions: Float64Array;
  /** RGB, [count, 3]; grey where the file has no colours. */
  readonly colors: Uint8Array;
}

const GREY = 128;
const CHANNELS = ['red', 'green', 'blue'] as const;

/**
 * The points of a source. Faces and the like after the vertices are left alone.
 * @throws {UserError} when it is no such file, is truncated, or has a position that is not finite
 */
export async function readPointsOf(source: ByteSource): Promise<PlyPoints> {
  const header = await readPlyHeader(source);
  const vertex = header.elements.find(({ name }) => name === 'vertex');
  const axes = ['x', 'y', 'z'].map((name) => vertex?.properties.get(name));
  if (vertex === undefined || axes.includes(undefined))
    throw new UserError(
      `[io/splats] ${source.label} is a PLY file without vertices that have x, y and z: `
        + `elements=${header.elements.map(({ name }) => name).join(', ') || 'none'}. It holds no points.`,
    );
  checkPlySize(source, header, ['vertex']);
  const { count } = vertex;
  const positions = new Float64Array(3 * count);
  const channels = channelsOf(vertex);
  const shades = new Float32Array(channels.length * count);
  const targets = [
    ...axes.map((property, offset) => target(property!, positions, offset)),
    ...channels.map((property, offset) => target(property, shades, offset)),
  ];
  await readPlyRows(source, header, new Map([['vertex', targets]]));
  const wrong = positions.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0)
    throw new UserError(
      `[io/splats] ${source.label} has a point that is nowhere: row=${Math.floor(wrong / 3)}, `
        + `${'xyz'[wrong % 3]}=${positions[wrong]}. Save it again without.`,
    );
  // Bytes, or shares of one.
  const whole = channels[0] !== undefined && channels[0].type.startsWith('float') ? 255 : 1;
  const colors =
    channels.length === 0
      ? new Uint8Array(3 * count).fill(GREY)
      : Uint8Array.from(shades, (value) => Math.round(Math.min(255, Math.max(0, value * whole))));
  return { count, positions, colors };
}

function channelsOf(vertex: PlyElement): readonly PlyProperty[] {
  const found = CHANNELS.map((name) => vertex.properties.get(name) ?? vertex.properties.get(`diffuse_${name}`));
  return found.filter((property) => property !== undefined).length === 3 ? (found as readonly PlyProperty[]) : [];
}

function target(property: PlyProperty, into: Float32Array | Float64Array, offset: number): PlyTarget {
  return { property, into, offset, stride: 3 };
}
