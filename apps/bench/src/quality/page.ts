import { sigmaLevel } from '@langevin/core';
import type { Machine } from '../machine.ts';
import { markdownTable } from '../table.ts';
import { GUIDANCE_SCALES, type DataFindings } from './evaluate.ts';
import { SIGMAS, WEIGHTINGS } from './losses.ts';
import type { StepParity } from './parity.ts';
import { CALLS } from './sample.ts';
import type { Scores } from './scores.ts';
import type { StepTimes } from './step-times.ts';
import { comparisonsOf, type Verdict } from './verdicts.ts';

export interface QualityFindings {
  readonly machine: Machine;
  readonly size: 'full' | 'quick';
  readonly minutes: number;
  readonly steps: readonly StepParity[];
  readonly times: readonly StepTimes[];
  readonly data: readonly DataFindings[];
  readonly verdicts: readonly Verdict[];
}

export function qualityPage({ machine, size, minutes, steps, times, data, verdicts }: QualityFindings): string {
  const count = (holds: Verdict['holds']): number => verdicts.filter((each) => each.holds === holds).length;
  return [
    '# Evidence: quality beside PyTorch',
    '',
    `Made by \`npm run evidence -- quality${size === 'quick' ? ' --quick' : ''} --write\` in ${minutes.toFixed(0)} `
      + `minutes on ${machine.cores} cores of ${machine.cpu}, `
      + `${machine.date}; do not edit by hand. Of ${verdicts.length} statements ${count('yes')} hold, **${count('no')} `
      + `do not**, ${count('open')} are open.`,
    '',
    'Models with about a million parameters (a `UNet2DModel` on patches of 2x2 pixels) are trained by `npm run '
      + 'train:quality`, by this project and by '
      + "a twin: diffusers' network, PyTorch's Adam, the same",
    'configuration, initial weights and order of the pictures, and random numbers of its own. Both are sampled by '
      + 'the same sampler, DPM-Solver++(2M), '
      + `with ${CALLS} calls of the network.`,
    '',
    '## Statements',
    '',
    markdownTable(
      ['statement', 'found', 'holds'],
      verdicts.map(({ statement, found, holds }) => [statement, found, holds === 'no' ? '**no**' : holds]),
    ),
    '',
    '## First steps side by side',
    '',
    'The same weights, pictures, noise, levels and dropped labels in both; the weights are those of a network '
      + 'whose last layers are not zero, '
      + 'so that all of it has gradients. Losses are compared relative to the',
    "twin's, gradients as |g - g'| / |g'| over all parameters, weights by how far they are apart after all steps, "
      + 'in units of how far they went.',
    '',
    markdownTable(
      ['configuration', 'PyTorch', 'first loss', 'first gradients', 'later losses', 'steps', 'weights'],
      steps.map((row) => [
        row.config,
        row.torch,
        row.firstLoss.toExponential(1),
        row.gradients.toExponential(1),
        row.laterLosses.toExponential(1),
        row.steps,
        row.weights.toExponential(1),
      ]),
    ),
    '',
    '## Time of a step',
    '',
    'Whole steps (noise, forward, backward, Adam, the moving average), ours and the twin in turn; medians of so many.',
    '',
    markdownTable(
      ['configuration', 'parameters', 'batch', 'threads', 'Langevin, ms', 'PyTorch, ms', 'ratio', 'steps'],
      times.map(({ config, parameters, batchSize, threads, times: [ours, twin] }) => [
        config,
        parameters,
        batchSize,
        threads,
        ours!.medianMs.toFixed(0),
        twin!.medianMs.toFixed(0),
        (ours!.medianMs / twin!.medianMs).toFixed(2),
        ours!.runs,
      ]),
    ),
    '',
    ...data.flatMap(dataSection),
  ].join('\n');
}

function dataSection(findings: DataFindings): readonly string[] {
  const { data, judge, classifier, rightOnData, counts, floor, gaussian, gaussianByClass, runs, missing } = findings;
  const models = runs.map(({ run, scores }) => [run.name, ...scoreCells(scores)]);
  return [
    `## ${data}`,
    '',
    `${counts.samples} samples each, beside ${counts.heldOut} held-out pictures. Features: \`${judge.name}\`, `
      + `layer ${judge.layer}, ${judge.width} numbers, `
      + `weights ${judge.hash}. Classes: ${classifier}, right for ${(100 * rightOnData).toFixed(1)} % of held-out pictures.`,
    'Distances are squared Frechet distances of these features, never to be compared with those of others; k = 5 '
      + 'for precision, recall, density and '
      + 'coverage; `nearest` is the median distance to the nearest of',
    `${counts.training} training pictures in pixels of 0 to 1, \`copied\` the share that is nearer than a `
      + 'hundredth of held-out pictures are.',
    '',
    markdownTable(
      [
        'what',
        'distance',
        'extrapolated',
        'kernel distance x 1000',
        'precision',
        'recall',
        'density',
        'coverage',
        'nearest',
        'copied',
        'right class',
      ],
      [
        ['training pictures (floor)', ...scoreCells(floor)],
        ['Gaussian of each class', ...scoreCells(gaussianByClass)],
        ['Gaussian of all', ...scoreCells(gaussian)],
        ...models,
      ],
    ),
    '',
    ...(missing.length === 0 ? [] : [`Not trained yet, so that nothing is said of them: ${missing.join(', ')}.`, '']),
    ...trainingSection(findings),
    ...twinSection(findings),
    ...lossSection(findings),
    ...likelihoodSection(findings),
  ];
}

function scoreCells(scores: Scores): readonly (string | number)[] {
  return [
    scores.frechet.toPrecision(3),
    scores.extrapolated.toPrecision(3),
    `${(1000 * scores.kernel).toPrecision(3)} ± ${(1000 * scores.kernelError).toPrecision(1)}`,
    scores.precision.toFixed(3),
    scores.recall.toFixed(3),
    scores.density.toFixed(2),
    scores.coverage.toFixed(3),
    scores.nearest.toFixed(2),
    scores.copied.toFixed(3),
    scores.accuracy === undefined ? '-' : scores.accuracy.toFixed(3),
  ];
}

function trainingSection({ data, runs }: DataFindings): readonly string[] {
  if (runs.length === 0) return [];
  return [
    `### ${data}: trainings`,
    '',
    markdownTable(
      ['run', 'by', 'steps', 'pictures shown', 'minutes', 'ms for a step', 'weights (SHA-256)'],
      runs.map(({ run, training, hash }) => [
        run.name,
        run.by === 'twin' ? 'PyTorch, diffusers' : 'Langevin',
        training.steps,
        training.pictures,
        (training.seconds / 60).toFixed(1),
        ((1000 * training.seconds) / training.steps).toFixed(0),
        `\`${hash.slice(0, 16)}\``,
      ]),
    ),
    '',
  ];
}

function twinSection(findings: DataFindings): readonly string[] {
  const comparisons = [...comparisonsOf(findings)];
  if (comparisons.length === 0) return [];
  const mean = ({ value, error }: { readonly value: number; readonly error: number | undefined }): string =>
    `${value.toPrecision(3)}${error === undefined ? '' : ` ± ${error.toPrecision(1)}`}`;
  return [
    `### ${findings.data}: beside the twin`,
    '',
    'Means over the seeds that both have, with their standard errors; of one seed the error is not known, and nothing is concluded.',
    '',
    markdownTable(
      ['configuration', 'number', 'ours', "twin's", 'difference', 'its error', 'within two'],
      comparisons.flatMap(([config, rows]) =>
        rows.map(({ score, ours, twin, difference, error, holds }) => [
          config,
          score,
          mean(ours),
          mean(twin),
          difference.toPrecision(2),
          error === undefined ? '-' : error.toPrecision(2),
          holds === undefined ? '-' : holds ? 'yes' : '**no**',
        ]),
      ),
    ),
    '',
  ];
}

function lossSection({ data, first }: DataFindings): readonly string[] {
  if (first.length === 0) return [];
  const weighted = first.filter(({ run }) => run.by === 'langevin');
  return [
    `### ${data}: losses by noise level`,
    '',
    'Mean squared error of the predicted clean picture, by the noise-to-signal ratio of the state; held-out '
      + 'pictures, the same noise for all models.',
    '',
    markdownTable(
      ['model', ...SIGMAS.map((sigma) => `sigma ${sigma}`)],
      first.map(({ run, losses }) => [run.name, ...losses.map((loss) => loss.toPrecision(3))]),
    ),
    '',
    'The same errors as each weighting of training counts them: what a level contributes where all levels are drawn equally often.',
    '',
    markdownTable(
      ['model', 'weighting', ...SIGMAS.map((sigma) => `sigma ${sigma}`)],
      weighted.flatMap(({ run, losses }) =>
        WEIGHTINGS.map(({ weight, says }) => [
          run.name,
          says,
          ...losses.map((loss, i) => (loss * weight.at(sigmaLevel(SIGMAS[i]!))).toPrecision(3)),
        ]),
      ),
    ),
    '',
  ];
}

function likelihoodSection({ data, first }: DataFindings): readonly string[] {
  if (first.length === 0) return [];
  const guided = first.filter(({ guidance }) => guidance.length > 0);
  return [
    `### ${data}: likelihood and guidance`,
    '',
    'Bits for each value of a pixel along the probability-flow ODE, of held-out pictures with uniform noise in '
      + 'their bins: an upper bound, in expectation, '
      + 'on what a code needs; with the standard error over the pictures.',
    '',
    markdownTable(
      ['model', 'bits', 'error', 'pictures', 'evaluations'],
      first.map(({ run, bits: { bits, pictures, evaluations } }) => [
        run.name,
        bits.value.toFixed(3),
        bits.error === undefined ? '-' : bits.error.toFixed(3),
        pictures,
        evaluations,
      ]),
    ),
    '',
    'Share of samples of the class that was asked for, by the guidance scale (1 is none); guidance asks twice for each step.',
    '',
    markdownTable(
      ['model', ...GUIDANCE_SCALES.map((scale) => `scale ${scale}`)],
      guided.map(({ run, guidance }) => [run.name, ...guidance.map(({ accuracy }) => accuracy.toFixed(3))]),
    ),
    '',
  ];
}
