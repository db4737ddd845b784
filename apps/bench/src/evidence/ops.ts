import { primitiveNames, compositeNames } from '@langevin/tensor';
import { runConformance, type ConformanceReport } from '@langevin/tensor/testing';
import { markdownTable } from '../table.ts';
import { engineCandidates } from './candidates.ts';
import type { Evidence } from './evidence.ts';

/** The op conformance table: every primitive and composite by every engine and provider that this machine has. */
export async function opsEvidence(): Promise<Evidence> {
  const reports: (ConformanceReport & { readonly name: string })[] = [];
  const missing: { readonly name: string; readonly reason: string }[] = [];
  for (const candidate of await engineCandidates()) {
    if (!candidate.available) {
      missing.push({ name: candidate.name, reason: candidate.reason ?? 'not available' });
      continue;
    }
    console.error(`conformance of ${candidate.name} ...`);
    const engine = await candidate.open();
    reports.push({ name: candidate.name, ...(await runConformance(engine)) });
    await engine.dispose();
  }
  const markdown = page(reports, missing);
  return { page: 'evidence', markdown, json: { reports, missing }, failed: reports.reduce((total, { failed }) => total + failed, 0) };
}

const CHECKS = ['shape', 'value', 'gradient', 'finite-differences', 'second-gradient'] as const;

function page(
  reports: readonly (ConformanceReport & { readonly name: string })[],
  missing: readonly { readonly name: string; readonly reason: string }[],
): string {
  const ops = [...primitiveNames, ...compositeNames, 'engine'] as const;
  const cell = (report: ConformanceReport, op: string, check: string): string => {
    const found = report.results.filter((result) => result.op === op && (result.check === check || (op === 'engine' && check === 'value')));
    if (found.length === 0) return '';
    const count = (status: string): number => found.filter((result) => result.status === status).length;
    const parts = [
      count('fail') > 0 ? `**${count('fail')} failed**` : '',
      count('pass') > 0 ? `${count('pass')}` : '',
      count('unsupported') > 0 ? `${count('unsupported')} refused` : '',
      count('skipped') > 0 ? `${count('skipped')} skipped` : '',
    ];
    return parts.filter((part) => part !== '').join(', ');
  };
  const totals = reports.map(({ name, passed, failed, unsupported, skipped }) => [name, passed, failed, unsupported, skipped]);
  return [
    '# Evidence: op conformance',
    '',
    'Made by `npm run evidence -- --write`; do not edit by hand. Each number counts rows that passed: shape rule, value against a '
      + 'float64 reference, gradient against the reference,',
    'gradient against the engine\'s own finite differences, second gradient. "Refused" rows ended in an `UnsupportedError` that '
      + 'names the op and the remedy; empty cells are ops without that check (no gradient).',
    '',
    markdownTable(['engine', 'passed', 'failed', 'refused', 'skipped'], totals),
    '',
    ...missing.map(({ name, reason }) => `- ${name}: not on this machine. ${reason}`),
    '',
    ...reports.flatMap((report) => [
      `## ${report.name}`,
      '',
      markdownTable(
        ['op', ...CHECKS],
        ops
          .filter((op) => report.results.some((result) => result.op === op))
          .map((op) => [`\`${op}\``, ...CHECKS.map((check) => cell(report, op, check))]),
      ),
      '',
      ...report.results
        .filter(({ status }) => status === 'fail' || status === 'unsupported')
        .map(({ row, check, status, error }) => `- ${status}: ${row}, ${check}: ${error ?? ''}`),
      '',
    ]),
  ].join('\n');
}
