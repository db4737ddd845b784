import { declareOptions } from '@langevin/core';
import { deformations, mlpDeformation, strategies, type Deformation, type MlpDeformationConfig, type Strategy } from '@langevin/gaussians';
import { checkDeformation, checkStrategy } from '@langevin/gaussians/testing';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { mul, setDefaultEngine } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

describe('deformations', () => {
  const SMALL: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    mlp: { width: 8, depth: 1 },
    hexplane: { resolution: 5, frames: 4, features: 3, width: 8 },
  };
  test.each(deformations.names)('%s keeps what all have to keep', (name) =>
    checkDeformation(name, { known: deformations, options: SMALL[name] ?? {} }),
  );

  /** A deformation of a plugin: the MLP with something else about it. */
  const plugin = (change: (made: Deformation<unknown>) => Partial<Deformation<unknown>>) =>
    deformations.with({
      mine: declareOptions((options: MlpDeformationConfig = {} as MlpDeformationConfig) => {
        const made = mlpDeformation({ ...options, width: 8, depth: 1 }) as Deformation<unknown>;
        return { ...made, kind: 'mine', ...change(made) };
      }, deformations.optionsOf('mlp')),
    });

  test('those of plugins pass as well', () => checkDeformation('mine', { known: plugin(() => ({})) }));

  test.each<[string, (made: Deformation<unknown>) => Partial<Deformation<unknown>>]>([
    ['plays other means', (made) => ({ player: (_, gaussians) => () => ({ means: gaussians.means }), offsets: made.offsets })],
    ['moves nothing, whatever its weights', () => ({ offsets: (_, { means }) => ({ means: mul(means, 0) }) })],
    ['has no learning rate', () => ({ rates: {} })],
    ['deformation has another name', () => ({ kind: 'other' })],
    ['this is no deformation', () => ({ player: undefined as never })],
  ])('one is found out: %s', async (what, change) => {
    await expect(checkDeformation('mine', { known: plugin(change) })).rejects.toThrow(what);
  });
});

describe('strategies', () => {
  test.each(strategies.names)('%s keeps what all have to keep', (name) => checkStrategy(strategies.create(name), { steps: 800 }));

  const base: Strategy = strategies.create('mcmc', { start: 10, every: 20 });
  test.each<[string, Partial<Strategy>]>([
    ['changes nothing in', { refine: () => undefined, perturb: undefined as never }],
    ['gives other Gaussians for the same seed', { perturb: ({ gaussians }) => void (gaussians.means[0] = Math.random()) }],
    ['takes rows that do not exist', { refine: () => ({ rows: { source: Int32Array.of(99), fresh: Uint8Array.of(0) }, counts: {} }) }],
    ['changes Gaussians while it refines', { refine: ({ gaussians }) => void (gaussians.means[0]! += 1) as never }],
    ['writes sh that are no numbers', { perturb: ({ gaussians }) => void (gaussians.sh[0] = NaN) }],
    ['changes the gradients', { observe: ({ gradients }) => void gradients.means.fill(0) }],
    ['has options that JSON', { options: { cap: Infinity } }],
  ])('one is found out: %s', (what, change) => {
    expect(() => checkStrategy({ ...base, ...change }, { steps: 100 })).toThrow(what);
  });
});
