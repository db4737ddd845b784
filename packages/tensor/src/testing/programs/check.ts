import { numbersFromHost } from '../../dtype.ts';
import { compile } from '../../compile.ts';
import type { Engine } from '../../engine/engine.ts';
import { data, realize } from '../../engine/realize.ts';
import { errorKind } from '../../errors.ts';
import { tensor } from '../../ops/create.ts';
import { sameShape, showShape } from '../../shape.ts';
import type { Tensor } from '../../tensor.ts';
import { expectationsOf, type Derivative, type Expectation, type Expected } from './expect.ts';
import { rebatched } from './generate.ts';
import { drawHost, mixed, type ProgramInput, type ProgramSpec } from './spec.ts';

/** How a program was run. */
export type ProgramMode = 'eager' | 'compiled' | 'frozen' | 'donated';

/** One difference between an engine and the reference. */
export interface ProgramFinding {
  readonly mode: ProgramMode;
  readonly of: Derivative;
  readonly problem: string;
}

export interface ProgramReport {
  readonly findings: readonly ProgramFinding[];
  /** Elements that were compared, and those that rounding decides, which say nothing. */
  readonly compared: number;
  readonly unsettled: number;
  /** What the engine refused with an UnsupportedError. */
  readonly refused?: string;
}

class Tally {
  readonly findings: ProgramFinding[] = [];
  compared = 0;
  unsettled = 0;

  compare(found: readonly Tensor[], lists: readonly ArrayLike<number>[], run: { mode: ProgramMode; expectation: Expectation }): void {
    const { mode, expectation } = run;
    const { results, derivative: of } = expectation;
    results.forEach((wanted, i) => {
      const problem = this.#difference(found[i]!, lists[i]!, wanted);
      if (problem !== undefined) this.findings.push({ mode, of, problem: `result ${i}: ${problem}` });
    });
  }

  #difference(found: Tensor, list: ArrayLike<number>, wanted: Expected): string | undefined {
    if (!sameShape(found.shape, wanted.shape) || found.dtype !== wanted.dtype || list.length !== wanted.values.length)
      return `${found.dtype}${showShape(found.shape)}[${list.length}], expected ${wanted.dtype}${showShape(wanted.shape)}`;
    for (let i = 0; i < list.length; i++) {
      const tolerance = wanted.tolerances[i]!;
      if (Number.isNaN(tolerance)) {
        this.unsettled++;
        continue;
      }
      this.compared++;
      const [a, b] = [list[i]!, wanted.values[i]!];
      if (isWithin(a, b, tolerance)) continue;
      return `element ${i} is ${a}, expected ${b}, off by ${Math.abs(a - b).toExponential(2)}, allowed ${tolerance.toExponential(2)}`;
    }
    return undefined;
  }
}

function isWithin(found: number, wanted: number, tolerance: number): boolean {
  const rounded = Math.fround(wanted);
  if (Number.isFinite(rounded)) return Math.abs(found - wanted) <= tolerance;
  return Object.is(found, rounded) || found === rounded;
}

const tensorsFor = (inputs: readonly ProgramInput[]): Tensor[] =>
  inputs.map((input) => tensor(drawHost(input), { shape: input.shape, dtype: input.dtype }));

const listOf = (result: Tensor | readonly Tensor[]): readonly Tensor[] =>
  'shape' in result ? [result as Tensor] : (result as readonly Tensor[]);

async function read(results: readonly Tensor[], engine: Engine): Promise<ArrayLike<number>[]> {
  const lists: ArrayLike<number>[] = [];
  for (const result of results) lists.push(numbersFromHost(result.dtype, await data(result, { engine })));
  return lists;
}

async function runEagerly(engine: Engine, expectation: Expectation, tally: Tally): Promise<void> {
  const results = listOf(expectation.fn(...tensorsFor(expectation.inputs)));
  await realize(results, { engine });
  tally.compare(results, await read(results, engine), { mode: 'eager', expectation });
}

/** A compiled function, some of whose arguments are frozen or donated, called twice; and with other batches in between. */
async function runCompiled(engine: Engine, expectations: readonly Expectation[], run: { mode: ProgramMode; tally: Tally }): Promise<void> {
  const [first] = expectations as [Expectation];
  const { mode, tally } = run;
  const chosen = first.inputs.map((_, i) => i).filter((i) => mixed(first.inputs[0]?.seed ?? 0, i) % 2 === 0);
  const fn = compile((...args: readonly Tensor[]) => listOf(first.fn(...args)), {
    engine,
    name: 'program',
    ...(mode === 'frozen' ? { freeze: chosen } : {}),
    ...(mode === 'donated' ? { donate: chosen } : {}),
  });
  try {
    for (const expectation of [...expectations, ...expectations]) {
      const args = tensorsFor(expectation.inputs);
      // Storage that was uploaded is not written into, storage that was computed is: donate the latter.
      if (mode === 'donated') await realize(args, { engine });
      const results = await fn(...args);
      tally.compare(results, await read(results, engine), { mode, expectation });
    }
  } finally {
    await fn.dispose();
  }
}

export interface CheckOptions {
  /** What the reference says, where it is known already. @default it is asked */
  readonly expectations?: readonly Expectation[];
}

/** Batch sizes that a `batched` program runs with beside its own, through the same compiled function. */
const BATCHES = [1, 2, 7];

/**
 * Run a program on an engine, eagerly and compiled, with frozen and donated arguments, its gradients too, and compare with the float64
 * reference. What the engine refuses as unsupported is said; everything else that differs is a finding.
 *
 * @example
 * const report = await checkProgram(referenceEngine({ precision: 'float32' }), generateProgram('smooth', 1));
 * report.findings; // => []
 */
export async function checkProgram(engine: Engine, spec: ProgramSpec, options: CheckOptions = {}): Promise<ProgramReport> {
  const expectations = options.expectations ?? (await expectationsOf(spec));
  const tally = new Tally();
  const guarded = async (of: Expectation, mode: ProgramMode, work: () => Promise<void>): Promise<string | undefined> => {
    try {
      await work();
      return undefined;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (errorKind(error) === 'unsupported') return message;
      tally.findings.push({ mode, of: of.derivative, problem: `it fails: ${message}` });
      return undefined;
    }
  };
  let refused: string | undefined;
  for (const expectation of expectations) {
    const others = expectation.derivative === 'value' && spec.kind === 'batched' ? await otherBatches(spec) : [];
    const mode = (['compiled', 'frozen', 'donated'] as const)[mixed(spec.seed, expectation.inputs.length) % 3]!;
    const compiledMode = others.length > 0 ? 'compiled' : mode;
    if (expectation.derivative === 'value') refused ??= await guarded(expectation, 'eager', () => runEagerly(engine, expectation, tally));
    refused ??= await guarded(expectation, compiledMode, () =>
      runCompiled(engine, [expectation, ...others], { mode: compiledMode, tally }),
    );
  }
  const { findings, compared, unsettled } = tally;
  return { findings, compared, unsettled, ...(refused === undefined ? {} : { refused }) };
}

async function otherBatches(spec: ProgramSpec): Promise<Expectation[]> {
  const found: Expectation[] = [];
  for (const batch of BATCHES) {
    const other = rebatched(spec, batch);
    if (other) found.push((await expectationsOf(other, { upTo: 'value' }))[0]!);
  }
  return found;
}

/** A program as the line of a test: paste it, and it checks this program. */
export function pastedProgram(spec: ProgramSpec): string {
  return `expect((await checkProgram(engine, ${JSON.stringify(spec)})).findings).toEqual([]);`;
}
