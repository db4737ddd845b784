import { isFloating } from '../dtype.ts';
import type { Engine } from '../engine/engine.ts';
import { errorKind } from '../errors.ts';
import type { OpName } from '../graph/primitives.ts';
import { sameShape, showShape } from '../shape.ts';
import { compareResults, type Comparison } from './compare.ts';
import { cotangentsOf, floatCase, gradientCase, valueCase, type Case } from './case.ts';
import { along, fourthOrderQuotient, moved, randomDirections, weighted } from './directions.ts';
import { DIFFERENCE_STEP } from './draw.ts';
import { programOnReference, programPool, type Program, type ProgramPool } from './program.ts';
import type { ReferenceEngine } from './reference/engine.ts';
import type { ConformanceRow } from './row.ts';
import { errorBound, EXACT_DIFFERENCES, POINTWISE, type Tolerance } from './tolerance.ts';

export type RowCheck = 'shape' | 'value' | 'gradient' | 'finite-differences' | 'second-gradient';

/** One line of the evidence table. */
export interface ConformanceResult {
  readonly op: OpName | 'engine';
  readonly row: string;
  readonly check: RowCheck | 'behaviour';
  readonly status: 'pass' | 'fail' | 'unsupported' | 'skipped';
  /** Why it did not pass. */
  readonly error?: string;
  readonly maxError?: number;
  readonly tolerance?: number;
}

async function compareCase(pool: ProgramPool, of: Case, tolerance: Tolerance): Promise<Comparison> {
  const program = await pool.program(of.fn, of.inputs);
  return compareResults(await program.run(of.inputs), of.results, { tolerance, derivative: of.derivative });
}

/**
 * Compare the engine's gradient with the engine's own central difference quotients, in float32. The inputs move by signs times 2^-6,
 * which rounds nothing; the truncation error is how far the reference engine's quotient at the same step is from its quotient of
 * fourth order at a small one (its gradient has no part in it), the rounding error what the value's tolerance allows, divided by the step.
 */
async function compareDifferences({
  pool,
  reference,
  of,
  gradient,
  tolerance,
}: {
  pool: ProgramPool;
  reference: ReferenceEngine;
  of: Case;
  gradient: Case;
  tolerance: Tolerance;
}): Promise<Comparison> {
  const cotangents = cotangentsOf(gradient, of);
  const values = await pool.program(of.fn, of.inputs);
  const gradients = await pool.program(gradient.fn, gradient.inputs);
  const exact = await programOnReference(reference, of.fn, of.inputs);
  const h = DIFFERENCE_STEP;
  const found = await gradients.run(gradient.inputs);
  const rounding = of.results.reduce((sum, { dtype, values: y }, i) => {
    const scale = Math.max(...Array.from(y, Math.abs));
    const weight = Array.from(cotangents[i]!.values, Math.abs).reduce((a, b) => a + b, 0);
    return sum + (weight * errorBound(tolerance.kind === 'exact' ? POINTWISE : tolerance, { dtype, derivative: 0, scale })) / h;
  }, 0);
  let worst: Comparison = { maxError: 0, tolerance: 0 };
  for (const direction of randomDirections(of.inputs, 'signs', 2)) {
    const at = async (program: Program, step: number): Promise<number> =>
      weighted(cotangents, await program.run(moved(of.inputs, direction, step)));
    const quotient = async (program: Program): Promise<number> => ((await at(program, h)) - (await at(program, -h))) / (2 * h);
    const { slope, magnitude } = along(found, direction, of.inputs);
    const derivative = await fourthOrderQuotient((step) => at(exact, step), EXACT_DIFFERENCES.step);
    const truncation = Math.abs((await quotient(exact)) - derivative) + EXACT_DIFFERENCES.relativeError * magnitude;
    const allowed = truncation + rounding;
    const measured = await quotient(values);
    const error = Math.abs(slope - measured);
    if (!(error <= allowed)) {
      worst = {
        maxError: error,
        tolerance: allowed,
        problem:
          `derivative in a direction is ${slope}, the difference quotient ${measured}: off by ${error.toExponential(2)}, allowed `
          + `${allowed.toExponential(2)}`,
      };
      break;
    }
    if (error >= worst.maxError) worst = { maxError: error, tolerance: allowed };
  }
  await exact.dispose();
  return worst;
}

/** The checks that a row asks for. */
export function checksOf(row: ConformanceRow): readonly RowCheck[] {
  if (typeof row.gradient === 'object') return ['shape', 'value'];
  return row.gradient === 'first'
    ? ['shape', 'value', 'gradient', 'finite-differences']
    : ['shape', 'value', 'gradient', 'finite-differences', 'second-gradient'];
}

function checkShape(row: ConformanceRow, { results }: Case): Comparison {
  const [first] = results;
  const dtype = row.dtype ?? 'float32';
  if (first && sameShape(first.shape, row.shape) && first.dtype === dtype) return { maxError: 0, tolerance: 0 };
  return {
    maxError: Infinity,
    tolerance: 0,
    problem: `the shape rule gives ${first?.dtype}${showShape(first?.shape ?? [])}, expected ${dtype}${showShape(row.shape)}`,
  };
}

/** What a row's first result must be, by hand where it was worked out by hand. */
function expectedCase(row: ConformanceRow, value: Case): Case {
  if (!row.expected) return value;
  const [first, ...rest] = value.results;
  return { ...value, results: [{ ...first!, values: row.expected }, ...rest] };
}

/** All checks of one row on one engine. A failure is a result, never an exception. */
export async function checkRow(engine: Engine, reference: ReferenceEngine, row: ConformanceRow): Promise<ConformanceResult[]> {
  const { tolerance } = row;
  const pool = programPool(engine);
  let value: Case | undefined;
  let gradient: Case | undefined;
  const valueOf = async (): Promise<Case> => (value ??= await valueCase(reference, row));
  const gradientOf = async (): Promise<Case> => (gradient ??= await gradientCase(reference, floatCase(await valueOf())));
  const checks: Record<RowCheck, () => Promise<Comparison | string>> = {
    shape: async () => checkShape(row, await valueOf()),
    value: async () => compareCase(pool, expectedCase(row, await valueOf()), tolerance),
    gradient: async () => compareCase(pool, await gradientOf(), tolerance),
    'finite-differences': async () => {
      const of = floatCase(await valueOf());
      const narrow = [...of.inputs, ...of.results].find(({ dtype }) => isFloating(dtype) && dtype !== 'float32');
      if (narrow) return `a difference quotient in ${narrow.dtype} is mostly rounding`;
      return compareDifferences({ pool, reference, of, gradient: await gradientOf(), tolerance });
    },
    'second-gradient': async () => compareCase(pool, await gradientCase(reference, await gradientOf()), tolerance),
  };
  const results: ConformanceResult[] = [];
  for (const check of checksOf(row)) {
    const base = { op: row.op, row: row.name, check };
    try {
      const outcome = await checks[check]();
      if (typeof outcome === 'string') results.push({ ...base, status: 'skipped', error: outcome });
      else {
        const { maxError, tolerance: allowed, problem } = outcome;
        results.push({
          ...base,
          status: problem === undefined ? 'pass' : 'fail',
          ...(problem === undefined ? {} : { error: problem }),
          maxError,
          tolerance: allowed,
        });
      }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      results.push({ ...base, status: errorKind(error) === 'unsupported' ? 'unsupported' : 'fail', error: message });
    }
  }
  await pool.dispose();
  return results;
}
