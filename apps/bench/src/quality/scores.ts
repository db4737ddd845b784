import type { Image } from '@langevin/io';
import {
  extrapolatedFrechet,
  frechetDistance,
  kernelDistance,
  momentsOf,
  nearestItems,
  precisionRecall,
  type FeatureSet,
} from '@langevin/metrics';
import type { Engine } from '@langevin/tensor';
import { accuracy, pixels, type Judge } from './judge.ts';

/** What is measured of a set of pictures. */
export interface Scores {
  /** Of features, squared; depends on the count. */
  readonly frechet: number;
  /** The same, followed to infinitely many samples. */
  readonly extrapolated: number;
  readonly kernel: number;
  /** Standard error of the kernel distance. */
  readonly kernelError: number;
  readonly precision: number;
  readonly recall: number;
  readonly density: number;
  readonly coverage: number;
  /** Median distance to the nearest training picture, in pixels of 0..1. */
  readonly nearest: number;
  /** Share that is nearer to a training picture than a hundredth of held-out pictures are. */
  readonly copied: number;
  /** Share that is of the class that was asked for, by the judge; undefined where no class was asked for. */
  readonly accuracy?: number;
}

/** The numbers whose means are compared. */
export const COMPARED = ['frechet', 'extrapolated', 'kernel', 'precision', 'recall', 'density', 'coverage', 'nearest', 'accuracy'] as const;

/** What sets are compared with. */
export interface Reference {
  readonly judge: Judge;
  /** Features of held-out pictures. */
  readonly data: FeatureSet;
  /** Pixels of what was trained on, with the class of each. */
  readonly training: FeatureSet;
  readonly labels: Int32Array;
  /** A hundredth of held-out pictures are nearer to a training picture than this. */
  readonly threshold: number;
  readonly engine: Engine;
}

/** The distance to the nearest training picture that a hundredth of held-out pictures are below. */
export async function copyThreshold(
  heldOut: readonly Image[],
  { training, engine }: Pick<Reference, 'training' | 'engine'>,
): Promise<number> {
  const { distances } = await nearestItems(pixels(heldOut), training, { engine });
  return distances.slice().sort()[Math.floor(heldOut.length / 100)]!;
}

export async function scoresOf(
  reference: Reference,
  { images, labels }: { readonly images: readonly Image[]; readonly labels?: Int32Array },
): Promise<Scores> {
  const { judge, data, engine, threshold } = reference;
  const features = await judge.features(images);
  const kernel = await kernelDistance(features, data, { engine });
  const { precision, recall, density, coverage } = await precisionRecall(features, data, { engine });
  const { classes, distances } = await neighbours(images, reference);
  return {
    frechet: frechetDistance(momentsOf(features), momentsOf(data)).value,
    extrapolated: (await extrapolatedFrechet(features, data)).value,
    kernel: kernel.value,
    kernelError: kernel.standardError,
    precision,
    recall,
    density,
    coverage,
    nearest: distances.slice().sort()[Math.floor(distances.length / 2)]!,
    copied: distances.reduce((sum, distance) => sum + Number(distance < threshold), 0) / distances.length,
    ...(labels && { accuracy: accuracy((await judge.classify?.(images)) ?? classes, labels) }),
  };
}

/** The classes of pictures, by the judge where it knows any. */
export async function classesOf(images: readonly Image[], reference: Reference): Promise<Int32Array> {
  return (await reference.judge.classify?.(images)) ?? (await neighbours(images, reference)).classes;
}

/** The nearest training picture of each: how far it is, and of which class. */
async function neighbours(
  images: readonly Image[],
  { training, labels, engine }: Reference,
): Promise<{ readonly classes: Int32Array; readonly distances: Float64Array }> {
  const { items, distances } = await nearestItems(pixels(images), training, { engine });
  return { classes: items.map((item) => labels[item]!), distances };
}

/** A mean over seeds with its standard error; of one seed alone the error is not known. */
export interface Mean {
  readonly value: number;
  readonly error: number | undefined;
}

export function meanOf(values: readonly number[]): Mean {
  const value = values.reduce((sum, each) => sum + each, 0) / values.length;
  if (values.length < 2) return { value, error: undefined };
  const variance = values.reduce((sum, each) => sum + (each - value) ** 2, 0) / (values.length - 1);
  return { value, error: Math.sqrt(variance / values.length) };
}

/** The means of ours and of the twin's, over as many seeds each. */
export interface Comparison {
  readonly score: (typeof COMPARED)[number];
  readonly ours: Mean;
  readonly twin: Mean;
  readonly difference: number;
  /** Of the difference of the means; undefined with one seed. */
  readonly error: number | undefined;
  /** |difference| is at most twice its standard error; undefined with one seed, which cannot tell. */
  readonly holds: boolean | undefined;
}

export function compareMeans(ours: readonly Scores[], twin: readonly Scores[]): readonly Comparison[] {
  return COMPARED.flatMap((score) => {
    const [a, b] = [ours, twin].map((sets) => sets.flatMap((scores) => scores[score] ?? [])) as [number[], number[]];
    if (a.length === 0 || b.length === 0) return [];
    const [left, right] = [meanOf(a), meanOf(b)];
    const difference = left.value - right.value;
    const error = left.error === undefined || right.error === undefined ? undefined : Math.hypot(left.error, right.error);
    return [
      { score, ours: left, twin: right, difference, error, holds: error === undefined ? undefined : Math.abs(difference) <= 2 * error },
    ];
  });
}
