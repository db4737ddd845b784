import type { Comparison } from './compare.ts';
import { cotangentsOf, floatCase, gradientCase, valueCase, type Case } from './case.ts';
import { along, fourthOrderQuotient, moved, randomDirections, weighted } from './directions.ts';
import { programOnReference } from './program.ts';
import type { ReferenceEngine } from './reference/engine.ts';
import type { ConformanceRow } from './row.ts';
import { EXACT_DIFFERENCES } from './tolerance.ts';

/** Compare the gradient rules behind a case with fourth-order difference quotients, all in float64. */
async function proveCase(reference: ReferenceEngine, of: Case): Promise<{ readonly gradient: Case; readonly comparison: Comparison }> {
  const value = floatCase(of);
  const gradient = await gradientCase(reference, value);
  const cotangents = cotangentsOf(gradient, value);
  const program = await programOnReference(reference, value.fn, value.inputs);
  const { step: h, relativeError } = EXACT_DIFFERENCES;
  let worst: Comparison = { maxError: 0, tolerance: relativeError };
  for (const direction of randomDirections(value.inputs, 'normal', 1)) {
    const quotient = await fourthOrderQuotient(
      async (step) => weighted(cotangents, await program.run(moved(value.inputs, direction, step))),
      h,
    );
    const { slope, magnitude } = along(gradient.results, direction, value.inputs);
    const values = value.results.reduce((sum, result, i) => sum + Math.abs(weighted([cotangents[i]!], [result])), 0);
    const error = Math.abs(quotient - slope) / Math.max(1, magnitude, values);
    if (!(error <= worst.maxError)) worst = { maxError: error, tolerance: relativeError };
    if (!(error <= relativeError))
      worst = { ...worst, problem: `derivative in a direction is ${slope}, the difference quotient ${quotient}` };
  }
  await program.dispose();
  return { gradient, comparison: worst };
}

/**
 * Prove a row's gradient rules, and the rules of its gradient where the row asks for it, by finite differences in float64 on the
 * reference engine, which must be 'unrounded'. Independent of any real engine: once is enough.
 */
export async function proveGradient(reference: ReferenceEngine, row: ConformanceRow): Promise<readonly Comparison[]> {
  if (typeof row.gradient === 'object') return [];
  const first = await proveCase(reference, await valueCase(reference, row));
  if (row.gradient === 'first') return [first.comparison];
  return [first.comparison, (await proveCase(reference, first.gradient)).comparison];
}
