import type { RoundTripRow } from '@langevin/io/testing';
import type { Machine } from '../machine.ts';
import { markdownTable } from '../table.ts';
import type { Counts } from './evidence.ts';
import { MOST_GROWTH_MIB, type FuzzFindings } from './files.ts';
import { holds, type Statement } from './statement.ts';

export interface Findings {
  readonly failed: number;
  readonly machine: Machine;
  readonly counts: Counts;
  /** Names of the rasterizers in single precision. */
  readonly fast: readonly string[];
  /** Why WebGPU took no part. */
  readonly absent: string | null;
  readonly forward: readonly Statement[];
  readonly gradients: readonly Statement[];
  readonly differences: readonly Statement[];
  readonly closedForms: readonly Statement[];
  readonly parity: { readonly torch: string; readonly statements: readonly Statement[] };
  readonly threads: readonly Statement[];
  readonly trips: readonly RoundTripRow[];
  readonly fuzzed: FuzzFindings;
}

const number = (value: number, digits = 1): string => (value === 0 ? '0' : value.toExponential(digits));
const verdict = (good: boolean): string => (good ? 'yes' : '**no**');

function statements(rows: readonly Statement[], names: { readonly name: string; readonly of: string }): string {
  return markdownTable(
    [names.name, names.of, 'largest error', 'allowed', 'holds'],
    rows.map((row) => [row.name, row.of ?? '', number(row.error), number(row.allowed), verdict(holds(row))]),
  );
}

export function evidencePage({
  failed,
  machine,
  counts,
  fast,
  absent,
  forward,
  gradients,
  differences,
  closedForms,
  parity,
  threads,
  trips,
  fuzzed,
}: Findings): string {
  return [
    '# Evidence: Gaussians',
    '',
    `Made by \`npm run evidence -- gaussians --write\`; do not edit by hand. `
      + `${failed === 0 ? 'Everything below holds.' : `**${failed} statements below do not hold.**`} Node ${machine.node}, `
      + `${machine.date}.`,
    '',
    'The reference is float64, pixel by pixel over all Gaussians, without tiles. It is proved by central differences, closed forms '
      + 'and PyTorch; the fast rasterizers are proved by it.',
    '',
    `In single precision: ${fast.map((name) => `\`${name}\``).join(', ')}.`,
    ...(absent === null ? [] : ['', `WebGPU took no part: ${absent}`]),
    '',
    '## Pictures beside the reference',
    '',
    'Random scenes of both kinds of camera, antialiased or not, with depth, features, and opaque crowds. Depth is relative to '
      + 'depths above 1.',
    '',
    statements(forward, { name: 'rasterizer', of: 'compared' }),
    '',
    '## Gradients beside the reference',
    '',
    'Of a random linear function of all outputs; the largest difference over the largest entry of each gradient.',
    '',
    statements(gradients, { name: 'rasterizer', of: 'compared' }),
    '',
    '## Gradients of the reference beside central differences',
    '',
    'In float64, with a cut-off that fades, so that differences converge; relative to the largest entry.',
    '',
    statements(differences, { name: 'input', of: 'compared' }),
    '',
    '## Closed forms and symmetries',
    '',
    statements(closedForms, { name: 'statement', of: 'rasterizer' }),
    '',
    '## PyTorch',
    '',
    `The formulas in PyTorch ${parity.torch} (\`tooling/parity/gaussians_golden.py\`), float64, gradients by its autograd; each `
      + 'row names the array that comes nearest to what is allowed. In single precision that is twice what',
    "PyTorch's own float32 run is off by, twice the spread of the results under the kernels' rounding, and for gradients a random "
      + "walk over the pixels they are summed from. A smooth cut-off is the reference's alone.",
    '',
    statements(parity.statements, { name: 'scene', of: 'array' }),
    '',
    '## Threads',
    '',
    'Bytes that differ from those of one thread.',
    '',
    statements(threads, { name: '', of: 'compared' }),
    '',
    '## Round trips',
    '',
    `${counts.gaussiansPerFile} Gaussians of each degree, those of trained scenes; the compressed PLY is gsplat's, which writes it `
      + 'and we only read.',
    '',
    markdownTable(
      ['format', 'attribute', 'largest error', 'allowed', 'because', 'holds'],
      byFormat(trips).map(({ format, attribute, error, bound, because }) => [
        format,
        attribute,
        number(error, 3),
        number(bound, 3),
        because,
        verdict(holds({ error, allowed: bound })),
      ]),
    ),
    '',
    '## Mutated files',
    '',
    `${counts.mutatedFiles} files of each format with flipped bits, cuts, spliced parts, hostile numbers, and damage under the `
      + 'compression. Each has to be refused with a reason or to give a cloud that stands all checks and is no',
    `larger than its file can account for, within 10 s, and the process must not grow by more than ${MOST_GROWTH_MIB} MiB. The `
      + 'slowest is by the time that processors worked for the process.',
    '',
    markdownTable(fuzzed.header, fuzzed.rows),
    '',
    ...(fuzzed.failures.length === 0 ? [] : [...fuzzed.failures.slice(0, 20).map((line) => `- ${line}`), '']),
  ].join('\n');
}

/** Rows of a format together, formats in the order of their first rows. */
function byFormat(rows: readonly RoundTripRow[]): readonly RoundTripRow[] {
  return [...new Set(rows.map(({ format }) => format))].flatMap((format) => rows.filter((row) => row.format === format));
}
