import { UnsupportedError, UserError } from '@langevin/tensor';
import { agrees, compareCase, runCase, type GoldenCase, type GoldenFile } from './golden-case.ts';

/** What is covered of an option of a scheduler class. */
export interface CoverageRow {
  /** The Python class. */
  readonly class: string;
  /** A config key that was changed, `set_timesteps: ...` or `step: ...`, or `(defaults)`. */
  readonly option: string;
  readonly cases: number;
  /** Cases that both sides refuse, or that are NaN upstream. */
  readonly refused: number;
  /** Cases farther off than {@link agrees} allows. */
  readonly failed: number;
  /** Largest difference relative to the largest element, of tables and of states. */
  readonly largest: number;
  /** The same of diffusers' own float32 run, in the case where it is largest. */
  readonly own: number;
}

type Outcome = { readonly golden: GoldenCase } & (
  { readonly kind: 'refused' | 'failed' } | { readonly kind: 'compared'; readonly error: number }
);

/**
 * Runs every case of golden files that tooling/parity/schedulers_golden.py made and says how close ours comes, for each class and each
 * option in turn; a case counts for every option that it changes.
 */
export async function compatCoverage(files: readonly GoldenFile[]): Promise<readonly CoverageRow[]> {
  const rows = new Map<string, CoverageRow>();
  for (const { cases } of files) {
    for (const golden of cases) {
      const outcome = await outcomeOf(golden);
      for (const option of optionsOf(golden)) {
        const key = `${golden.class} ${option}`;
        rows.set(
          key,
          added(rows.get(key) ?? { class: golden.class, option, cases: 0, refused: 0, failed: 0, largest: 0, own: 0 }, outcome),
        );
      }
    }
  }
  return [...rows.values()].sort((a, b) => (a.class === b.class ? (a.option < b.option ? -1 : 1) : a.class < b.class ? -1 : 1));
}

async function outcomeOf(golden: GoldenCase): Promise<Outcome> {
  const more = 'tau' in golden ? { tau_func: () => golden.tau } : {};
  try {
    if (golden.fails !== undefined) {
      const { final } = await runCase(golden, more);
      return { golden, kind: golden.fails.startsWith('NaN') && final.every(Number.isFinite) ? 'refused' : 'failed' };
    }
    const found = await compareCase(golden, more);
    return agrees(golden, found) ? { golden, kind: 'compared', error: Math.max(found.tables, found.states) } : { golden, kind: 'failed' };
  } catch (error) {
    // Only what is said on purpose is a refusal; any other error is a fault of ours.
    if (!(error instanceof UserError || error instanceof UnsupportedError)) return { golden, kind: 'failed' };
    return { golden, kind: golden.fails !== undefined ? 'refused' : 'failed' };
  }
}

function optionsOf({ config, set, step, seed, begin, variance_noise }: GoldenCase): readonly string[] {
  const changed = [
    ...Object.keys(config),
    ...Object.keys(set).map((key) => `set_timesteps: ${key}`),
    ...Object.keys(step ?? {}).map((key) => `step: ${key}`),
    ...(seed === undefined ? [] : ['step: generator']),
    ...(variance_noise === true ? ['step: variance_noise'] : []),
    ...(begin === undefined ? [] : ['start in the middle']),
  ];
  return Object.keys(config).length === 0 ? ['(defaults)', ...changed] : changed;
}

function added(row: CoverageRow, outcome: Outcome): CoverageRow {
  const more = { ...row, cases: row.cases + 1, own: Math.max(row.own, outcome.golden.own ?? 0) };
  return outcome.kind === 'compared'
    ? { ...more, largest: Math.max(row.largest, outcome.error) }
    : { ...more, [outcome.kind]: row[outcome.kind] + 1 };
}
