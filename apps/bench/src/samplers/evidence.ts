import {
  a1111Samplers,
  a1111Spacings,
  comfyuiSamplers,
  comfyuiSpacings,
  resolveSampler,
  resolveSpacing,
  schedulerClassNames,
} from '@langevin/samplers/compat';
import { rk45 } from '@langevin/samplers';
import { K_DIFFUSION_TOLERANCE, measureTolerance, samplerIdentities, type ToleranceRow } from '@langevin/samplers/testing';
import type { Evidence } from '../evidence/evidence.ts';
import { markdownTable } from '../table.ts';
import { geometryRows, type GeometryRow } from './geometry.ts';
import { orderRows } from './orders.ts';
import { kDiffusionRows, parityRows } from './parity.ts';
import { bundleSize, SIZE_CASES } from './sizes.ts';

/** Orders, identities, parity, names and sizes of the samplers, each from code that runs here. */
export async function samplersEvidence({
  root,
  report,
}: {
  readonly root: string;
  readonly report: (line: string) => void;
}): Promise<Evidence> {
  report('orders ...');
  const orders = await orderRows(NEEDS_MORE.map(({ sampler }) => sampler));
  report('identities ...');
  const identities = await Promise.all(
    samplerIdentities().map(async ({ name, tolerance, gap }) => ({ name, tolerance, gap: await gap() })),
  );
  const tolerances = await measureTolerance((tolerance) => rk45({ rtol: tolerance, atol: tolerance }));
  const geometry = await geometryRows();
  report('parity with diffusers ...');
  const parity = await parityRows(root);
  const kDiffusion = await kDiffusionRows(root);
  const names = nameRows();
  report('sizes ...');
  const sizes = await Promise.all(SIZE_CASES.map(async ({ name, code, ceiling }) => ({ name, ceiling, ...(await bundleSize(code)) })));
  const failed =
    orders.filter(({ holds }) => !holds).length
    + identities.filter(({ gap, tolerance }) => !(gap <= tolerance)).length
    + tolerances.filter((row) => !withinTolerance(row)).length
    + geometry.filter(({ holds }) => !holds).length
    + parity.filter(({ holds }) => !holds).length
    + kDiffusion.filter(({ holds }) => !holds).length
    + names.filter(({ here }) => here === undefined).length
    + sizes.filter(({ gzip, ceiling }) => gzip > ceiling).length;
  const json = { failed, orders, tolerances, geometry, identities, parity, kDiffusion, names, sizes };
  return { page: 'evidence-samplers', markdown: page(json), json, failed };
}

/** Samplers that no table of orders fits, most because they need something of the caller's; where they are proved. */
const NEEDS_MORE = [
  {
    sampler: 'dpm-adaptive',
    where:
      "is held to k-diffusion's values and evaluations, and its error falls with the tolerance, though not in proportion: "
      + 'packages/samplers/test/deterministic.test.ts',
  },
  { sampler: 'repaint', where: 'needs a mask and an image: packages/samplers/test/few-step.test.ts' },
  { sampler: 'ctm', where: 'needs a network that jumps to any level: packages/samplers/test/few-step.test.ts' },
  { sampler: 'tcd', where: 'needs such a network too: packages/samplers/test/few-step.test.ts' },
  {
    sampler: 'gddim',
    where: 'works on pairs of position and velocity, and on blurred spectra: packages/samplers/test/gddim.test.ts, blurring.test.ts',
  },
  { sampler: 'flow-heun', where: 'works on straight flows: packages/samplers/test/few-step.test.ts' },
];

interface NameRow {
  readonly program: string;
  readonly name: string;
  readonly here: string | undefined;
  readonly note: string;
}

function nameRows(): readonly NameRow[] {
  const sampler = (program: string, name: string): NameRow => {
    try {
      const { sampler: found, noise, note } = resolveSampler(name);
      return { program, name, here: found.name, note: [noise, note].filter((part) => part !== undefined).join('. ') };
    } catch {
      return { program, name, here: undefined, note: '' };
    }
  };
  const spacing = (program: string, name: string): NameRow => {
    try {
      return { program, name, here: resolveSpacing(name).name, note: '' };
    } catch {
      return { program, name, here: undefined, note: '' };
    }
  };
  return [
    ...Object.keys(comfyuiSamplers).map((name) => sampler('ComfyUI sampler', name)),
    ...Object.keys(comfyuiSpacings).map((name) => spacing('ComfyUI scheduler', name)),
    ...Object.keys(a1111Samplers).map((name) => sampler('AUTOMATIC1111 sampler', name)),
    ...Object.keys(a1111Spacings).map((name) => spacing('AUTOMATIC1111 schedule', name)),
    ...schedulerClassNames.map((name): NameRow => ({ program: 'diffusers class', name, here: 'fromDiffusersConfig', note: '' })),
  ];
}

type Findings = {
  readonly failed: number;
  readonly orders: Awaited<ReturnType<typeof orderRows>>;
  readonly tolerances: readonly ToleranceRow[];
  readonly geometry: readonly GeometryRow[];
  readonly identities: readonly { readonly name: string; readonly tolerance: number; readonly gap: number }[];
  readonly parity: Awaited<ReturnType<typeof parityRows>>;
  readonly kDiffusion: Awaited<ReturnType<typeof kDiffusionRows>>;
  readonly names: readonly NameRow[];
  readonly sizes: readonly { readonly name: string; readonly ceiling: number; readonly minified: number; readonly gzip: number }[];
};

/** As the conformance kit has it. */
function withinTolerance({ error, tolerance }: ToleranceRow): boolean {
  return error < 100 * tolerance;
}

function page({ failed, orders, tolerances, geometry, identities, parity, kDiffusion, names, sizes }: Findings): string {
  const exponent = (value: number): string => (value === 0 ? '0' : value.toExponential(1));
  const verdict = (holds: boolean): string => (holds ? 'yes' : '**no**');
  return [
    '# Evidence: samplers',
    '',
    `Made by \`npm run evidence -- samplers --write\`; do not edit by hand. `
      + `${failed === 0 ? 'Everything below holds.' : `**${failed} statements below do not hold.**`}`,
    '',
    '## Orders of accuracy',
    '',
    'Deterministic samplers: slope of the error against the number of steps (80 to 640, even in lambda, VP), on a Gaussian and on '
      + 'a mixture of three modes, with the errors at both ends. Stochastic ones:',
    'the weak order, from moments that are followed exactly on Gaussian data (160 and 320 steps). Gaussian data are symmetric, so '
      + 'a method may do better there than it claims; on the mixture the claim',
    'has to be met from both sides.',
    '',
    markdownTable(
      ['sampler', 'claims', 'measured', 'holds'],
      orders.map(({ sampler, claim, found, holds }) => [`\`${sampler}\``, claim, found, verdict(holds)]),
    ),
    '',
    'Proved elsewhere, most because they need something of the caller:',
    '',
    ...NEEDS_MORE.map(({ sampler, where }) => `- \`${sampler}\` ${where}`),
    '',
    '### Accuracy of `rk45` against its tolerance',
    '',
    'The whole range of the grids above in one interval, `rtol` and `atol` at the tolerance; a row holds when the error is below '
      + '100 times the tolerance. The kit also demands that the error is proportional to it.',
    '',
    markdownTable(
      ['data', 'tolerance', 'error', 'evaluations', 'holds'],
      tolerances.map((row) => [row.data, exponent(row.tolerance), exponent(row.error), row.nfe, verdict(withinTolerance(row))]),
    ),
    '',
    '## Geometry of sampling paths',
    '',
    'The measures of Chen et al. 2023 (arXiv:2305.19947) on the exact denoiser of 24 points of 64 numbers: 8 paths of Heun, 40 '
      + 'steps from sigma 80 to a clean end.',
    '',
    markdownTable(
      ['statement', 'found', 'holds'],
      geometry.map(({ statement, found, holds }) => [statement, found, verdict(holds)]),
    ),
    '',
    '## Identities',
    '',
    markdownTable(
      ['statement', 'greatest difference', 'allowed', 'holds'],
      identities.map(({ name, gap, tolerance }) => [
        name,
        exponent(gap),
        tolerance === 0 ? '0' : tolerance.toExponential(0),
        verdict(gap <= tolerance),
      ]),
    ),
    '',
    '## Parity with diffusers',
    '',
    'Golden files of `tooling/parity`, made by diffusers 0.42.1: each a whole run over a closed-form network, with its float32 '
      + 'tables in float64 arithmetic. Differences are relative to the largest element of a',
    "list; a case holds when ours is no farther off than diffusers' own float32 run (or a unit or two in the last place of "
      + 'float32; 1e-5 with seeds, whose normals agree to 2e-6).',
    '"Refused" are combinations that upstream raises on or turns to NaN, and we refuse; there are none that only we refuse. '
      + '"Values" are those of keys that take one of a few: how many occur in a case, of how many.',
    '',
    markdownTable(
      ['class', 'cases', 'options changed', 'values', 'refused', 'largest difference', "diffusers' own", 'holds'],
      parity.map(({ name, cases, options, choices, refused, largest, own, holds }) => [
        name,
        cases,
        options.length,
        `${choices.run} of ${choices.of}`,
        refused,
        exponent(largest),
        exponent(own),
        verdict(holds),
      ]),
    ),
    '',
    '### By option',
    '',
    markdownTable(
      ['class', 'option', 'cases', 'largest difference'],
      parity.flatMap(({ name, options }) => options.map((row) => [name, `\`${row.option}\``, row.cases, exponent(row.largest)])),
    ),
    '',
    '## Parity with k-diffusion',
    '',
    'Its sampling functions in float64 with recorded noise, on the closed-form denoiser of a mixture; '
      + `${kDiffusion.reduce((sum, { cases }) => sum + cases, 0)} runs. Differences are relative to the largest element, and a `
      + `function holds below ${K_DIFFUSION_TOLERANCE.toExponential(0)}.`,
    '`dpm_fast` and `dpm_adaptive` are compared in `packages/samplers/test/deterministic.test.ts`.',
    '',
    markdownTable(
      ['function', 'sampler', 'cases', 'largest difference', 'holds'],
      kDiffusion.map(({ function: name, sampler, cases, largest, holds }) => [
        `\`sample_${name}\``,
        `\`${sampler}\``,
        cases,
        exponent(largest),
        verdict(holds),
      ]),
    ),
    '',
    '## Names of other programs',
    '',
    markdownTable(
      ['program', 'name', 'here', 'note'],
      names.map(({ program, name, here, note }) => [program, `\`${name}\``, here === undefined ? '**missing**' : `\`${here}\``, note]),
    ),
    '',
    '## Sizes',
    '',
    markdownTable(
      ['program', 'minified, bytes', 'gzip, bytes', 'ceiling'],
      sizes.map(({ name, minified, gzip, ceiling }) => [name, minified, gzip, ceiling]),
    ),
    '',
  ].join('\n');
}
