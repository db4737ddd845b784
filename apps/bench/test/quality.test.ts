import { describe, expect, it } from 'vitest';
import { noiseRecipe, type NoiseConfig } from '@langevin/diffusion';
import { defineNetwork } from '@langevin/core';
import type { Image } from '@langevin/io';
import type { DiffusionModel } from '@langevin/pipelines';
import { div, mul, square, add, sub, reshape, type Tensor } from '@langevin/tensor';
import { gaussianPictures } from '@langevin/metrics';
import { referenceEngine } from '@langevin/tensor/testing';
import { gaussianPicturesByClass } from '../src/quality/baselines.ts';
import { bitsOf } from '../src/quality/bits.ts';
import { lossesByLevel, SIGMAS } from '../src/quality/losses.ts';
import { rest, spread, type Pictures } from '../src/quality/pictures.ts';
import { runConfig, studyConfigs, studyRuns } from '../src/quality/runs.ts';
import { compareMeans, meanOf, type Scores } from '../src/quality/scores.ts';
import { verdictsOf } from '../src/quality/verdicts.ts';

const engine = referenceEngine();
const root = new URL('../../..', import.meta.url).pathname;

const grey = (...data: number[]): Image => ({ width: 2, height: data.length / 2, channels: 1, data: Uint8Array.from(data) });
const picturesOf = (images: readonly Image[], labels = images.map(() => 0), classes = ['all']): Pictures => ({
  images,
  labels: Int32Array.from(labels),
  classes,
});

const PROCESSES = {
  edm: { process: { name: 'edm' }, preconditioning: { name: 'edm', sigmaData: 0.6 } },
  flow: { process: { name: 'flow' }, prediction: 'flow' },
} as const satisfies Readonly<Record<string, NoiseConfig>>;

/** Deviation of the data that the networks below know everything about. */
const DEVIATION = 0.6;

/** The best network for pixels that are N(0, 0.36), each on its own: its prediction is linear in the state. */
function bestModel(kind: keyof typeof PROCESSES): DiffusionModel {
  const noise = noiseRecipe(PROCESSES[kind]);
  const network = defineNetwork<unknown>({
    info: { channels: 1, outChannels: 1, outputs: ['prediction'], axes: 'hw', size: [2, 2], multiple: 1, time: 'timestep', conditions: {} },
    init: () => ({}),
    apply: (_, x, cNoise) => mul(x, reshape(factorOf(cNoise), [-1, 1, 1, 1])),
  });
  function factorOf(c: Tensor): Tensor {
    // With EDM's preconditioning for this deviation the skip says it all.
    if (kind === 'edm') return mul(c, 0);
    // E[epsilon - x0 | x] at t, which the network is told as 1000 t.
    const t = div(c, 1000);
    const alpha = sub(1, t);
    const variance = add(mul(square(alpha), DEVIATION ** 2), square(t));
    return div(sub(t, mul(alpha, DEVIATION ** 2)), variance);
  }
  return { network, params: {}, config: {}, patch: 1, noise };
}

describe('likelihood', () => {
  it.each(['edm', 'flow'] as const)('is that of a Gaussian for the best network of %s', async (kind) => {
    const images = [grey(0, 60, 128, 255), grey(100, 130, 170, 200)];
    const { bits, pictures, evaluations } = await bitsOf(bestModel(kind), { pictures: picturesOf(images), engine });
    // Uniform noise in a bin of width 1/128 adds its variance to the square of the centre.
    const bitsOfPixel = (value: number): number => {
      const centre = (2 * value + 1) / 256 - 1;
      const squared = centre ** 2 + (1 / 128) ** 2 / 12;
      return (squared / (2 * DEVIATION ** 2) + Math.log(Math.sqrt(2 * Math.PI) * DEVIATION)) / Math.LN2 + 7;
    };
    const values = images.flatMap(({ data }) => [...data].map(bitsOfPixel));
    const exact = values.reduce((sum, each) => sum + each, 0) / values.length;
    // The noise within bins is drawn: one draw moves a pixel's bits by at most its slope times half a bin.
    const slope = 1 / (DEVIATION ** 2 * Math.LN2);
    expect(Math.abs(bits.value - exact)).toBeLessThan(slope / 256 + 0.01);
    expect(pictures).toBe(2);
    expect(evaluations).toBeGreaterThan(5);
  });
});

describe('losses by noise level', () => {
  it('are the posterior variance for the best network', async () => {
    // Pixels of exactly one deviation, so that their mean square is that of the data.
    const level = Math.round(((1 + DEVIATION) / 2) * 255);
    const images = Array.from({ length: 200 }, () => grey(level, 255 - level, level, 255 - level));
    const losses = await lossesByLevel(bestModel('edm'), { pictures: picturesOf(images), engine });
    SIGMAS.forEach((sigma, i) => {
      const variance = (sigma ** 2 * DEVIATION ** 2) / (sigma ** 2 + DEVIATION ** 2);
      // 800 numbers: four standard errors of a mean of squares are 4 sqrt(2 / 800).
      expect(Math.abs(losses[i]! / variance - 1), `sigma ${sigma}`).toBeLessThan(4 * Math.sqrt(2 / 800));
    });
  });
});

describe('Gaussian pictures', () => {
  it('have the mean and covariance of the pictures they are made of', async () => {
    // Two pixels that go together and two that go against each other, well inside of the range.
    const images = Array.from({ length: 64 }, (_, i) => {
      const [a, b] = [Math.sin(i * 12.9898), Math.sin(i * 78.233)].map((s) => Math.round(20 * s)) as [number, number];
      return grey(128 + a, 128 + a, 128 + b, 128 - b);
    });
    const count = 4000;
    const drawn = await gaussianPictures(images, { count, seed: 3, engine });
    const meanAt = (set: readonly Image[], at: number): number => set.reduce((sum, { data }) => sum + data[at]!, 0) / set.length;
    const moment = (set: readonly Image[], j: number, k: number): number => {
      const [ofJ, ofK] = [meanAt(set, j), meanAt(set, k)];
      return set.reduce((sum, { data }) => sum + (data[j]! - ofJ) * (data[k]! - ofK), 0) / set.length;
    };
    const spreadOf = moment(images, 0, 0);
    for (let j = 0; j < 4; j += 1)
      for (let k = 0; k < 4; k += 1)
        // The error of a covariance of normals is at most sqrt(2 / count) variances; rounding to bytes adds 1/12.
        expect(Math.abs(moment(drawn, j, k) - moment(images, j, k)), `${j}, ${k}`).toBeLessThan(4 * spreadOf * Math.sqrt(2 / count) + 0.1);
  });

  it('of classes come in turn', async () => {
    const images = [grey(10, 10), grey(12, 12), grey(200, 200), grey(202, 202)];
    const drawn = await gaussianPicturesByClass(picturesOf(images, [0, 0, 1, 1], ['dark', 'bright']), { count: 6, seed: 1, engine });
    expect(drawn.map(({ data }) => (data[0]! < 100 ? 'dark' : 'bright'))).toEqual(['dark', 'bright', 'dark', 'bright', 'dark', 'bright']);
  });
});

describe('means over seeds', () => {
  const scores = (value: number): Scores => ({
    ...{ frechet: value, extrapolated: value, kernel: value, kernelError: 0, precision: value, recall: value },
    ...{ density: value, coverage: value, nearest: value, copied: 0 },
  });

  it('come with the standard error of a mean', () => {
    expect(meanOf([1, 2, 3])).toEqual({ value: 2, error: Math.sqrt(1 / 3) });
    expect(meanOf([5])).toEqual({ value: 5, error: undefined });
  });

  it('are as one within two standard errors of their difference, and nothing is said of one seed', () => {
    const [same] = compareMeans([1, 2, 3].map(scores), [2, 3, 4].map(scores));
    expect(same).toMatchObject({ difference: -1, error: Math.sqrt(2 / 3), holds: true });
    const [apart] = compareMeans([1, 2, 3].map(scores), [4, 5, 6].map(scores));
    expect(apart).toMatchObject({ difference: -3, holds: false });
    expect(compareMeans([scores(1)], [scores(9)])[0]).toMatchObject({ error: undefined, holds: undefined });
  });
});

describe('the study', () => {
  it('takes pictures from all of a set, each once', () => {
    const all = picturesOf(Array.from({ length: 10 }, (_, i) => grey(i, i)));
    const numbers = ({ images }: Pictures): number[] => images.map(({ data }) => data[0]!);
    expect(numbers(spread(all, 4))).toEqual([0, 2, 5, 7]);
    expect(numbers(rest(all, 4))).toEqual([1, 3, 4, 6, 8, 9]);
  });

  it('has a configuration for each training, and a twin for each', async () => {
    for (const config of studyConfigs) {
      const { backbone, seed, dropout } = await runConfig(root, { config, seed: 7 });
      expect(backbone['_class_name']).toBe('UNet2DModel');
      expect([seed, dropout.label]).toEqual([7, 0.1]);
    }
    const names = studyRuns.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(studyRuns.filter(({ by }) => by === 'twin').map(({ name }) => name.replace('-twin', ''))).toEqual(
      studyRuns.filter(({ by }) => by === 'langevin').map(({ name }) => name),
    );
  });

  it('leaves what was not measured open, and finds first steps that differ', () => {
    expect(verdictsOf({ steps: [], data: [] }).every(({ holds }) => holds === 'open')).toBe(true);
    const step = {
      config: 'mnist-edm',
      torch: '2',
      steps: 20,
      firstLoss: 2e-5,
      gradients: NaN,
      laterLosses: 1e-4,
      weights: 0,
      holds: false,
    };
    const found = verdictsOf({ steps: [step], data: [] }).filter(({ statement }) => statement.startsWith('mnist-edm'));
    expect(found.map(({ holds }) => holds)).toEqual(['no', 'no', 'yes']);
  });
});
