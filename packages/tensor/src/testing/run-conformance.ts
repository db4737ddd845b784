import type { Engine } from '../engine/engine.ts';
import { errorKind } from '../errors.ts';
import { behaviours, type Behaviour } from './behaviours.ts';
import { checkRow, checksOf, type ConformanceResult } from './check-row.ts';
import { referenceEngine } from './reference/engine.ts';
import type { ConformanceRow } from './row.ts';
import { conformanceRows } from './rows/index.ts';

export interface ConformanceOptions {
  /** @default all of `conformanceRows` */
  readonly rows?: readonly ConformanceRow[];
  /** @default all of `engineBehaviours` */
  readonly behaviours?: readonly Behaviour[];
  /** Row or behaviour names that are not run, each with the reason, which is reported. */
  readonly skip?: Readonly<Record<string, string>>;
  /** Called after each check: for progress. */
  readonly onRow?: (result: ConformanceResult) => void;
}

/** Plain JSON. */
export interface ConformanceReport {
  readonly engine: string;
  readonly device: string;
  readonly passed: number;
  readonly failed: number;
  readonly unsupported: number;
  readonly skipped: number;
  readonly results: readonly ConformanceResult[];
}

/** Run one behaviour. A failure is a result, never an exception. */
export async function checkBehaviour(engine: Engine, behaviour: Behaviour): Promise<ConformanceResult> {
  const base = { op: 'engine', row: behaviour.name, check: 'behaviour' } as const;
  try {
    await behaviour.run(engine);
    return { ...base, status: 'pass' };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ...base, status: errorKind(error) === 'unsupported' ? 'unsupported' : 'fail', error: message };
  }
}

/**
 * Run the conformance kit on an engine without any test framework: in a browser, for a table of evidence.
 *
 * @example
 * const rows = conformanceRows.filter(({ op }) => op === 'matmul'); // without them, all
 * const report = await runConformance(referenceEngine(), { rows, behaviours: [] });
 * report.failed; // => 0
 */
export async function runConformance(engine: Engine, options: ConformanceOptions = {}): Promise<ConformanceReport> {
  const reference = referenceEngine({ precision: 'unrounded' });
  const results: ConformanceResult[] = [];
  const report = (result: ConformanceResult): void => {
    results.push(result);
    options.onRow?.(result);
  };
  for (const row of options.rows ?? conformanceRows) {
    const reason = options.skip?.[row.name];
    if (reason === undefined) (await checkRow(engine, reference, row)).forEach(report);
    else checksOf(row).forEach((check) => report({ op: row.op, row: row.name, check, status: 'skipped', error: reason }));
  }
  for (const behaviour of options.behaviours ?? behaviours) {
    const reason = options.skip?.[behaviour.name];
    if (reason === undefined) report(await checkBehaviour(engine, behaviour));
    else report({ op: 'engine', row: behaviour.name, check: 'behaviour', status: 'skipped', error: reason });
  }
  const count = (status: ConformanceResult['status']): number => results.filter((result) => result.status === status).length;
  return {
    engine: engine.name,
    device: engine.device,
    passed: count('pass'),
    failed: count('fail'),
    unsupported: count('unsupported'),
    skipped: count('skipped'),
    results,
  };
}
