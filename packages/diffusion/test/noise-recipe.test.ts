import {
  defineNoiseProcess,
  flow,
  lossWeights,
  noiseDistributions,
  preconditionings,
  processes,
  straightFlow,
  type NoiseProcess,
} from '@langevin/core-schedules';
import { noiseRecipe } from '@langevin/diffusion';
import { UserError } from '@langevin/tensor';
import { describe, expect, it } from 'vitest';

describe('a noise recipe', () => {
  it.each([
    [{}, 'edm', undefined, 'edm', 'log-normal-sigmas'],
    [{ process: { name: 'flow' } }, 'flow', 'flow', 'flow on flow', 'uniform-times'],
    [{ process: { name: 'discrete-vp' } }, 'discrete-vp', 'epsilon', 'epsilon on discrete-vp', 'uniform-times'],
    [{ process: { name: 'trigflow' } }, 'trigflow', undefined, 'trigflow', 'uniform-times'],
    [{ process: { name: 'vp-cosine' }, prediction: 'v' }, 'vp-cosine', 'v', 'v on vp-cosine', 'uniform-times'],
    [{ process: { name: 'edm' }, prediction: 'epsilon' }, 'edm', 'epsilon', 'epsilon on edm', 'log-normal-sigmas'],
  ])('%o does what the paper of its process does', (config, process, prediction, preconditioning, levels) => {
    const recipe = noiseRecipe(config);
    expect(recipe).toMatchObject({ process: { name: process }, preconditioning: { name: preconditioning }, levels: { name: levels } });
    expect(recipe.prediction).toBe(prediction);
    expect(recipe.weight.name).toBe('plain');
  });

  it('passes options to what they are for', () => {
    const { process, levels, weight } = noiseRecipe({
      process: { name: 'edm', sigmaMax: 20 },
      levels: { name: 'log-normal', mean: 0, std: 1 },
      weight: { name: 'min-snr', gamma: 3 },
    });
    expect(process.level(1).sigma).toBeCloseTo(20, 10);
    expect(levels.quantile(0.5).sigma).toBeCloseTo(1, 10);
    expect(weight.at({ alpha: 1, sigma: 0.1 })).toBeCloseTo(3, 10);
  });

  it('takes every distribution and preconditioning of the registries, and gives the process to those that are made for one', () => {
    for (const name of noiseDistributions.names.filter((each) => each !== 'cosine-interpolated'))
      expect(noiseRecipe({ process: { name: 'flow' }, levels: { name } }).levels.quantile(0.5).sigma).toBeGreaterThan(0);
    const { levels } = noiseRecipe({ process: { name: 'flow', shift: 3 }, levels: { name: 'uniform' } });
    expect(levels.quantile(0.5).sigma).toBeCloseTo(flow({ shift: 3 }).sigma(0.5), 4);
    for (const name of preconditionings.names.filter((each) => each !== 'prediction'))
      expect(
        Number.isFinite(
          noiseRecipe({ process: { name: 'discrete-vp' }, preconditioning: { name } }).preconditioning.at({ alpha: 1, sigma: 0.7 }).cOut,
        ),
      ).toBe(true);
    expect(() => noiseRecipe({ preconditioning: { name: 'iddpm' } })).toThrow('the networks know steps of a chain: process=edm');
    expect(() => noiseRecipe({ preconditioning: { name: 'prediction', prediction: 'eps' } })).toThrow(
      'unknown prediction: prediction="eps"',
    );
    const named = noiseRecipe({ process: { name: 'vp-linear' }, preconditioning: { name: 'prediction', prediction: 'v' } });
    expect(named.preconditioning.name).toBe('v on vp-linear');
    // Without a process where one is needed.
    expect(() => noiseDistributions.create('uniform')).toThrow(UserError);
    expect(() => noiseDistributions.create('mode', {})).toThrow('this is no noise process: process=undefined');
  });

  it.each([
    [{ proces: {} }, 'proces'],
    [{ process: { name: 'edn' } }, 'unknown process: "edn". Did you mean "edm"?'],
    [{ process: { name: 'edm', sigmaMex: 3 } }, 'unknown option: "sigmaMex"'],
    [{ prediction: 'eps' }, 'prediction="eps"'],
    [{ prediction: 'v', preconditioning: { name: 'edm' } }, 'Give one of them'],
    [{ levels: { name: 'lognormal' } }, 'levels.name=lognormal. Did you mean "log-normal"?'],
    [{ weight: { name: 'plane' } }, 'weight.name=plane. Did you mean "plain"?'],
    [{ preconditioning: { name: '__proto__' } }, 'unknown preconditioning'],
    [{ variance: 'learned' }, 'learned variance needs a process with steps'],
    [null, 'noise=null'],
    [[], 'noise=a list'],
    [{ weight: { name: 'plain', gamma: 3 } }, 'unknown option: gamma'],
    [{ weight: { name: 'likelihood', gamma: 3 } }, 'unknown option: gamma'],
    [{ spread: 1n }, 'spread='],
  ])('refuses %o', (config, says) => {
    expect(() => noiseRecipe(config)).toThrow(says);
  });

  it('finds parts of plugins beside the built-in ones, and what a process declares to be usual', () => {
    const straight = (): NoiseProcess =>
      defineNoiseProcess({
        ...flow(),
        name: 'straight',
        geometry: straightFlow,
        rates: () => ({ alpha: -1, sigma: 1 }),
        usual: { prediction: 'v', levels: 'logit-normal' },
      });
    const parts = {
      processes: processes.with({ straight }),
      weights: lossWeights.with({ half: () => ({ name: 'half', at: () => 0.5 }) }),
    };
    const recipe = noiseRecipe({ process: { name: 'straight' }, weight: { name: 'half' } }, parts);
    expect([recipe.process.name, recipe.prediction, recipe.levels.name, recipe.weight.name]).toEqual([
      ...['straight', 'v', noiseDistributions.create('logit-normal', { process: flow() }).name, 'half'],
    ]);
    expect(() => noiseRecipe({ process: { name: 'straight' } })).toThrow('straight');
    expect(() => noiseRecipe({ weight: { name: 'haf' } }, parts)).toThrow('Did you mean "half"?');
  });
});
