import { shCoefficients } from '../gaussians.ts';
import type { Buffers } from './buffers.ts';
import type { GpuBuffer, GpuDevice } from './gpu.ts';
import { groupsFor, type Groups, type Step } from './kernels.ts';
import { ROW } from './shaders/backward.ts';
import { SCAN_BLOCK } from './shaders/bin-tiles.ts';
import { PROJECT_BACKWARD_GROUP, SUM_GROUP } from './shaders/project-backward.ts';
import { PROJECT_GROUP } from './shaders/project.ts';
import { DIGITS, SORT_BLOCK } from './shaders/sort.ts';
import { channelGroups, VIEW_BYTES } from './view.ts';

/** The sizes of a rendering. */
export interface Sizes {
  readonly count: number;
  readonly tilesX: number;
  readonly tilesY: number;
  readonly pixels: number;
  readonly channels: number;
  readonly featureChannels: number;
  /** Numbers in a row of what colours a Gaussian. */
  readonly appearanceRow: number;
  /** Pairs of a tile and a Gaussian that there is room for. */
  readonly pairs: number;
}

/** Numbers in a row of the harmonics, or of colours in their place. */
export function appearanceRow(degree: 0 | 1 | 2 | 3, from: 'harmonics' | 'colors'): number {
  return from === 'colors' ? 3 : 3 * shCoefficients(degree);
}

/** Numbers for each Gaussian before its appearance: of the scene, and of its gradients. */
export const GEOMETRY_ROW = 11;
export const GRADIENT_ROW = 15;

/** The buffers of the forward pass. The scene's are filled by the caller. */
export interface ForwardBuffers {
  readonly view: GpuBuffer;
  readonly geometry: GpuBuffer;
  readonly appearance: GpuBuffer;
  readonly features: GpuBuffer;
  readonly counters: GpuBuffer;
  readonly radii: GpuBuffer;
  /** Colour, alpha, depth; then what the backward pass needs. */
  readonly picture: GpuBuffer;
}

export const COUNTERS_BYTES = 16;
const DIGIT_BITS = 8;
const DEPTH_BITS = 32;

/** How a digit is sorted: shift, counter, identity. */
const PASSES = [
  ...[0, 8, 16, 24].map((shift) => ({ shift, counter: 0, identity: shift === 0 })),
  ...[0, 8, 16].map((shift) => ({ shift, counter: 1, identity: shift === 0 })),
];
const DEPTH_PASSES = DEPTH_BITS / DIGIT_BITS;

/** Writes what never changes: once for a device. */
export function writeConstants(device: GpuDevice, buffers: Buffers): void {
  PASSES.forEach(({ shift, counter, identity }, i) =>
    device.queue.writeBuffer(buffers.get(`pass ${i}`, 16, 'uniform'), 0, Uint32Array.of(shift, counter, identity ? 1 : 0, 0)),
  );
}

export function sceneBuffers(buffers: Buffers, { count, pixels, channels, featureChannels, appearanceRow: row }: Sizes): ForwardBuffers {
  return {
    view: buffers.get('view', VIEW_BYTES, 'uniform'),
    geometry: buffers.get('geometry', 4 * GEOMETRY_ROW * count),
    appearance: buffers.get('appearance', 4 * row * count),
    features: buffers.get('features', 4 * featureChannels * count),
    counters: buffers.get('counters', COUNTERS_BYTES),
    radii: buffers.get('radii', 4 * count),
    picture: buffers.get('picture', 4 * pixels * (channels + 4)),
  };
}

/** A stable sort of keys with values by their lowest digits. Returns the steps, and where both are afterwards. */
function sort(
  buffers: Buffers,
  given: {
    readonly keys: GpuBuffer;
    readonly name: string;
    readonly room: number;
    readonly firstPass: number;
    readonly passes: number;
    readonly groups: Groups;
  },
): { readonly steps: Step[]; readonly keys: GpuBuffer; readonly values: GpuBuffer } {
  const { name, room, firstPass, passes, groups } = given;
  const counters = buffers.get('counters', COUNTERS_BYTES);
  const table = buffers.get(`${name} digits`, 4 * DIGITS * Math.ceil(room / SORT_BLOCK));
  const bases = buffers.get(`${name} bases`, 4 * DIGITS);
  const side = (which: 'A' | 'B') => ({
    keys: buffers.get(`${name} keys ${which}`, 4 * room),
    values: buffers.get(`${name} values ${which}`, 4 * room),
  });
  const sides = [side('A'), side('B')] as const;
  const steps: Step[] = [];
  // The first pass makes the values itself: they are the places.
  let from = { keys: given.keys, values: given.keys };
  for (let i = 0; i < passes; i++) {
    const pass = buffers.get(`pass ${firstPass + i}`, 16, 'uniform');
    const to = sides[(i % 2) as 0 | 1];
    steps.push(
      { kernel: 'histogram', bindings: [pass, counters, from.keys, table], groups },
      { kernel: 'columns', bindings: [pass, counters, table, bases], groups: [1] },
      { kernel: 'scatter', bindings: [pass, counters, from.keys, from.values, table, bases, to.keys, to.values], groups },
    );
    from = to;
  }
  return { steps, ...from };
}

/** What the forward pass leaves behind for the backward pass. */
export interface TileBins {
  readonly order: GpuBuffer;
  readonly spans: GpuBuffer;
  readonly firsts: GpuBuffer;
  readonly blocks: GpuBuffer;
  readonly records: GpuBuffer;
  readonly owners: GpuBuffer;
  readonly sortedPairs: GpuBuffer;
  readonly starts: GpuBuffer;
}

/**
 * From the scene to the picture. Pairs are sorted by tile after Gaussians were by depth, so that each tile has its own from near to far.
 */
export function forwardSteps(buffers: Buffers, sizes: Sizes): { readonly steps: readonly Step[]; readonly bins: TileBins } {
  const { count, tilesX, tilesY, pairs, featureChannels } = sizes;
  const { view, geometry, appearance, features, counters, radii, picture } = sceneBuffers(buffers, sizes);
  const tiles = tilesX * tilesY;
  const records = buffers.get('records', 48 * count);
  const spans = buffers.get('spans', 8 * count);
  const keys = buffers.get('depths', 4 * count);
  const byDepth = sort(buffers, {
    keys,
    name: 'depth',
    room: count,
    firstPass: 0,
    passes: DEPTH_PASSES,
    groups: [Math.ceil(count / SORT_BLOCK)],
  });
  const order = byDepth.values;
  const firsts = buffers.get('firsts', 4 * count);
  const blocks = buffers.get('blocks', 4 * Math.ceil(count / SCAN_BLOCK));
  const dispatches = buffers.get('sizes', 32, 'indirect');
  const owners = buffers.get('owners', 4 * pairs);
  const tilesOfPairs = buffers.get('tiles', 4 * pairs);
  const passes = Math.max(1, Math.ceil(Math.ceil(Math.log2(tiles)) / DIGIT_BITS));
  const byTile = sort(buffers, {
    keys: tilesOfPairs,
    name: 'tile',
    room: pairs,
    firstPass: DEPTH_PASSES,
    passes,
    groups: { sizes: dispatches, offset: 12 },
  });
  const starts = buffers.get('starts', 4 * (tiles + 1));
  const steps: Step[] = [
    {
      kernel: 'project',
      bindings: [view, geometry, appearance, features, records, spans, keys, radii],
      groups: groupsFor(count, PROJECT_GROUP),
    },
    ...byDepth.steps,
    { kernel: 'scan', bindings: [view, order, spans, firsts, blocks], groups: [Math.ceil(count / SCAN_BLOCK)] },
    { kernel: 'totals', bindings: [view, blocks, counters, dispatches], groups: [1] },
    {
      kernel: 'emit',
      bindings: [view, order, spans, firsts, blocks, counters, owners, tilesOfPairs],
      groups: { sizes: dispatches, offset: 0 },
    },
    ...byTile.steps,
    { kernel: 'starts', bindings: [view, counters, byTile.keys, starts], groups: [Math.ceil((tiles + 1) / 64)] },
    {
      kernel: 'forward',
      bindings: [view, records, features, owners, byTile.values, starts, picture],
      groups: [tilesX, tilesY, channelGroups(featureChannels)],
    },
  ];
  return { steps, bins: { order, spans, firsts, blocks, records, owners, sortedPairs: byTile.values, starts } };
}

/** Where gradients end up. */
export interface BackwardBuffers {
  readonly cotangents: GpuBuffer;
  readonly gradients: GpuBuffer;
  readonly features: GpuBuffer;
  readonly camera: GpuBuffer;
  readonly background: GpuBuffer;
}

/** How many numbers of each there are; partial sums of the camera and the background are added on the host, in float64. */
export function gradientLengths({
  count,
  tilesX,
  tilesY,
  channels,
  featureChannels,
  appearanceRow: row,
}: Sizes): Readonly<Record<Exclude<keyof BackwardBuffers, 'cotangents'>, number>> {
  return {
    gradients: (GRADIENT_ROW + row) * count,
    features: featureChannels * count,
    camera: 12 * Math.ceil(count / PROJECT_BACKWARD_GROUP),
    background: 4 * tilesX * tilesY * Math.ceil(channels / 4),
  };
}

/** From cotangents to gradients; `sizes.pairs` is how many pairs there are. */
export function backwardSteps(
  buffers: Buffers,
  sizes: Sizes,
  { order, spans, firsts, blocks, records, owners, sortedPairs, starts }: TileBins,
): {
  readonly steps: readonly Step[];
  readonly results: BackwardBuffers;
  readonly shapes: readonly { readonly buffer: GpuBuffer; readonly numbers: Uint32Array }[];
} {
  const { count, tilesX, tilesY, pixels, channels, featureChannels, pairs } = sizes;
  const { view, geometry, appearance, features, picture } = sceneBuffers(buffers, sizes);
  const lengths = gradientLengths(sizes);
  const results: BackwardBuffers = {
    cotangents: buffers.get('cotangents', 4 * pixels * (channels + 2)),
    gradients: buffers.get('gradients', 4 * lengths.gradients),
    features: buffers.get('feature gradients', 4 * lengths.features),
    camera: buffers.get('camera gradients', 4 * lengths.camera),
    background: buffers.get('background gradients', 4 * lengths.background),
  };
  const rows = buffers.get('rows', 4 * ROW * pairs);
  const sums = buffers.get('sums', 4 * ROW * count);
  const shape = buffers.get('shape of rows', 16, 'uniform');
  const shapes = [{ buffer: shape, numbers: Uint32Array.of(ROW / 4, ROW, 0, 0) }];
  const steps: Step[] = [
    {
      kernel: 'background',
      bindings: [view, picture, results.cotangents, results.background],
      groups: [tilesX, tilesY, Math.ceil(channels / 4)],
    },
    {
      kernel: 'backward',
      bindings: [view, records, features, owners, sortedPairs, starts, picture, results.cotangents, rows],
      groups: [tilesX, tilesY],
    },
    {
      kernel: 'sumRows',
      bindings: [view, shape, order, spans, firsts, blocks, rows, sums],
      groups: groupsFor((count * ROW) / 4, SUM_GROUP),
    },
    {
      kernel: 'projectBackward',
      bindings: [view, geometry, appearance, spans, sums, results.gradients, results.camera],
      groups: groupsFor(count, PROJECT_BACKWARD_GROUP),
    },
  ];
  if (featureChannels > 0) {
    const groups = channelGroups(featureChannels) - 1;
    const featureRows = buffers.get('feature rows', 16 * groups * pairs);
    const featureShape = buffers.get('shape of feature rows', 16, 'uniform');
    shapes.push({ buffer: featureShape, numbers: Uint32Array.of(groups, featureChannels, 0, 0) });
    steps.push(
      {
        kernel: 'featuresBackward',
        bindings: [view, records, owners, sortedPairs, starts, picture, results.cotangents, featureRows],
        groups: [tilesX, tilesY, groups],
      },
      {
        kernel: 'sumRows',
        bindings: [view, featureShape, order, spans, firsts, blocks, featureRows, results.features],
        groups: groupsFor(count * groups, SUM_GROUP),
      },
    );
  }
  return { steps, results, shapes };
}
