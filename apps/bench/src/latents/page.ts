import { markdownTable } from '../table.ts';
import { autoencoderKinds } from './grid.ts';
import type { Distances } from './measure.ts';
import type { AutoencoderFindings, DiffusionFindings, LatentsFindings } from './study.ts';

const count = (value: number): string => value.toLocaleString('en-US');
const fixed = (value: number | undefined, digits: number): string => (value === undefined ? '' : value.toFixed(digits));

/** docs/evidence-latents.md */
export function latentsPage(findings: LatentsFindings): string {
  const { machine, minutes, size, counts, judge, floor, gaussian, autoencoders, diffusions, missing, verdicts } = findings;
  const ordered = [...autoencoders].sort((a, b) => place(a) - place(b));
  const kinds = [...new Set(ordered.filter(({ seed }) => seed === 1).map(({ kind }) => kind))];
  return `<!-- Made by "npm run evidence -- latents --write". Do not edit. -->

# Autoencoders, and diffusion over their latents

Measured by \`npm run evidence -- latents${size === 'quick' ? ' --quick' : ''}\` in ${minutes.toFixed(0)} minutes on ${machine.cpu}
(${machine.cores} cores, ${machine.date}), from the weights that \`npm run train:latents\` leaves in \`runs/latents\`. Data:
${count(counts.pictures)} emoji of four styles at 32x32; ${count(counts.heldOut)} of them, a tenth of the emoji in all their styles, were
held out from all autoencoders. ${count(counts.compared)} pictures, reconstructions or samples are compared with the other
${count(counts.pictures - counts.compared)} in the features of \`${judge.name}\` (hash ${judge.hash.slice(0, 12)}), which took no part
in any training; the perceptual loss looks with another network, which was trained on photographs. These distances are not FIDs.
"Texture" is the extrapolated distance in colours, outlines and texture without any network: what knows what a picture shows may not see
how it is drawn.
${missing.length > 0 ? `\nNot trained yet, and missing below: ${missing.join(', ')}.\n` : ''}
## What holds

${markdownTable(
  ['study', 'statement', 'holds', 'numbers'],
  verdicts.map(({ study, statement, holds, numbers }) => [study, statement, holds, numbers]),
)}

## Reconstructions

${markdownTable(
  ['autoencoder', 'numbers', 'PSNR', 'SSIM', 'sharpness', ...DISTANCES, 'N(0, I) decoded', 'CPU min'],
  [
    ['pictures themselves', '', '', '', '1', ...distanceCells(floor), '', ''],
    ...ordered.map((each) => reconstructionRow(each)),
    ['Gaussian of the pixels', '', '', '', '', ...distanceCells(gaussian), '', ''],
  ],
)}

PSNR, SSIM and sharpness (power of the upper half of frequencies, relative to that of the pictures) are of held-out emoji. The distance of
decoded noise is that of pictures that the decoder makes of N(0, I) without any diffusion.

![reconstructions](images/latents-reconstructions.png)

First row: held-out pictures; then, in this order, what is made of them by ${kinds.join(', ')}.

## Latents

${markdownTable(
  [
    'autoencoder',
    'deviation',
    'noise of the posterior',
    'divergence, nats a number',
    'codes in use',
    'encoded a second',
    'decoded a second',
  ],
  ordered
    .filter(({ seed }) => seed === 1)
    .map(({ kind, latents, encodePerSecond, decodePerSecond }) => [
      kind,
      fixed(latents.std, 2),
      latents.divergence === undefined ? '' : latents.noise.toPrecision(2),
      latents.divergence?.toPrecision(3) ?? '',
      latents.perplexity ? `${latents.perplexity[0].toFixed(0)} of ${latents.perplexity[1]}` : '',
      fixed(encodePerSecond, 0),
      fixed(decodePerSecond, 0),
    ]),
)}

## Samples

All second stages are one network of the same widths (EDM's preconditioning, no conditions), trained for as many CPU minutes each; 20 calls
of DPM-Solver++(2M) a sample.

${markdownTable(
  ['over', 'steps', 'steps a CPU second', 'samples a second', ...DISTANCES],
  diffusions.map((each) => sampleRow(each)),
)}

![samples](images/latents-samples.png)

Rows: ${diffusions.map(({ over }) => over ?? 'pixels').join(', ')}; the first twelve samples of each, not chosen.
`;
}

const DISTANCES = ['Frechet', 'extrapolated', 'kernel x 1000', 'precision', 'recall', 'texture'];

function distanceCells({ frechet, extrapolated, kernel, kernelError, precision, recall, texture }: Distances): readonly string[] {
  return [
    frechet.toPrecision(3),
    extrapolated.toPrecision(3),
    `${(1000 * kernel).toPrecision(3)} +- ${(1000 * kernelError).toPrecision(1)}`,
    fixed(precision, 3),
    fixed(recall, 3),
    texture.toPrecision(3),
  ];
}

function place({ kind, seed }: AutoencoderFindings): number {
  return 10 * autoencoderKinds.findIndex((each) => each === kind) + seed;
}

function reconstructionRow({ kind, seed, latents, heldOut, distances, noise, training }: AutoencoderFindings): readonly string[] {
  return [
    seed === 1 ? kind : `${kind}, seed ${seed}`,
    `${latents.numbers[0]} of ${latents.numbers[1]}`,
    fixed(heldOut.psnr, 2),
    fixed(heldOut.ssim, 3),
    fixed(heldOut.sharpness, 2),
    ...distanceCells(distances),
    noise?.extrapolated.toPrecision(3) ?? '',
    fixed(training.cpuSeconds / 60, 0),
  ];
}

function sampleRow({ over, training, samplesPerSecond, distances }: DiffusionFindings): readonly string[] {
  return [
    over?.replace(/-1$/u, '') ?? 'pixels',
    String(training.steps),
    (training.steps / training.cpuSeconds).toPrecision(3),
    fixed(samplesPerSecond, 1),
    ...distanceCells(distances),
  ];
}
