import type { Contestant, EvaluationRow, PictureEvaluation } from './evaluate-pictures.ts';

const COLUMNS: readonly (readonly [Contestant, string])[] = [
  ['samples', 'samples'],
  ['data', 'floor: other data'],
  ['gaussian of pixels', 'Gaussian of pixels'],
  ['gaussian of features', 'Gaussian of features'],
];

const BETTER = { less: 'less', more: 'more', 'as data': 'as the floor' } as const;

/**
 * An evaluation as a Markdown table: a row for each number, with error, and beside the samples the floor and the two Gaussians.
 *
 * @param facts lines that stand above the table: what was measured, how it was sampled, hashes
 */
export function evaluationTable(
  { rows, remarks }: Pick<PictureEvaluation, 'rows' | 'remarks'>,
  facts: Readonly<Record<string, string>>,
): string {
  const cells = rows.map((row) => `| ${[row.name, ...COLUMNS.map(([who]) => shown(row, who)), BETTER[row.better]].join(' | ')} |`);
  return [
    ...Object.entries(facts).map(([name, value]) => `- ${name}: ${value}`),
    '',
    `| | ${COLUMNS.map(([, title]) => title).join(' | ')} | better |`,
    `|---|${COLUMNS.map(() => '---:').join('|')}|---|`,
    ...cells,
    ...(remarks.length > 0 ? ['', ...remarks.map((remark) => `- ${remark}`)] : []),
    '',
  ].join('\n');
}

function shown({ values }: EvaluationRow, who: Contestant): string {
  const found = values[who];
  if (found === undefined) return '';
  return `${digits(found.value)}${found.error === undefined ? '' : ` ± ${digits(found.error.value)}`}`;
}

function digits(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return '0';
  return Math.abs(value) >= 1e-4 && Math.abs(value) < 1e6 ? String(Number(value.toPrecision(4))) : value.toExponential(2);
}
