import { isFloating, numbersFromHost } from '../dtype.ts';
import { drawFor } from './draw.ts';
import { floatResults, gradientOf, programOnReference, type Result } from './program.ts';
import type { ReferenceEngine } from './reference/engine.ts';
import type { ConformanceRow, RowFunction } from './row.ts';

/** A function with its arguments and what the reference engine says of it: a row, its gradient, or the gradient of that. */
export interface Case {
  readonly fn: RowFunction;
  readonly inputs: readonly Result[];
  readonly results: readonly Result[];
  readonly derivative: 0 | 1 | 2;
  /** Names the random streams. */
  readonly name: string;
}

async function withResults(reference: ReferenceEngine, part: Omit<Case, 'results'>): Promise<Case> {
  const program = await programOnReference(reference, part.fn, part.inputs);
  const results = await program.run(part.inputs);
  await program.dispose();
  return { ...part, results };
}

/** The row itself. */
export function valueCase(reference: ReferenceEngine, row: ConformanceRow): Promise<Case> {
  const inputs = row
    .inputs(drawFor(row.name))
    .map(({ shape, dtype, data }): Result => ({ shape, dtype, values: numbersFromHost(dtype, data) }));
  return withResults(reference, { fn: row.fn, inputs, derivative: 0, name: row.name });
}

/** The vector-Jacobian product of a case, whose random cotangents are further arguments. */
export function gradientCase(reference: ReferenceEngine, of: Case): Promise<Case> {
  const draw = drawFor(`gradient of ${of.name}`);
  const cotangents = of.results
    .filter(({ dtype }) => isFloating(dtype))
    .map(({ shape, dtype }): Result => ({ shape, dtype, values: numbersFromHost(dtype, draw.smooth(shape, dtype).data) }));
  return withResults(reference, {
    fn: gradientOf(of.fn, of.inputs.length),
    inputs: [...of.inputs, ...cotangents],
    derivative: of.derivative === 0 ? 1 : 2,
    name: `gradient of ${of.name}`,
  });
}

/** The cotangents among a gradient's arguments. */
export function cotangentsOf(gradient: Case, of: Case): readonly Result[] {
  return gradient.inputs.slice(of.inputs.length);
}

/** A case without its integer results. */
export function floatCase(of: Case): Case {
  return { ...of, fn: floatResults(of.fn), results: of.results.filter(({ dtype }) => isFloating(dtype)) };
}
