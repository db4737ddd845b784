import {
  adamStep,
  changeRows,
  composeRows,
  keepRows,
  meansRate,
  DEFAULT_RATES,
  PARAMETERS,
  rowLength,
  zeroMoments,
  type ParameterName,
  type Population,
} from '@langevin/gaussians';
import { describe, expect, it } from 'vitest';

describe('Adam', () => {
  it('gives the numbers of torch.optim.Adam', () => {
    // torch 2.13, float64: Adam([1, -2, 0.5], lr=0.1, eps=1e-15), gradients [0.3, -0.1, 0], [0.1, 0.4, 1e-8], [-2, 0.4, 0].
    const values = Float32Array.of(1, -2, 0.5);
    const moments = zeroMoments(3);
    const columns = { rowLength: 3, from: 0, to: 3, rate: 0.1 };
    for (const [i, gradient] of [
      [0.3, -0.1, 0],
      [0.1, 0.4, 1e-8],
      [-2, 0.4, 0],
    ].entries())
      adamStep({ values, gradient: Float32Array.from(gradient), moments, columns, step: i + 1 });
    for (const [i, expected] of [0.8654865974732138, -2.0314779046225584, 0.3680643459916735].entries())
      expect(values[i]).toBeCloseTo(expected, 6);
  });

  it('changes only its columns', () => {
    const values = new Float32Array(8);
    adamStep({
      values,
      gradient: new Float32Array(8).fill(1),
      moments: zeroMoments(8),
      columns: { rowLength: 4, from: 1, to: 3, rate: 0.5 },
      step: 1,
    });
    expect([...values]).toEqual([0, -0.5, -0.5, 0, 0, -0.5, -0.5, 0]);
  });

  it('lets the rate of means fall exponentially', () => {
    const at = (step: number): number => meansRate(DEFAULT_RATES, { step, decaySteps: 100, extent: 2 });
    expect(at(0)).toBeCloseTo(3.2e-4, 12);
    expect(at(50)).toBeCloseTo(3.2e-5, 12);
    expect(at(100)).toBeCloseTo(3.2e-6, 12);
    expect(at(1000)).toBe(at(100));
  });
});

/** Every number tells its row. */
function population(count: number): Population {
  const rows = (length: number, offset: number): Float32Array =>
    Float32Array.from({ length: count * length }, (_, i) => Math.floor(i / length) + offset);
  const each = <T>(make: (name: ParameterName) => T): Record<ParameterName, T> =>
    Object.fromEntries(PARAMETERS.map((name) => [name, make(name)])) as Record<ParameterName, T>;
  return {
    gaussians: { count, degree: 1, ...each((name) => rows(rowLength(name, 1), 0)) },
    moments: each((name) => ({ mean: rows(rowLength(name, 1), 100), square: rows(rowLength(name, 1), 200) })),
    statistics: { seen: rows(1, 300), pair: rows(2, 400) },
  };
}

describe('rows', () => {
  it('carry parameters, moments and statistics with them', () => {
    const { gaussians, moments, statistics } = changeRows(population(4), { source: Int32Array.of(3, 0, 3), fresh: Uint8Array.of(0, 0, 1) });
    expect(gaussians.count).toBe(3);
    for (const name of PARAMETERS) {
      const length = rowLength(name, 1);
      const spread = (rows: readonly number[]): number[] => rows.flatMap((row) => Array<number>(length).fill(row));
      expect([...gaussians[name]]).toEqual(spread([3, 0, 3]));
      expect([...moments[name].mean]).toEqual(spread([103, 100, 0]));
      expect([...moments[name].square]).toEqual(spread([203, 200, 0]));
    }
    expect([...statistics['seen']!]).toEqual([303, 300, 0]);
    expect([...statistics['pair']!]).toEqual([403, 403, 400, 400, 0, 0]);
  });

  it('change after change is one change', () => {
    const first = { source: Int32Array.of(2, 1, 1), fresh: Uint8Array.of(0, 0, 1) };
    const second = keepRows(3, (row) => row !== 1);
    expect(changeRows(population(3), composeRows(first, second))).toEqual(changeRows(changeRows(population(3), first), second));
  });

  it('refuse a change that does not fit', () => {
    expect(() => changeRows(population(2), { source: Int32Array.of(2), fresh: Uint8Array.of(0) })).toThrow(
      '[gaussians/rows] change does not fit',
    );
  });
});
