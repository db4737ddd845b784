import { readFileSync } from 'node:fs';
import { cpuRasterizer, referenceRasterizer } from '@langevin/gaussians';
import { compareGolden, compareGoldenReference, type GaussiansGolden, type GoldenDifference } from '@langevin/gaussians/testing';
import { expect, test } from 'vitest';

// Written by tooling/parity/gaussians_golden.py: the formulas in PyTorch, gradients by its autograd.
const golden = JSON.parse(readFileSync(new URL('golden/gaussians.json', import.meta.url), 'utf8')) as GaussiansGolden;

const beyond = (differences: readonly GoldenDifference[]): readonly GoldenDifference[] =>
  differences.filter(({ ours, allowed }) => !(ours <= allowed));

test('the scenes take every decision that there is, and none of them by a hair', () => {
  const taken = golden.cases.flatMap(({ decisions }) =>
    Object.entries(decisions)
      .filter(([, count]) => count > 0)
      .map(([name]) => name),
  );
  expect([...new Set(taken)].sort()).toEqual([
    'alpha of 0.99',
    'behind the near plane',
    'behind the stop',
    'beyond the margin of the picture',
    'colour of 0',
    'least compensation',
  ]);
  expect(golden.cases).toHaveLength(10);
  for (const { clearance } of golden.cases) expect(clearance).toBeGreaterThanOrEqual(1e-4);
});

test('the reference draws and differentiates as PyTorch does in float64', async () => {
  const differences = await compareGoldenReference(golden, referenceRasterizer());
  expect(differences.length).toBeGreaterThan(10 * 10);
  expect(beyond(differences)).toEqual([]);
});

test("the CPU rasterizer is as near to PyTorch's float64 as single precision allows", async () => {
  const rasterizer = cpuRasterizer({ threads: 1 });
  const differences = await compareGolden(golden, rasterizer);
  await rasterizer.dispose();
  expect(differences.length).toBeGreaterThan(9 * 10);
  expect(beyond(differences)).toEqual([]);
});
