import { numbers, realize } from '@langevin/tensor';
import { describe, expect, it } from 'vitest';
import { onCpu } from '../engine.ts';
import { evaluate, readGolden, toleranceOf, worstDifference, type GoldenCase } from './golden.ts';
import { layerCases } from './layer-cases.ts';
import { lossCases } from './loss-cases.ts';

onCpu();

// Values and gradients of PyTorch 2.13 in float32: tooling/parity/nn_golden.py says how and derives the tolerance.
describe.each([
  ['layers', layerCases, 25],
  ['losses', lossCases, 12],
] as const)('%s agree with PyTorch', (part, table, least) => {
  const { cases } = readGolden<{ readonly cases: readonly GoldenCase[] }>(part);

  it('in every case of the golden file, and there are enough', () => {
    expect(Object.keys(table).sort()).toEqual(cases.map(({ name }) => name).sort());
    expect(cases.length).toBeGreaterThanOrEqual(least);
  });

  it.each(cases.map((golden) => [golden.name, golden] as const))('%s', async (name, golden) => {
    const { output, gradients } = evaluate(golden, table[name]!);
    expect(output.shape).toEqual(golden.output.shape);
    await realize([output, ...Object.values(gradients)]);
    expect(worstDifference(await numbers(output), golden.output), 'output').toBeLessThanOrEqual(toleranceOf(golden, undefined));
    for (const [key, expected] of Object.entries(golden.gradients)) {
      expect(worstDifference(await numbers(gradients[key]!), expected), `gradient by ${key}`).toBeLessThanOrEqual(toleranceOf(golden, key));
    }
  });
});
