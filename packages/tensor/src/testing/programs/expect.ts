import { isFloating, numbersFromHost, type DType } from '../../dtype.ts';
import { traceGraph } from '../../graph/trace.ts';
import { verifyGraph } from '../../graph/verify.ts';
import type { Shape } from '../../shape.ts';
import type { RowFunction } from '../row.ts';
import type { Result } from '../program.ts';
import { referenceEngine } from '../reference/engine.ts';
import { unitRoundoff } from '../tolerance.ts';
import { floatInputs, gradientFunction, programFunction } from './interpret.ts';
import { noisyGraph, runGraph } from './noise.ts';
import { drawHost, weightsOf, type ProgramInput, type ProgramSpec } from './spec.ts';

export type Derivative = 'value' | 'gradient' | 'second gradient';

/** What one result should be, and how far rounding can bring an engine from it. */
export interface Expected {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly values: ArrayLike<number>;
  /** For each element the largest difference that rounding explains; NaN where rounding decides what it is at all. */
  readonly tolerances: Float64Array;
}

/** A function of a program (itself, its gradient, the gradient of that), its arguments and its results. */
export interface Expectation {
  readonly derivative: Derivative;
  readonly fn: RowFunction;
  readonly inputs: readonly ProgramInput[];
  readonly results: readonly Expected[];
}

/** Runs whose arithmetic is rounded up or down by chance (see `noisyGraph`): how far they are from float64 is what rounding can do. */
const SAMPLES = 5;
/** The worst of a few samples is not the worst that there is. */
const SAMPLE_FACTOR = 8;
/** Roundings of the largest element of a result that are allowed in any case. */
const UNITS = 32;
/** Results that cancel are as exact as what cancelled: numbers of this size at least, since those that are drawn are about 1. */
const LEAST_SCALE = 1 / 8;
/** What rounding can move by this part of the largest element is decided by rounding: a jump, or a pole. */
const UNSETTLED = 2 ** -7;

interface Question {
  readonly derivative: Derivative;
  readonly fn: RowFunction;
  readonly inputs: readonly ProgramInput[];
  /** Whether there are float16 values on the way. */
  readonly halves: boolean;
}

async function expect({ derivative, fn, inputs, halves }: Question): Promise<Expectation> {
  const rounding = referenceEngine({ precision: 'float32' });
  const drawn = inputs.map((input): Result => ({ ...input, values: numbersFromHost(input.dtype, drawHost(input)) }));
  const graph = traceGraph(fn, inputs);
  verifyGraph(graph);
  // float16 is rounded after every op, which float64 does not know of: there the rounding reference itself is the truth.
  const exact = await runGraph(halves ? rounding : referenceEngine(), graph, drawn);
  const samples: (readonly Result[])[] = [];
  for (let s = 0; s < SAMPLES; s++) samples.push(await runGraph(rounding, noisyGraph(graph, s), drawn));
  const coarsest = (dtype: DType): DType => (halves ? 'float16' : dtype);
  const results = exact.map((result, i): Expected => {
    const others = samples.map((sample) => sample[i]!);
    return { ...result, tolerances: tolerancesOf(result, others, coarsest(result.dtype)) };
  });
  return { derivative, fn, inputs, results };
}

/** Numbers of one class can be compared by their distance; a NaN or an infinity is right or wrong. */
const classOf = (v: number): string => (Number.isNaN(v) ? 'NaN' : Math.abs(v) > 3.4e38 ? (v > 0 ? '+' : '-') : 'finite');

function tolerancesOf({ values, dtype }: Result, samples: readonly Result[], coarsest: DType): Float64Array {
  const errors = Float64Array.from(values as ArrayLike<number>, (v, i) => {
    const all = samples.map((sample) => sample.values[i]!);
    if (all.some((w) => classOf(w) !== classOf(v))) return NaN;
    return classOf(v) === 'finite' ? Math.max(...all.map((w) => Math.abs(w - v))) : 0;
  });
  if (!isFloating(dtype)) return errors.map((e) => (e === 0 ? 0 : NaN));
  const scale = Array.from(values).reduce((most, v) => (classOf(v) === 'finite' ? Math.max(most, Math.abs(v)) : most), 0);
  const settled = Array.from(errors).filter((e) => !Number.isNaN(e) && e <= UNSETTLED * scale);
  const typical = Math.sqrt(settled.reduce((sum, e) => sum + e * e, 0) / Math.max(1, settled.length));
  return errors.map((e) => {
    if (Number.isNaN(e) || (e > UNSETTLED * scale && e > 0)) return NaN;
    return SAMPLE_FACTOR * Math.max(e, typical) + UNITS * unitRoundoff(coarsest) * Math.max(scale, LEAST_SCALE);
  });
}

/** Whether float16 values occur in a program. */
function hasHalves({ inputs, steps }: ProgramSpec): boolean {
  return inputs.some(({ dtype }) => dtype === 'float16') || steps.some(({ attributes }) => attributes['dtype'] === 'float16');
}

/** Whether a program has derivatives that every engine must agree on: not at kinks, and not where float16 rounds. */
function isSmooth(spec: ProgramSpec): boolean {
  return spec.kind !== 'dtypes' && spec.inputs.every(({ draw }) => draw !== 'special') && !hasHalves(spec);
}

export interface ExpectationOptions {
  /** @default 'second gradient' */
  readonly upTo?: Derivative;
}

/** What the reference engine says of a program: its results and, where it is smooth, the first and second gradients. */
export async function expectationsOf(spec: ProgramSpec, { upTo }: ExpectationOptions = {}): Promise<readonly Expectation[]> {
  const fn = programFunction(spec);
  const halves = hasHalves(spec);
  const value = await expect({ derivative: 'value', fn, inputs: spec.inputs, halves });
  const by = floatInputs(spec);
  const floats = value.results.filter(({ dtype }) => isFloating(dtype));
  if (upTo === 'value' || !isSmooth(spec) || by.length === 0 || floats.length === 0) return [value];
  const count = spec.inputs.length;
  const weights = floats.map((result, i) => weightsOf(spec, result, i));
  const slope = gradientFunction(fn, by, count);
  const first = await expect({ derivative: 'gradient', fn: slope, inputs: [...spec.inputs, ...weights], halves });
  if (upTo === 'gradient') return [value, first];
  const more = first.results.map((result, i) => weightsOf(spec, result, 32 + i));
  const curve = gradientFunction(slope, by, count + weights.length);
  const second = await expect({ derivative: 'second gradient', fn: curve, inputs: [...spec.inputs, ...weights, ...more], halves });
  return [value, first, second];
}
