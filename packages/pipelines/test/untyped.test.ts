import { backboneFromConfig, dit, findBackbone, unet2d } from '@langevin/backbones';
import {
  describeCheckpoint,
  labelChoices,
  loadDiffusionFolder,
  loadModel,
  loadRunModel,
  parseTrainingConfig,
  sampleImages,
  saveDiffusionFolder,
} from '@langevin/pipelines';
import { networkDenoiser } from '@langevin/diffusion';
import { errorKind, scalar } from '@langevin/tensor';
import { learnerStep, listCheckpoints, loadCheckpoint, memoryStore, train } from '@langevin/training';
import { describe, expect, it } from 'vitest';
import { tinyModel } from './tiny.ts';

// What code without types passes.
const NOTHING = [[null], [undefined], [[]], [3], [''], ['a\0b']] as const;

const FUNCTIONS: Readonly<Record<string, (value: never) => unknown>> = {
  loadModel,
  loadRunModel,
  loadDiffusionFolder,
  describeCheckpoint,
  'sampleImages of': (value) => sampleImages(value).next(),
  'saveDiffusionFolder into': (value) => saveDiffusionFolder(value, tinyModel('zero')),
  'saveDiffusionFolder of': (value) => saveDiffusionFolder('never-made', value),
  labelChoices,
  networkDenoiser,
  'networkDenoiser of noise': (value) => networkDenoiser({ network: tinyModel('zero').network, params: {}, noise: value }),
  learnerStep,
  'learnerStep by': (value) => learnerStep({ rule: value, loss: () => ({ loss: scalar(0) }), seed: 0 }),
  'loadCheckpoint from': (value) => loadCheckpoint(value, 1),
  // 3 is a step, of which the store has no checkpoint.
  'loadCheckpoint at': (value) => loadCheckpoint(memoryStore(), value),
  listCheckpoints,
  backboneFromConfig,
  findBackbone,
  'unet2d without a configuration': (value) => unet2d(value === undefined ? (null as never) : value),
  'dit without a configuration': (value) => dit(value === undefined ? (null as never) : value),
  parseTrainingConfig,
  'train a': (value) => train(value, { store: memoryStore(), steps: 1 }).next(),
  'train in': (value) =>
    train({ name: 'x', config: {}, seed: 0, init: () => ({}), step: () => Promise.reject(new Error('ran')) }, value).next(),
};

describe.each(Object.entries(FUNCTIONS))('%s', (_name, call) => {
  it.each(NOTHING)('refuses what is none of it: %j', async (value) => {
    let error: unknown;
    try {
      await call(value as never);
    } catch (caught) {
      error = caught;
    }
    expect(['user', 'unsupported'], String(error)).toContain(errorKind(error));
  });
});
