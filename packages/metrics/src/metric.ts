import { checkNumber, UserError, type Engine } from '@langevin/tensor';
import { checkGiven } from './features/given.ts';
import type { FeatureSet } from './features/feature-set.ts';
import type { Pictures } from './pictures/pair.ts';
import type { Embeddings } from './scores/caption-score.ts';
import type { Spectrum } from './spectra/spectrum.ts';

/** What may be known of a set of pictures; a metric names what it needs. */
export interface MetricSide {
  readonly features: FeatureSet;
  /** [count, classes], by a judge that knows classes. */
  readonly probabilities: { readonly probabilities: Float64Array; readonly classes: number };
  /** Embeddings of pictures and of their captions, by a judge that knows captions. */
  readonly embeddings: { readonly pictures: Embeddings; readonly captions: Embeddings };
  readonly spectrum: Spectrum;
  /** Picture i of the samples belongs to picture i of the data, as reconstructions do. */
  readonly pairs: Pictures;
}

export type MetricNeed = keyof MetricSide;

/** What is measured: samples, the data that they should be like, and the data that the model was trained on. */
export interface MetricInput {
  readonly samples: Partial<MetricSide>;
  readonly data?: Partial<MetricSide>;
  readonly training?: Partial<MetricSide>;
}

/** A number, named by all that it depends on. */
export interface MetricValue {
  /** Short, for files: `precision`. */
  readonly key: string;
  /** With counts and k, without which it cannot be compared: `precision (k=5, 5,000 against 5,000)`. */
  readonly name: string;
  readonly value: number;
  /** Standard error or deviation, and which of them. @default not known */
  readonly error?: { readonly value: number; readonly kind: 'standard error' | 'standard deviation' };
  /** Where samples like the data are: at less, at more, or near what data itself has. */
  readonly better: 'less' | 'more' | 'as data';
}

export interface MetricOptions {
  /** @default the default engine */
  readonly engine?: Engine | undefined;
  /** Decides what is drawn. @default 0 */
  readonly seed?: number;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((done: number, of: number) => void) | undefined;
}

/** A way to measure samples: a frozen value. */
export interface Metric {
  /** As in listings: `precision-recall`. */
  readonly name: string;
  /** One sentence for listings. */
  readonly summary: string;
  /** Paper, with equation where there is one. */
  readonly source: string;
  /** What it needs of each side. */
  readonly needs: { readonly [Side in keyof MetricInput]?: readonly MetricNeed[] };
  /** Fewest items of a side that it can be computed of. */
  readonly least: number;
  /** @throws UserError when something that it needs is missing, or a side has too few items */
  readonly measure: (input: MetricInput, options?: MetricOptions) => Promise<readonly MetricValue[]>;
}

/** What an author of a metric states; `measure` is only called with all that `needs` names. */
export type MetricDefinition = Omit<Metric, 'measure'> & {
  readonly measure: (
    input: { readonly [Side in keyof MetricInput]-?: MetricSide },
    options: MetricOptions,
  ) => Promise<readonly MetricValue[]> | readonly MetricValue[];
};

/**
 * A metric as a plugin: one file that calls this is all that a new one needs; `langevin evaluate` computes it, `langevin list metrics`
 * shows it, and `checkMetric` of `@langevin/metrics/testing` proves it.
 *
 * @throws UserError when the name is not kebab-case, or summary, source or needs are missing; from `measure`, when what it needs is not
 *   there, or a value is not finite
 * @example
 * const meanFeature = defineMetric({
 *   name: 'mean-feature', summary: 'Difference of the first feature of the means.', source: 'none', needs: { samples: ['features'] },
 *   least: 1,
 *   measure: ({ samples }) => [{ key: 'mean', name: 'mean', value: samples.features.rows[0]!, better: 'as data' }],
 * });
 * const info = { name: 'height', layer: 'none', width: 1, hash: 'none', input: 'metres' };
 * (await meanFeature.measure({ samples: { features: featureSet(info, Float64Array.of(3)) } }))[0]!.value; // => 3
 */
export function defineMetric(definition: MetricDefinition): Metric {
  checkGiven('metrics/define', 'an object', { definition });
  const { name, summary, source, needs, least, measure } = definition;
  checkGiven('metrics/define', 'a text', { name, summary, source });
  checkGiven('metrics/define', 'an object', { needs });
  for (const [side, list] of Object.entries(needs)) checkGiven('metrics/define', 'a list', { [`needs.${side}`]: list });
  checkGiven('metrics/define', 'a function', { measure });
  const refuse = (what: string, remedy: string): never => {
    throw new UserError(`[metrics/define] metric ${what}: name=${JSON.stringify(name)}. ${remedy}`);
  };
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/u.test(name)) refuse('has a name that is not kebab-case', 'Use lower-case letters, digits and hyphens.');
  if (summary.trim() === '') refuse('has no summary', 'Say in one sentence what it is.');
  if (source.trim() === '') refuse('has no source', 'Name the paper, or say where it comes from.');
  if ((needs.samples ?? []).length === 0) refuse('needs nothing of the samples', 'Name what it looks at.');
  checkNumber('metrics/define', { least }, { atLeast: 1, kind: 'integer' });
  return Object.freeze<Metric>({
    ...{ name, summary, source, needs, least },
    measure: async (input, options = {}) => {
      for (const side of ['samples', 'data', 'training'] as const) checkSide({ name, least, needs: needs[side] ?? [] }, side, input[side]);
      options.signal?.throwIfAborted();
      const values = await measure(input as Parameters<typeof measure>[0], options);
      const wrong = values.find(({ value }) => Number.isNaN(value));
      if (wrong !== undefined) throw new UserError(`[metrics/${name}] value is no number: ${wrong.name}=NaN. Look at the pictures.`);
      return Object.freeze([...values]);
    },
  });
}

function checkSide(
  { name, least, needs }: { readonly name: string; readonly least: number; readonly needs: readonly MetricNeed[] },
  side: keyof MetricInput,
  given: Partial<MetricSide> = {},
): void {
  for (const need of needs) {
    if (given[need] === undefined)
      throw new UserError(`[metrics/${name}] something that it needs is not there: ${side}.${need}=undefined. Pass it.`);
    const count = countOf(need, given);
    if (count < least) throw new UserError(`[metrics/${name}] too few items: ${side}=${count}, needed=${least}. Use a larger set.`);
  }
}

/** Items of what a side has. */
export function countOf(need: MetricNeed, side: Partial<MetricSide>): number {
  switch (need) {
    case 'features':
      return side.features!.count;
    case 'probabilities':
      return side.probabilities!.probabilities.length / side.probabilities!.classes;
    case 'embeddings':
      return side.embeddings!.pictures.rows.length / side.embeddings!.pictures.width;
    case 'spectrum':
      return side.spectrum!.count;
    case 'pairs':
      return side.pairs!.shape[0];
  }
}

/** `5,000 against 10,000`, for names. */
export function against(samples: number, data: number): string {
  return `${samples.toLocaleString('en-US')} against ${data.toLocaleString('en-US')}`;
}
