import { counterGenerator, UserError, type Engine } from '@langevin/tensor';
import { featureSet, type FeatureSet } from '../features/feature-set.ts';
import { countOf, type Metric, type MetricInput, type MetricNeed, type MetricSide, type MetricValue } from '../metric.ts';
import type { Pictures } from '../pictures/pair.ts';
import { spectrumOf } from '../spectra/spectrum.ts';

export interface CheckMetricOptions {
  /** @default the default engine */
  readonly engine?: Engine;
  /** Items of each side; at least what the metric asks for. @default 240 */
  readonly count?: number;
}

/** What is known of the sides that the kit makes: how far they are from the data. */
type Kind = 'like the data' | 'other than the data';

/**
 * Proves of a metric what every metric has to keep: samples that are like the data score better than others; the same input and seed give
 * the same numbers; inputs stay as they are; names say how many items were compared; what is missing, too small or aborted is refused.
 *
 * @throws Error saying what the metric does not keep
 */
export async function checkMetric(metric: Metric, { engine, count = 240 }: CheckMetricOptions = {}): Promise<void> {
  const items = Math.max(count, metric.least);
  const options = { engine, seed: 3 };
  const good = inputOf(metric, 'like the data', items);
  const bad = inputOf(metric, 'other than the data', items);
  const before = snapshot(good);
  const first = await metric.measure(good, options);
  demand(metric, snapshot(good) === before, 'changes what it is given');
  demand(metric, first.length > 0, 'gives no value');
  demand(metric, new Set(first.map(({ key }) => key)).size === first.length, 'gives two values one key');
  demand(
    metric,
    JSON.stringify(await metric.measure(good, options)) === JSON.stringify(first),
    'gives other values for the same input and seed',
  );
  const others = await metric.measure(bad, options);
  for (const [i, value] of first.entries()) {
    demand(metric, !Number.isNaN(value.value), `value is no number: ${value.key}`);
    demand(metric, value.error === undefined || value.error.value >= 0, `error is below 0: ${value.key}`);
    demand(
      metric,
      isBetter(value, others[i]),
      `${value.key} of samples that are like the data is not better: ${value.value} and ${others[i]?.value}`,
    );
  }
  const shown = first.map(({ name }) => name).join(' ');
  const counts = (metric.needs.samples ?? []).map((need) => countOf(need, good.samples));
  demand(
    metric,
    counts.some((n) => shown.includes(n.toLocaleString('en-US'))) || /subsets|sizes/u.test(shown),
    `names do not say how many items: ${shown}`,
  );
  await refuses(metric, 'an input without samples', () => metric.measure({ samples: {} }, options));
  if (metric.least > 1)
    await refuses(metric, 'too few items', () => metric.measure(inputOf(metric, 'like the data', metric.least - 1), options));
  await aborts(metric, () => metric.measure(good, { ...options, signal: AbortSignal.abort(new Error('enough')) }));
}

function isBetter(good: MetricValue, bad: MetricValue | undefined): boolean {
  if (bad === undefined || bad.key !== good.key) return false;
  switch (good.better) {
    case 'less':
      return good.value < bad.value;
    case 'more':
      return good.value > bad.value;
    case 'as data':
      return good.value !== bad.value;
  }
}

function demand(metric: Metric, holds: boolean, what: string): void {
  if (!holds) throw new Error(`metric ${metric.name} ${what}`);
}

async function refuses(metric: Metric, what: string, work: () => Promise<unknown>): Promise<void> {
  const error: unknown = await work().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  demand(metric, error instanceof UserError, `does not refuse ${what} with a UserError: ${String(error)}`);
}

async function aborts(metric: Metric, work: () => Promise<unknown>): Promise<void> {
  const ended = await work().then(
    () => false,
    () => true,
  );
  demand(metric, ended, 'goes on when it is aborted');
}

/** All that a metric needs. Samples that are like the data are other items of the same distribution. */
function inputOf(metric: Metric, kind: Kind, count: number): MetricInput {
  const side = (name: keyof MetricInput, stream: number): Partial<MetricSide> =>
    Object.fromEntries(
      (metric.needs[name] ?? []).map((need) => [need, MAKERS[need]({ kind: name === 'samples' ? kind : 'like the data', count, stream })]),
    );
  return { samples: side('samples', 1), data: side('data', 2), training: side('training', 3) };
}

interface Making {
  readonly kind: Kind;
  readonly count: number;
  readonly stream: number;
}

const MAKERS: { readonly [Need in MetricNeed]: (making: Making) => MetricSide[Need] } = {
  features: ({ kind, count, stream }) =>
    features(count, { stream, spread: kind === 'like the data' ? 1 : 1.5, shift: kind === 'like the data' ? 0 : 2 }),
  probabilities: ({ kind, count }) => {
    // Clear classes, all of them; or all classes at once.
    const clear = kind === 'like the data' ? 0.97 : 0.25;
    const rows = Float64Array.from({ length: 4 * count }, (_, k) => (k % 4 === Math.floor(k / 4) % 4 ? clear : (1 - clear) / 3));
    return { probabilities: rows, classes: 4 };
  },
  embeddings: ({ kind, count, stream }) => {
    const captions = features(count, { stream: 9, spread: 1, shift: 0 });
    const pictures = captions.rows.map((value, k) => (kind === 'like the data' ? value : captions.rows[(k + 6) % captions.rows.length]!));
    return { pictures: { rows: pictures, width: 6 }, captions: { rows: captions.rows, width: 6 }, stream } as MetricSide['embeddings'];
  },
  spectrum: ({ kind, count, stream }) => spectrumOf(noise({ kind, count: Math.min(count, 32), stream })),
  pairs: ({ kind, count }) => noise({ kind, count: Math.min(count, 4), stream: 5 }),
};

function features(
  count: number,
  { stream, spread, shift }: { readonly stream: number; readonly spread: number; readonly shift: number },
): FeatureSet {
  const info = { name: 'kit', layer: 'none', width: 6, hash: 'none', input: 'none' };
  const rows = counterGenerator({ seed: 11, stream: [stream] }).normal(count * 6);
  return featureSet(
    info,
    Float64Array.from(rows, (value) => shift + spread * value),
  );
}

/** White noise; or the same, half as strong. */
function noise({ kind, count, stream }: Making): Pictures {
  const numbers = counterGenerator({ seed: 12, stream: [stream] }).uniform(count * 256);
  const strength = kind === 'like the data' ? 1 : 0.5;
  return { data: Float64Array.from(numbers, (value) => strength * (2 * value - 1)), shape: [count, 1, 16, 16] };
}

function snapshot(input: MetricInput): string {
  return JSON.stringify(input, (_, value: unknown) => (ArrayBuffer.isView(value) ? Array.from(value as Float64Array) : value));
}
