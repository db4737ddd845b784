import type { ShDegree, SplatCloud } from '../../splats/cloud.ts';
import { SH_C0 } from '../../splats/cloud.ts';
import { encodeSplats4d } from '../../splats/formats/container-4d.ts';
import { readSplats, readSplats4d, writeSplats } from '../../splats/registry.ts';
import { byImportance } from '../../splats/formats/splat.ts';
import { coefficients, largestDifference, largestTurn, opacities, reordered } from './compare.ts';
import { spzFile } from './sample-files.ts';
import { syntheticCloud } from './synthetic-cloud.ts';

/** What a way through a file did to an attribute of Gaussians. */
export interface RoundTripRow {
  readonly format: string;
  readonly attribute: string;
  /**
   * Largest difference: of centres in world units, of logarithms of scales, of opacities in [0, 1], of coefficients, of components of unit
   * quaternions.
   */
  readonly error: number;
  /** What the format's steps allow. */
  readonly bound: number;
  readonly because: string;
}

const DEGREES: readonly ShDegree[] = [0, 1, 2, 3];
/** Half of the last place of a number below 4, 8 and 16 in float32. */
const [ULP_4, ULP_8, ULP_16] = [2 ** -22, 2 ** -21, 2 ** -20] as const;

/**
 * Writes and reads clouds of `count` Gaussians of every degree in every format that is written, and version 4 of SPZ, which is only read.
 */
export async function splatRoundTrips({ count }: { readonly count: number }): Promise<readonly RoundTripRow[]> {
  const found: RoundTripRow[] = [];
  for (const degree of DEGREES) {
    const cloud = syntheticCloud({ count, degree, seed: 100 + degree });
    for (const format of ['ply', '4d']) found.push(...exact(format, cloud, await readSplats(await writeSplats(cloud, { format }))));
    found.push(...(await movingAsset(cloud)));
    found.push(...throughSpz('spz, version 3', cloud, await readSplats(await writeSplats(cloud, { format: 'spz' }))));
    found.push(...throughSpz('spz, version 4 (read)', cloud, await readSplats(await spzFile(cloud, 4))));
    found.push(...throughSplat(cloud, await readSplats(await writeSplats(cloud, { format: 'splat' }))));
  }
  return worstOf(found);
}

/** The row of each attribute and format that came nearest to its bound, or went beyond. */
function worstOf(rows: readonly RoundTripRow[]): readonly RoundTripRow[] {
  const used = ({ error, bound }: RoundTripRow): number => (bound === 0 ? (error === 0 ? 0 : Infinity) : error / bound);
  const worst = new Map<string, RoundTripRow>();
  for (const row of rows) {
    const key = `${row.format}/${row.attribute}`;
    const before = worst.get(key);
    if (before === undefined || !(used(row) <= used(before))) worst.set(key, row);
  }
  return [...worst.values()];
}

function exact(format: string, before: SplatCloud, after: SplatCloud): readonly RoundTripRow[] {
  const row = (attribute: string, error: number): RoundTripRow => ({ format, attribute, error, bound: 0, because: 'every bit is kept' });
  return (['means', 'quaternions', 'logScales', 'opacityLogits', 'sh'] as const).map((name) =>
    row(name, largestDifference(after[name], before[name])),
  );
}

async function movingAsset(cloud: SplatCloud): Promise<readonly RoundTripRow[]> {
  const weights = { dtype: 'float32', shape: [cloud.count], data: Float32Array.from(cloud.opacityLogits) } as const;
  const asset = await readSplats4d(
    encodeSplats4d({
      cloud,
      times: { start: 0, end: 2, loop: 'mirror', frames: [0, 1, 2] },
      deformation: { kind: 'mlp', config: { width: 3 }, tensors: { weights } },
    }),
  );
  const read = asset.deformation?.tensors['weights']?.data as Float32Array | undefined;
  return [
    {
      format: '4d',
      attribute: 'weights of the deformation',
      error: read === undefined ? Infinity : largestDifference(read, cloud.opacityLogits),
      bound: 0,
      because: 'every bit is kept',
    },
  ];
}

function throughSpz(format: string, before: SplatCloud, after: SplatCloud): readonly RoundTripRow[] {
  const of = (attribute: string, error: number, why: Pick<RoundTripRow, 'bound' | 'because'>): RoundTripRow => ({
    format,
    attribute,
    error,
    ...why,
  });
  const last = (before.degree + 1) ** 2;
  return [
    of('means', largestDifference(after.means, before.means), { bound: 2 ** -13 + ULP_4, because: 'half of 1/4096, and float32' }),
    of('quaternions', largestTurn(after, before), {
      bound: 2 * Math.sqrt(3) * (Math.SQRT1_2 / 511 / 2) * 1.05,
      because: 'three components to half of sqrt(1/2)/511, the largest from the unit length',
    }),
    of('logScales', largestDifference(after.logScales, before.logScales), { bound: 1 / 32 + ULP_8, because: 'half of 1/16, and float32' }),
    of('opacities', largestDifference(opacities(after), opacities(before)), { bound: 0.5 / 255 + 1e-7, because: 'half of 1/255' }),
    of('sh, degree 0', largestDifference(coefficients(after, 0, 1), coefficients(before, 0, 1)), {
      bound: 0.5 / 255 / 0.15 + 1e-6,
      because: 'half of 1/255, over 0.15',
    }),
    ...(last > 1
      ? [
          of('sh, degree 1', largestDifference(coefficients(after, 1, 4), coefficients(before, 1, 4)), {
            bound: 4 / 128 + 0.5 / 128 + 1e-7,
            because: 'half of 1/128, and half a bucket of 8',
          }),
        ]
      : []),
    ...(last > 4
      ? [
          of('sh, degrees 2 and 3', largestDifference(coefficients(after, 4, last), coefficients(before, 4, last)), {
            bound: 8 / 128 + 0.5 / 128 + 1e-7,
            because: 'half of 1/128, and half a bucket of 16',
          }),
        ]
      : []),
  ];
}

function throughSplat(cloud: SplatCloud, after: SplatCloud): readonly RoundTripRow[] {
  const before = reordered(cloud, byImportance(cloud));
  const of = (attribute: string, error: number, why: Pick<RoundTripRow, 'bound' | 'because'>): RoundTripRow => ({
    format: 'splat',
    attribute,
    error,
    ...why,
  });
  return [
    of('means', largestDifference(after.means, before.means), { bound: 0, because: 'float32 is kept; rows are sorted by importance' }),
    of('quaternions', largestTurn(after, before), { bound: 1.5 / 128, because: 'half of 1/128, a whole one at 1, and the length made 1' }),
    of('logScales', largestDifference(after.logScales, before.logScales), { bound: ULP_16, because: 'exp and log in float32' }),
    of('opacities', largestDifference(opacities(after), opacities(before)), { bound: 0.5 / 255 + 1e-7, because: 'half of 1/255' }),
    of('sh, degree 0', largestDifference(after.sh, coefficients(before, 0, 1)), {
      bound: 0.5 / 255 / SH_C0 + 1e-6,
      because: 'half of 1/255, over 0.282',
    }),
  ];
}

/** Compressed PLY is only read: a file of another program, and the Gaussians it was made of, in the order of the file. */
export async function compressedPlyAccuracy({
  file,
  original,
}: {
  readonly file: Uint8Array;
  readonly original: SplatCloud;
}): Promise<readonly RoundTripRow[]> {
  const cloud = await readSplats(file, { format: 'compressed-ply' });
  const format = 'compressed-ply (read)';
  const found: RoundTripRow[] = [];
  for (let first = 0; first < original.count; first += 256) {
    const rows = Array.from({ length: Math.min(256, original.count - first) }, (_, i) => first + i);
    const [got, want] = [reordered(cloud, rows), reordered(original, rows)];
    const spread = (values: Float32Array): number => values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b));
    const of = (attribute: string, values: readonly [Float32Array, Float32Array], steps: number): RoundTripRow => ({
      format,
      attribute,
      error: largestDifference(...values),
      bound: spread(values[1]) / steps / 2 + 1e-5,
      because: `half of 1/${steps} of what 256 Gaussians span`,
    });
    found.push(
      of('means', [got.means, want.means], 1023),
      of('logScales', [got.logScales, want.logScales], 1023),
      of('sh, degree 0', [coefficients(got, 0, 1), coefficients(want, 0, 1)], 255),
    );
  }
  found.push({
    format,
    attribute: 'opacities',
    error: largestDifference(opacities(cloud), opacities(original)),
    bound: 0.5 / 255 + 1e-6,
    because: 'half of 1/255',
  });
  found.push({
    format,
    attribute: 'quaternions',
    error: largestTurn(cloud, original),
    bound: 2 * Math.sqrt(3) * (Math.SQRT2 / 1023 / 2) * 1.05,
    because: 'three components to half of sqrt(2)/1023, the largest from the unit length',
  });
  const last = (original.degree + 1) ** 2;
  if (last > 1)
    found.push({
      format,
      attribute: 'sh, higher degrees',
      error: largestDifference(coefficients(cloud, 1, last), coefficients(original, 1, last)),
      bound: 4 / 256 + 1e-6,
      because: 'half of 8/256',
    });
  return worstOf(found);
}
