import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import * as metrics from '@langevin/metrics';
import { featureSet, momentsOf, spectrumOf, tallyOf } from '@langevin/metrics';
import { UserError } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';
import { features, info } from './harness.ts';

/** Each function with arguments that it takes: anything else in their place is refused or taken, and never crashes. */
const engine = await onnxruntimeEngine({ device: 'cpu' });
const signal = new AbortController().signal;
const run = { engine, signal, progress: () => undefined };
const set = features({ count: 40, width: 2, phase: 1, shift: 0, scale: 1 });
const other = features({ count: 40, width: 2, phase: 2, shift: 1, scale: 1 });
const [moments, otherMoments] = [momentsOf(set), momentsOf(other)];
const pictures = { data: new Float32Array(121), shape: [1, 1, 11, 11] as const };
const spectrum = spectrumOf(pictures);
const tally = tallyOf({ probabilities: Float64Array.of(0.5, 0.5), classes: 2 });
const embeddings = { rows: Float64Array.of(1, 2), width: 2 };
const image = { width: 2, height: 2, channels: 1, data: new Uint8Array(4) } as const;
const input = { width: 2, height: 2, channels: 'grey', resize: 'none', range: [0, 1], mean: [0], std: [1], layout: 'nchw' } as const;
const extractor = metrics.pictureFeatures({
  ...{ name: 'pixels', hash: 'none', layer: 'all', input, pool: 'flatten' },
  network: ({ data, shape }) => Promise.resolve({ data, shape }),
});
const metric = metrics.frechetMetric();
const row = { metric: 'x', key: 'x', name: 'x', better: 'less', values: { samples: { value: 1 } } } as const;
const head = { kind: 'classes', classes: ['a', 'b'] } as const;
const architecture = { channels: 1, side: 8, widths: [4], groups: 2 } as const;

const CALLS: Readonly<Record<string, readonly unknown[]>> = {
  captionScore: [embeddings, embeddings, { scale: 'cosine' }],
  checkSameFeatures: ['x', info(2), info(2)],
  classScore: [{ probabilities: Float64Array.of(0.5, 0.5), classes: 2 }, { splits: 1 }],
  clipFeatures: [extractor, [[image, image]], { frames: 2, stride: 1, signal }],
  covariance: [moments],
  defineMetric: [{ name: 'x', summary: 'x', source: 'x', needs: { samples: ['features'] }, least: 1, measure: () => [] }],
  describeInput: [input],
  evaluatePictures: [
    { samples: [image, image], reference: [image, image], floor: [image, image], extractor, metrics: [metric], seed: 0, ...run },
  ],
  evaluationTable: [{ rows: [row], remarks: ['x'] }, { samples: 'x' }],
  extrapolatedFrechet: [set, other, { sizes: [20, 30, 40], seed: 0, signal, progress: () => undefined }],
  featureSet: [info(2), new Float64Array(4)],
  frechetDistance: [moments, otherMoments],
  gaussianFeatures: [set, { count: 2, seed: 0, engine, signal }],
  gaussianPictures: [[image, image], { count: 2, seed: 0, engine, signal }],
  joinFeatures: [[set, other]],
  judgeInput: [{ architecture }],
  judgeNetwork: [architecture, head],
  kernelDistance: [set, other, { subsets: 2, subsetSize: 2, seed: 0, kernel: { gaussian: 1 }, ...run }],
  memorisation: [
    { samples: set, training: other, heldOut: set },
    { quantile: 0.1, ...run },
  ],
  mergeMoments: [moments, otherMoments],
  mergeSpectra: [spectrum, spectrum],
  mergeTallies: [tally, tally],
  momentsOf: [set],
  nearestItems: [set, other, run],
  noMoments: [info(2)],
  noSpectrum: [{ width: 4, height: 4, channels: 1 }],
  noTally: [2],
  pickItems: [set, [0, 1]],
  pictureFeatures: [{ name: 'x', hash: 'none', layer: 'x', input, network: () => undefined, pool: 'mean', batch: 1 }],
  precisionRecall: [set, other, { k: 3, ...run }],
  preparePictures: [[image], input],
  psnr: [pictures, pictures],
  refuseDependentJudge: [{ name: 'x', hash: 'none' }, [{ name: 'y', hash: 'none', role: 'loss' }]],
  scoreOfTally: [tally],
  spectralDistance: [spectrum, spectrum],
  spectrumOf: [pictures],
  ssim: [pictures, pictures],
  straightness: [
    [Float64Array.of(0, 1), Float64Array.of(1, 1)],
    [0, 1],
  ],
  tallyOf: [{ probabilities: Float64Array.of(0.5, 0.5), classes: 2 }],
  unbiasedDiscrepancy: [set, other, { kernel: 'cubic', ...run }],
  vocabularyOf: [['a word', 'b'], 1],
};

const WRONG: Readonly<Record<string, unknown>> = {
  null: null,
  undefined,
  'a promise': Promise.resolve(set),
  'a list': [1, 2],
  'a list of nothing': [undefined, null],
  'a list of lists': [[1], [null]],
  'a typed array': new Float32Array(4),
  'an object': {},
  'a set in names only': { info: info(2), count: Number.NaN, width: 2, rows: [1, 2] },
  'a text': 'x',
  'a flag': true,
  'a bigint': 2n,
  'a function': () => set,
  'a symbol': Symbol('x'),
  NaN: Number.NaN,
  'minus one and a half': -1.5,
  'a huge number': 1e300,
};

type Path = readonly (string | number)[];
const WHOLE = new Set<unknown>([engine, signal, metric]);

/** Every place in the arguments: the positions, and what is in lists and objects there. */
function placesIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || WHOLE.has(value)) return [path];
  const inner = Object.entries(value).flatMap(([key, item]) => placesIn(item, [...path, Array.isArray(value) ? Number(key) : key]));
  return path.length === 0 ? inner : [path, ...inner];
}

function replaced(value: unknown, [key, ...rest]: Path, by: unknown): unknown {
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.map((item, i) => (i === key ? replaced(item, rest, by) : (item as unknown)));
  return { ...(value as object), [key]: replaced((value as Record<string, unknown>)[key], rest, by) };
}

type Call = (...args: readonly unknown[]) => unknown;
const call = async (name: string, args: unknown): Promise<unknown> =>
  await (metrics as unknown as Readonly<Record<string, Call>>)[name]!(...(args as unknown[]));

describe.each(Object.entries(CALLS))('%s', (name, args) => {
  test('takes what it is made for', async () => {
    await expect(call(name, args)).resolves.not.toThrow();
  });

  test('refuses anything else, or takes it', async () => {
    const faults: string[] = [];
    for (const path of placesIn(args)) {
      for (const [kind, value] of Object.entries(WRONG)) {
        try {
          await call(name, replaced(args, path, value));
        } catch (error) {
          if (error instanceof UserError && /^\[[a-z-]+\/\S.*\] /u.test(error.message)) continue;
          faults.push(
            `${path.join('.')}: ${kind}: ${String((error as Error).stack)
              .split('\n')
              .slice(0, 2)
              .join('')}`,
          );
        }
      }
    }
    expect(faults).toEqual([]);
  });

  test('refuses a first argument that is not there', async () => {
    await expect(call(name, [])).rejects.toThrow(UserError);
  });
});

test('every function that is exported is in the table', () => {
  const others = new Set(['judgeTask', 'makeJudge', 'parseJudgeRecord', 'metric', 'isMetric']);
  const functions = Object.entries(metrics).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []));
  expect(functions.filter((name) => !(name in CALLS) && !others.has(name) && !name.endsWith('Metric'))).toEqual([]);
});

test('a row of features is as wide as its kind says', () => {
  expect(() => featureSet({ ...info(2), width: 3 }, new Float64Array(4))).toThrow('numbers are not whole rows');
});
