import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gaussianPictures, type FeatureInfo } from '@langevin/metrics';
import { loadModel, type DiffusionModel } from '@langevin/pipelines';
import type { Engine } from '@langevin/tensor';
import { gaussianPicturesByClass } from './baselines.ts';
import { bitsOf, type Bits } from './bits.ts';
import { accuracy, pixels, type Judge } from './judge.ts';
import { lossesByLevel } from './losses.ts';
import { loadPictures, rest, spread, type Pictures } from './pictures.ts';
import { runConfig, studyFolder, studyRuns, type StudyConfig, type StudyRun } from './runs.ts';
import { samplesOf } from './sample.ts';
import { classesOf, copyThreshold, scoresOf, type Reference, type Scores } from './scores.ts';
import { resultOf, type StudyResult } from './train.ts';

/** How much of everything is measured. */
export interface Extent {
  /** Samples of each model. */
  readonly samples: number;
  /** Samples at each guidance scale. */
  readonly guided: number;
  /** Held-out pictures whose losses, and whose likelihoods, are measured. */
  readonly losses: number;
  readonly likelihoods: number;
}

export const EXTENTS: Readonly<Record<'full' | 'quick', Extent>> = {
  full: { samples: 5000, guided: 1000, losses: 1000, likelihoods: 64 },
  quick: { samples: 500, guided: 250, losses: 250, likelihoods: 8 },
};

/** Scales that guidance is measured at; 1 is none. */
export const GUIDANCE_SCALES = [1, 2, 4] as const;

/** A training and what its samples are worth. */
export interface RunFindings {
  readonly run: StudyRun;
  readonly training: StudyResult;
  /** SHA-256 of the file of its weights. */
  readonly hash: string;
  readonly scores: Scores;
}

/** What is measured of the first seed alone. */
export interface FirstSeedFindings {
  readonly run: StudyRun;
  readonly losses: readonly number[];
  readonly bits: Bits;
  readonly guidance: readonly { readonly scale: number; readonly accuracy: number }[];
}

/** All that is found of the models of one data set. */
export interface DataFindings {
  readonly data: string;
  readonly judge: FeatureInfo;
  readonly classifier: string;
  /** Share of held-out pictures that the judge classifies rightly. */
  readonly rightOnData: number;
  readonly counts: { readonly training: number; readonly heldOut: number; readonly samples: number };
  /** Training pictures in the place of samples: nothing can be told to be better. */
  readonly floor: Scores;
  readonly gaussian: Scores;
  readonly gaussianByClass: Scores;
  readonly runs: readonly RunFindings[];
  readonly first: readonly FirstSeedFindings[];
  /** Trainings of the list that are not there. */
  readonly missing: readonly string[];
}

export interface EvaluateOptions {
  readonly root: string;
  readonly engine: Engine;
  readonly extent: Extent;
  /** The judge of a data set. */
  readonly judgeOf: (data: string) => Promise<Judge>;
  readonly report: (line: string) => void;
}

/** Everything about the models that were trained on one data set. */
export async function evaluateData(
  configs: readonly StudyConfig[],
  { root, engine, extent, judgeOf, report }: EvaluateOptions,
): Promise<DataFindings> {
  const config = await runConfig(root, { config: configs[0]!, seed: 1 });
  const { name: data } = config.data;
  const labels = config.labels ?? 'label';
  report(`${data}: data`);
  const training = await loadPictures(root, { name: data, split: 'train', labels });
  const heldOut = await loadPictures(root, { name: data, split: 'test', labels });
  const judge = await judgeOf(data);
  const of = { training: pixels(training.images), engine };
  const seen = spread(heldOut, extent.samples);
  const reference: Reference = {
    ...of,
    judge,
    labels: training.labels,
    data: await judge.features(heldOut.images),
    threshold: await copyThreshold(seen.images, of),
  };
  const sampled = { count: extent.samples, engine };
  report(`${data}: floor and Gaussians`);
  const others = rest(training, extent.samples);
  const floor = await scoresOf({ ...reference, training: pixels(others.images), labels: others.labels }, spread(training, extent.samples));
  const gaussian = await scoresOf(reference, { images: await gaussianPictures(training.images, { ...sampled, seed: 1 }) });
  const gaussianByClass = await scoresOf(reference, {
    images: await gaussianPicturesByClass(training, { ...sampled, seed: 2 }),
    labels: labelsInTurn(extent.samples, training.classes.length),
  });
  const runs: RunFindings[] = [];
  const first: FirstSeedFindings[] = [];
  const missing: string[] = [];
  for (const run of studyRuns.filter((each) => configs.includes(each.config))) {
    const folder = join(studyFolder(root), run.name);
    const result = resultOf(folder);
    if (result === undefined || !existsSync(join(folder, 'model'))) {
      missing.push(run.name);
      continue;
    }
    const model = await loadModel(join(folder, 'model'));
    const wanted = labelsInTurn(extent.samples, training.classes.length);
    report(`${run.name}: ${extent.samples} samples`);
    // Noise differs from seed to seed, and is the same for ours and the twin's.
    const images = await samplesOf({ model, labels: wanted, seed: 1000 + run.seed, engine });
    const weights = readFileSync(join(folder, 'model', 'unet', 'diffusion_pytorch_model.safetensors'));
    const hash = createHash('sha256').update(weights).digest('hex');
    runs.push({ run, training: result, hash, scores: await scoresOf(reference, { images, labels: wanted }) });
    if (run.seed === 1) first.push(await firstSeed({ run, model, heldOut, reference, extent, report }));
  }
  return {
    data,
    judge: reference.data.info,
    classifier: judge.classify === undefined ? 'the class of the nearest training picture, by pixels' : "the judge's",
    rightOnData: accuracy(await classesOf(seen.images, reference), seen.labels),
    counts: { training: training.images.length, heldOut: heldOut.images.length, samples: extent.samples },
    floor,
    gaussian,
    gaussianByClass,
    runs,
    first,
    missing,
  };
}

interface FirstSeed {
  readonly run: StudyRun;
  readonly model: DiffusionModel;
  readonly heldOut: Pictures;
  readonly reference: Reference;
  readonly extent: Extent;
  readonly report: (line: string) => void;
}

async function firstSeed({ run, model, heldOut, reference, extent, report }: FirstSeed): Promise<FirstSeedFindings> {
  const { engine } = reference;
  report(`${run.name}: losses by noise level`);
  const losses = await lossesByLevel(model, { pictures: spread(heldOut, extent.losses), engine });
  report(`${run.name}: likelihood`);
  const bits = await bitsOf(model, { pictures: spread(heldOut, extent.likelihoods), engine });
  const guidance: { readonly scale: number; readonly accuracy: number }[] = [];
  for (const scale of run.config.endsWith('edm') ? GUIDANCE_SCALES : []) {
    report(`${run.name}: guidance ${scale}`);
    const wanted = labelsInTurn(extent.guided, heldOut.classes.length);
    const images = await samplesOf({ model, labels: wanted, seed: 77, engine, guidanceScale: scale });
    guidance.push({ scale, accuracy: accuracy(await classesOf(images, reference), wanted) });
  }
  return { run, losses, bits, guidance };
}

/** As many of each class, one after another. */
function labelsInTurn(count: number, classes: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => i % classes);
}
