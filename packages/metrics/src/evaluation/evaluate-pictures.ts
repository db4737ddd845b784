import { fromImages, type Image } from '@langevin/io';
import { checkNumber, UserError, type Engine } from '@langevin/tensor';
import type { FeatureExtractor } from '../features/extractor.ts';
import { checkGiven, checkImages, checkRun } from '../features/given.ts';
import type { FeatureSet } from '../features/feature-set.ts';
import type { Judge } from '../judges/judge.ts';
import type { Metric, MetricNeed, MetricSide, MetricValue } from '../metric.ts';
import { mergeSpectra, noSpectrum, spectrumOf, type Spectrum } from '../spectra/spectrum.ts';
import { gaussianFeatures, gaussianPictures } from './gaussian.ts';

/** Who is measured: the samples, and three that one knows, so that numbers can be read. */
export type Contestant = 'samples' | 'data' | 'gaussian of pixels' | 'gaussian of features';

export interface EvaluatePicturesOptions {
  readonly samples: readonly Image[];
  /** What samples are compared with. */
  readonly reference: readonly Image[];
  /** Other pictures of the data, as many as samples: what is measured of them is the floor. */
  readonly floor: readonly Image[];
  /** What the model was trained on. @default not known: memorisation is left out */
  readonly training?: readonly Image[];
  /** Captions that samples were made for, where the judge knows captions. @default caption scores are left out */
  readonly captions?: readonly string[];
  readonly extractor: FeatureExtractor | Judge;
  readonly metrics: readonly Metric[];
  /** @default 0 */
  readonly seed?: number;
  /** @default the default engine */
  readonly engine?: Engine | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told what is being done, and how much of all is done, in parts of 1. */
  readonly progress?: ((what: string, share: number) => void) | undefined;
}

/** A row of the table: one number of every contestant that has it. */
export interface EvaluationRow extends Omit<MetricValue, 'value' | 'error' | 'name'> {
  readonly metric: string;
  readonly name: string;
  readonly values: { readonly [Who in Contestant]?: Pick<MetricValue, 'value' | 'error'> };
}

export interface PictureEvaluation {
  readonly rows: readonly EvaluationRow[];
  /** What was not measured, and why. */
  readonly remarks: readonly string[];
  readonly features: FeatureSet['info'];
  readonly counts: { readonly samples: number; readonly reference: number; readonly floor: number; readonly training: number };
}

/**
 * Measures samples, and beside them what one knows: other pictures of the data (the floor, which no model should be expected to pass), the
 * Gaussian of the pixels and that of the features, each as many as samples.
 *
 * A metric that refuses what it is given is left out, with a remark that says why.
 *
 * @throws UserError for fewer than two pictures, or a floor of another size than the samples
 */
export async function evaluatePictures(options: EvaluatePicturesOptions): Promise<PictureEvaluation> {
  checkOptions(options);
  const { samples, reference, floor, training, extractor, metrics, seed = 0, engine, signal, progress } = options;
  checkNumber('metrics/evaluate', { samples: samples.length, reference: reference.length }, { atLeast: 2 });
  if (floor.length !== samples.length)
    throw new UserError(`[metrics/evaluate] the floor is of another size: floor=${floor.length}, samples=${samples.length}. Give as many.`);
  const remarks: string[] = [];
  const needed = new Set(metrics.flatMap(({ needs }) => Object.values(needs).flat()));
  const gaussian = await gaussianPictures(reference, { count: samples.length, seed, engine, signal });
  const all = { samples, data: floor, 'gaussian of pixels': gaussian } as const;
  const pictures = samples.length * 3 + reference.length + (training?.length ?? 0);
  let seen = 0;
  const see = async (what: string, images: readonly Image[], wanted: ReadonlySet<MetricNeed>): Promise<Partial<MetricSide>> => {
    const begun = seen;
    seen += images.length;
    return sideOf(images, {
      extractor,
      wanted,
      signal,
      progress: (done) => progress?.(`looking at ${what}`, (0.8 * (begun + done)) / pictures),
    });
  };
  const data = await see('the data', reference, needed);
  const onlyFeatures = new Set<MetricNeed>(['features']);
  const known = training === undefined ? undefined : await see('the training data', training, onlyFeatures);
  const sides: { -readonly [Who in Contestant]?: Partial<MetricSide> } = {};
  for (const [who, images] of Object.entries(all)) sides[who as Contestant] = await see(who, images, needed);
  if (data.features !== undefined)
    sides['gaussian of features'] = {
      features: await gaussianFeatures(data.features, { count: samples.length, seed: seed + 1, engine, signal }),
    };
  if (options.captions !== undefined && 'captionEmbeddings' in extractor && needed.has('embeddings'))
    sides.samples = {
      ...sides.samples,
      embeddings: {
        pictures: await extractor.pictureEmbeddings(samples, { signal }),
        captions: await extractor.captionEmbeddings(options.captions),
      },
    };
  const rows: EvaluationRow[] = [];
  for (const [m, metric] of metrics.entries()) {
    progress?.(metric.name, 0.8 + (0.2 * m) / metrics.length);
    const missing = missingOf(metric, { samples: sides.samples!, data, ...(known && { training: known }) });
    if (missing !== undefined) {
      remarks.push(`${metric.name} was left out: ${missing}`);
      continue;
    }
    const found = new Map<string, EvaluationRow>();
    for (const [who, side] of Object.entries(sides)) {
      const input = { samples: side, data, ...(known && { training: known }) };
      if (missingOf(metric, input) !== undefined) continue;
      const measured = await metric.measure(input, { engine, seed, signal }).catch((error: unknown) => {
        if (!(error instanceof UserError)) throw error;
        // What one metric cannot be computed of is no reason to lose the others, and samples that took hours.
        remarks.push(`${metric.name} of ${who} was left out: ${error.message}`);
        return [];
      });
      for (const { key, name, better, value, error } of measured) {
        const before = found.get(key) ?? { metric: metric.name, key, name, better, values: {} };
        found.set(key, { ...before, values: { ...before.values, [who]: { value, ...(error && { error }) } } });
      }
    }
    rows.push(...found.values());
  }
  progress?.('done', 1);
  return Object.freeze({
    rows: Object.freeze(rows),
    remarks: Object.freeze(remarks),
    features: { ...extractor.info, width: data.features?.width ?? 0 },
    counts: { samples: samples.length, reference: reference.length, floor: floor.length, training: training?.length ?? 0 },
  });
}

function checkOptions(options: EvaluatePicturesOptions): void {
  const where = 'metrics/evaluate';
  checkGiven(where, 'an object', { options });
  const { samples, reference, floor, training = [], captions = [], extractor, metrics, seed = 0 } = options;
  for (const [name, images] of Object.entries({ samples, reference, floor, training })) checkImages(where, name, images);
  checkGiven(where, 'a list', { captions, metrics });
  for (const [i, caption] of captions.entries()) checkGiven(where, 'a text', { [`captions[${i}]`]: caption });
  for (const [i, metric] of metrics.entries()) {
    checkGiven(where, 'an object', { [`metrics[${i}]`]: metric });
    checkGiven(where, 'an object', { [`metrics[${i}].needs`]: metric.needs });
    checkGiven(where, 'a function', { [`metrics[${i}].measure`]: metric.measure });
  }
  checkGiven(where, 'an object', { extractor });
  checkGiven(where, 'an object', { 'extractor.info': extractor.info });
  checkGiven(where, 'a function', { 'extractor.features': extractor.features });
  checkNumber(where, { seed }, { atLeast: 0, kind: 'integer' });
  checkRun(where, options);
}

/** Why a metric cannot be computed, in words; undefined when it can. */
function missingOf(
  { needs }: Metric,
  input: { readonly samples: Partial<MetricSide>; readonly data: Partial<MetricSide>; readonly training?: Partial<MetricSide> },
): string | undefined {
  for (const side of ['samples', 'data', 'training'] as const) {
    const lacking = needs[side]?.find((need) => input[side]?.[need] === undefined);
    if (lacking !== undefined) return WHY[side === 'training' ? 'training' : lacking];
  }
  const [a, b] = [input.samples.spectrum, input.data.spectrum];
  const sizes = ['width', 'height', 'channels'] as const;
  if ((needs.samples ?? []).includes('spectrum') && sizes.some((key) => a![key] !== b![key]))
    return 'samples and data are of different sizes';
  return undefined;
}

const WHY: Readonly<Record<MetricNeed | 'training', string>> = {
  features: 'there are no features',
  probabilities: 'the features are not those of a judge of classes',
  embeddings: 'it takes a judge of captions, and captions',
  spectrum: 'pictures are of different sizes',
  pairs: 'it is for reconstructions, which are paired with their originals',
  training: 'what the model was trained on was not given',
};

async function sideOf(
  images: readonly Image[],
  {
    extractor,
    wanted,
    ...options
  }: {
    readonly extractor: FeatureExtractor | Judge;
    readonly wanted: ReadonlySet<MetricNeed>;
    readonly signal: AbortSignal | undefined;
    readonly progress: (done: number) => void;
  },
): Promise<Partial<MetricSide>> {
  const features = await extractor.features(images, options);
  const classes = 'record' in extractor && extractor.record.head.kind === 'classes' && wanted.has('probabilities');
  const spectrum = wanted.has('spectrum') ? spectrumOfImages(images) : undefined;
  return {
    features,
    ...(classes && { probabilities: await (extractor as Judge).probabilities(images, { signal: options.signal }) }),
    ...(spectrum && { spectrum }),
  };
}

/** Undefined where pictures are of different sizes. */
function spectrumOfImages(images: readonly Image[]): Spectrum | undefined {
  const [first] = images;
  if (images.some(({ width, height, channels }) => width !== first!.width || height !== first!.height || channels !== first!.channels))
    return undefined;
  let spectrum = noSpectrum(first!);
  for (let from = 0; from < images.length; from += 256)
    spectrum = mergeSpectra(spectrum, spectrumOf(fromImages(images.slice(from, from + 256))));
  return spectrum;
}
