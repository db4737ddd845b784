import { markdownTable, ms } from '../table.ts';
import type { CaseProfile, ProfileResult, ProfileRow } from './run.ts';

/** Smaller shares are summed in one row. */
const SMALLEST_SHARE = 0.004;

/** The result as a page. */
export function profileMarkdown({ machine, threads, cases }: ProfileResult): string {
  return [
    '# Where the time goes',
    '',
    'Made by `npm run bench -- profile`; do not edit by hand.',
    '',
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Node ${machine.node}, ${threads} threads; ${machine.date}. `
      + `ONNX Runtime's profiler, means of the counted steps; the profiler itself costs a few microseconds for each call. GFLOP/s are `
      + 'those of convolutions and products of matrices.',
    '',
    ...cases.flatMap(section),
  ].join('\n');
}

function section(profile: CaseProfile): string[] {
  const { what, name, steps, stepMs, runMs, kernels, graphOps } = profile;
  return [
    `## ${what} (\`${name}\`)`,
    '',
    `${ms(stepMs)} ms a step, of which ${ms(runMs)} ms in the runtime; ${steps} steps.`,
    '',
    'By kernel of the runtime:',
    '',
    table('kernel', kernels),
    '',
    'By op of the graph:',
    '',
    table('op', graphOps),
    '',
  ];
}

function table(kind: string, rows: readonly ProfileRow[]): string {
  const large = rows.filter(({ share }) => share >= SMALLEST_SHARE);
  const small = rows.filter(({ share }) => share < SMALLEST_SHARE);
  const total = (of: (row: ProfileRow) => number): number => small.reduce((sum, row) => sum + of(row), 0);
  const rest: ProfileRow[] =
    small.length === 0
      ? []
      : [
          {
            kind: `${small.length} others`,
            calls: total((r) => r.calls),
            ms: total((r) => r.ms),
            share: total((r) => r.share),
            gflop: total((r) => r.gflop),
            writtenMiB: total((r) => r.writtenMiB),
          },
        ];
  return markdownTable(
    [kind, 'calls', 'ms', 'share, %', 'GFLOP', 'GFLOP/s', 'written, MiB'],
    [...large, ...rest].map((row) => [
      row.kind,
      row.calls.toFixed(0),
      row.ms.toFixed(1),
      (100 * row.share).toFixed(1),
      row.gflop === 0 ? '-' : row.gflop.toFixed(2),
      row.gflop === 0 ? '-' : (row.gflop / (row.ms / 1000)).toFixed(0),
      row.writtenMiB.toFixed(0),
    ]),
  );
}
