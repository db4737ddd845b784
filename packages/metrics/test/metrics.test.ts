import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { defineMetric, metrics, type MetricDefinition } from '@langevin/metrics';
import { checkMetric } from '@langevin/metrics/testing';
import { describe, expect, it } from 'vitest';

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });

describe('metrics by name', () => {
  it.each(metrics.names)('%s keeps what every metric keeps', async (name) => {
    // A hundred subsets prove no more than ten.
    const options = metrics.optionsOf(name).includes('subsets') ? { subsets: 10 } : undefined;
    await checkMetric(metrics.create(name, options), { engine });
  });
  it('take options by name', () => {
    expect(metrics.optionsOf('precision-recall')).toEqual(['k']);
    expect(() => metrics.create('precision-recal')).toThrow('Did you mean "precision-recall"');
  });
});

describe('the kit', () => {
  const definition: MetricDefinition = {
    name: 'fake',
    summary: 'Says nothing.',
    source: 'none',
    needs: { samples: ['features'], data: ['features'] },
    least: 1,
    measure: ({ samples }) => [{ key: 'one', name: `one of ${samples.features.count}`, value: 1, better: 'less' }],
  };
  it('finds a metric that does not see the samples', async () => {
    await expect(checkMetric(defineMetric(definition), { engine })).rejects.toThrow('is not better');
  });
  it('finds one that changes what it is given', async () => {
    const changing = defineMetric({
      ...definition,
      measure: ({ samples }) => {
        samples.features.rows[0]! += 1;
        return [{ key: 'one', name: '240', value: Math.abs(samples.features.rows[1]!), better: 'less' }];
      },
    });
    await expect(checkMetric(changing, { engine })).rejects.toThrow('changes what it is given');
  });
  it('finds one whose values change from call to call', async () => {
    let calls = 0;
    const unsteady = defineMetric({
      ...definition,
      measure: () => {
        calls += 1;
        return [{ key: 'one', name: '240', value: calls, better: 'less' }];
      },
    });
    await expect(checkMetric(unsteady, { engine })).rejects.toThrow('other values for the same input');
  });
  it('is only for values that are numbers', async () => {
    const none = defineMetric({ ...definition, measure: () => [{ key: 'one', name: '240', value: NaN, better: 'less' }] });
    await expect(checkMetric(none, { engine })).rejects.toThrow('value is no number');
  });
});
