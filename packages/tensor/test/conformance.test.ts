import { describe, expect, test } from 'vitest';
import { compositeNames, primitiveNames } from '@langevin/tensor';
import { conformanceRows, proveGradient, referenceEngine, testEngine } from '@langevin/tensor/testing';

test('every primitive and composite has a row', () => {
  const covered = new Set(conformanceRows.map(({ op }) => op));
  expect([...primitiveNames, ...compositeNames].filter((op) => !covered.has(op))).toEqual([]);
});

test('names of rows are unique', () => {
  expect(new Set(conformanceRows.map(({ name }) => name)).size).toBe(conformanceRows.length);
});

describe('gradient rules agree with difference quotients in float64', () => {
  const reference = referenceEngine({ precision: 'unrounded' });
  for (const row of conformanceRows) {
    if (typeof row.gradient === 'object') continue;
    test(row.name, async () => {
      const comparisons = await proveGradient(reference, row);
      expect(comparisons.map(({ problem }) => problem).filter((problem) => problem !== undefined)).toEqual([]);
    });
  }
});

await testEngine(async () => referenceEngine({ precision: 'float32' }), { name: 'the reference engine in float32' });
