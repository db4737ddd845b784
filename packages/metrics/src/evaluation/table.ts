import { checkChoice, checkNumber } from '@langevin/tensor';
import { checkGiven } from '../features/given.ts';
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
export function evaluationTable(evaluation: Pick<PictureEvaluation, 'rows' | 'remarks'>, facts: Readonly<Record<string, string>>): string {
  checkGiven('metrics/table', 'an object', { evaluation, facts });
  const { rows, remarks } = evaluation;
  checkGiven('metrics/table', 'a list', { 'evaluation.rows': rows, 'evaluation.remarks': remarks });
  for (const [i, row] of rows.entries()) {
    checkGiven('metrics/table', 'an object', { [`rows[${i}]`]: row });
    checkGiven('metrics/table', 'an object', { [`rows[${i}].values`]: row.values });
    checkChoice('metrics/table', { [`rows[${i}].better`]: row.better }, Object.keys(BETTER));
    checkGiven('metrics/table', 'a text', { [`rows[${i}].name`]: row.name });
    for (const [who, found] of Object.entries(row.values)) {
      checkGiven('metrics/table', 'an object', { [`rows[${i}].values.${who}`]: found });
      checkNumber('metrics/table', { [`rows[${i}].values.${who}.value`]: found.value }, { infinity: 'allowed' });
    }
  }
  for (const [i, remark] of remarks.entries()) checkGiven('metrics/table', 'a text', { [`remarks[${i}]`]: remark });
  for (const [name, fact] of Object.entries(facts)) checkGiven('metrics/table', 'a text', { [`facts.${name}`]: fact });
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
