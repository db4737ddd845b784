import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { isAutoencoderConfig, parseAutoencoderConfig, parseTrainingConfig } from '@langevin/pipelines';
import { describe, expect, it } from 'vitest';
import { TINY_RUN } from './tiny-run.ts';

describe('a training configuration', () => {
  it('has its defaults filled in', () => {
    const config = parseTrainingConfig({ ...TINY_RUN, flip: undefined, patch: undefined, accumulate: undefined, dropout: undefined });
    expect(config).toMatchObject({
      ...{ flip: 'none', patch: 1, accumulate: 1, dropout: {} },
      noise: { process: { name: 'edm' }, spread: 'stratified', variance: 'fixed' },
      optimizer: { betas: [0.9, 0.999] },
    });
  });

  it.each([
    [{ batchSize: 0 }, 'batchSize=0'],
    [{ seed: -1 }, 'seed=-1'],
    [{ batchsize: 3 }, 'batchsize is not known. Did you mean "batchSize"?'],
    [{ name: '../up' }, 'name="../up"'],
    [{ optimizer: { name: 'adma', learningRate: 1 } }, 'optimizer.name="adma"'],
    [{ optimizer: { name: 'adam', learningRate: 0 } }, 'optimizer.learningRate=0'],
    [{ average: {} }, 'average={}, give one of {"std": a number > 0 and <= 0.28}, {"halfLifeImages": a number > 0}'],
    [
      { clipnorm: 1 },
      'clipnorm is not known. Did you mean "clipNorm"? Known: name, seed, data, labels, categories, flip, latents, backbone',
    ],
    [{ optimizer: { name: 'adam', learningRate: 1, lr: 1 } }, 'optimizer.lr is not known. Known: name, learningRate, betas, weightDecay'],
    [{ seed: undefined }, 'seed is missing'],
    [{ optimizer: { name: 'adam', learningRate: 1, betas: [0, 1] } }, 'optimizer.betas.1=1, expected <1'],
    [{ patch: 65 }, 'patch=65'],
    [{ dropout: { label: 2 } }, 'dropout.label=2'],
    [{ dropout: { lable: 0.1 } }, 'dropout.lable is not known. Did you mean "label"?'],
    [{ noise: { proces: { name: 'flow' } } }, 'noise.proces is not known. Did you mean "process"?'],
    [{ noise: { process: 'flow' } }, 'noise.process="flow"'],
    [{ edm: { sigmaData: 0.5 } }, 'edm is not known.'],
  ])('with %j is refused, naming entry, value and file', (change, named) => {
    expect(() => parseTrainingConfig({ ...TINY_RUN, ...change }, 'my.json')).toThrow(`[pipelines/config] entry is not valid: ${named}`);
    expect(() => parseTrainingConfig({ ...TINY_RUN, ...change }, 'my.json')).toThrow('file=my.json');
  });

  it('of this project is one, apart from those of judges', async () => {
    const folder = fileURLToPath(new URL('../../../configs/', import.meta.url));
    const files = (await readdir(folder)).filter((file) => file.endsWith('.json') && !file.startsWith('judge-'));
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) {
      const json: unknown = JSON.parse(await readFile(`${folder}${file}`, 'utf8'));
      if (isAutoencoderConfig(json)) parseAutoencoderConfig(json, file);
      else parseTrainingConfig(json, file);
    }
  });
});
