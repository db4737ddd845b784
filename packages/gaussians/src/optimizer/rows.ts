import { InternalError } from '@langevin/tensor';
import { PARAMETERS, rowLength, type Gaussians, type ParameterName } from '../gaussians.ts';
import type { Moments } from './adam.ts';

/** What a change of the number of Gaussians does to every array that has a row for each. */
export interface RowChange {
  /** For each new row, the old row that it comes from. */
  readonly source: Int32Array;
  /** 1 for new rows whose moments and statistics begin at zero. */
  readonly fresh: Uint8Array;
}

/** Rows of an array in the order of `source`; `fresh` rows, where given, are zero. */
export function gatherRows(
  values: Float32Array,
  length: number,
  { source, fresh }: { readonly source: Int32Array; readonly fresh?: Uint8Array },
): Float32Array {
  const out = new Float32Array(source.length * length);
  for (let row = 0; row < source.length; row++) {
    if (fresh?.[row] === 1) continue;
    const from = source[row]! * length;
    for (let i = 0; i < length; i++) out[row * length + i] = values[from + i]!;
  }
  return out;
}

/** Moments of all parameters. */
export type MomentsByName = Readonly<Record<ParameterName, Moments>>;

/** Arrays of a row for each Gaussian that a strategy keeps, by name. */
export type Statistics = Readonly<Record<string, Float32Array>>;

/** Everything that has a row for each Gaussian. */
export interface Population {
  readonly gaussians: Gaussians;
  readonly moments: MomentsByName;
  readonly statistics: Statistics;
}

/** The population after a change: parameters are copied, moments and statistics of fresh rows are zero. */
export function changeRows({ gaussians, moments, statistics }: Population, change: RowChange): Population {
  const { source, fresh } = change;
  if (source.length !== fresh.length || source.some((row) => row < 0 || row >= gaussians.count))
    throw new InternalError(
      `[gaussians/rows] change does not fit: source.length=${source.length}, fresh.length=${fresh.length}, count=${gaussians.count}.`,
    );
  const length = (name: ParameterName): number => rowLength(name, gaussians.degree);
  const entries = <T>(make: (name: ParameterName) => T): Record<ParameterName, T> =>
    Object.fromEntries(PARAMETERS.map((name) => [name, make(name)])) as Record<ParameterName, T>;
  return {
    gaussians: {
      count: source.length,
      degree: gaussians.degree,
      ...entries((name) => gatherRows(gaussians[name], length(name), { source })),
    },
    moments: entries((name) => ({
      mean: gatherRows(moments[name].mean, length(name), change),
      square: gatherRows(moments[name].square, length(name), change),
    })),
    statistics: Object.fromEntries(
      Object.entries(statistics).map(([name, values]) => [
        name,
        gatherRows(values, gaussians.count === 0 ? 0 : values.length / gaussians.count, change),
      ]),
    ),
  };
}

/** Rows kept where `keep` says so; none is fresh. */
export function keepRows(count: number, keep: (row: number) => boolean): RowChange {
  const source = Int32Array.from(Array.from({ length: count }, (_, row) => row).filter(keep));
  return { source, fresh: new Uint8Array(source.length) };
}

/** One change after another as one. */
export function composeRows(first: RowChange, second: RowChange): RowChange {
  return {
    source: second.source.map((row) => first.source[row]!),
    fresh: second.fresh.map((fresh, i) => (fresh === 1 || first.fresh[second.source[i]!] === 1 ? 1 : 0)),
  };
}
