import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { diffusionRunFromConfig, parseTrainingConfig, type DiffusionModel, type Labels } from '@langevin/pipelines';
import { data, namedTensors, setDefaultEngine, type Tensor } from '@langevin/tensor';
import { beforeAll, describe, expect, test } from 'vitest';
import { TINY_CONFIG, tinyModel } from './tiny.ts';

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ threads: 1 })));

const SUBCATEGORIES = ['cat-face', 'monkey-face'];
const names: Labels = { classes: ['weary cat face', 'monkey-face', 'cat-face', 'oak'], categories: [] };

function configOf(overrides: Readonly<Record<string, unknown>> = {}) {
  return parseTrainingConfig({
    name: 'cats',
    seed: 4,
    data: { name: 'emoji-google', size: 8, onlySubcategories: SUBCATEGORIES },
    labels: 'name',
    patch: 2,
    backbone: { ...TINY_CONFIG, num_class_embeds: 12, ...overrides },
    noise: { preconditioning: { name: 'edm', sigmaData: 0.6 } },
    optimizer: { name: 'adam', learningRate: 0.001 },
    batchSize: 2,
    average: { std: 0.1 },
  });
}

const weightsOf = (params: unknown): ReadonlyMap<string, Tensor> => new Map(namedTensors(params));
const rows = async (tensor: Tensor): Promise<number[][]> => {
  const values = Array.from((await data(tensor)) as Float32Array);
  const size = tensor.shape[1]!;
  return Array.from({ length: tensor.shape[0]! }, (_, i) => values.slice(i * size, (i + 1) * size));
};

describe('a run that begins with another model', () => {
  test('takes its weights; a class takes those of its name, or of its sub-category, or none', async () => {
    const model: DiffusionModel = { ...tinyModel('random'), labels: names };
    const { task, labels } = await diffusionRunFromConfig(configOf(), { initial: model });
    const [began, there, fresh] = [
      weightsOf((await task.init()).network.params),
      weightsOf(model.params),
      weightsOf((await (await diffusionRunFromConfig(configOf())).task.init()).network.params),
    ];
    for (const [name, tensor] of began) {
      if (name !== 'class_embedding.weight') expect(await data(tensor), name).toEqual(await data(there.get(name)!));
    }
    const [got, known, own] = await Promise.all([began, there, fresh].map((weights) => rows(weights.get('class_embedding.weight')!)));
    expect(labels!.classes).toContain('weary cat face');
    labels!.classes.forEach((name, label) => {
      const expected = name === 'weary cat face' ? known![0] : name.includes('monkey') ? known![1] : known![2];
      expect(got![label], name).toEqual(expected);
      expect(got![label], name).not.toEqual(own![label]);
    });
    const { network } = await task.init();
    expect(network.averages['average']).toBe(network.params);
  });

  test('a class that the other model does not know keeps what it would have had', async () => {
    const strangers: DiffusionModel = { ...tinyModel('random'), labels: { classes: ['a', 'b', 'c', 'd'], categories: [] } };
    const embedding = async (initial?: DiffusionModel) => {
      const { task } = await diffusionRunFromConfig(configOf(), initial ? { initial } : {});
      return rows(weightsOf((await task.init()).network.params).get('class_embedding.weight')!);
    };
    expect(await embedding(strangers)).toEqual(await embedding());
  });

  test('is refused when the networks differ in more than their classes', async () => {
    const wider = configOf({ block_out_channels: [16] });
    await expect(diffusionRunFromConfig(wider, { initial: { ...tinyModel(), labels: names } })).rejects.toThrow(
      '[pipelines/warm-start] network cannot start from the other one: conv_in.weight is [16, 12, 3, 3], there [8, 12, 3, 3]. '
        + 'Use the same backbone; only the number of classes may differ.',
    );
  });
});
