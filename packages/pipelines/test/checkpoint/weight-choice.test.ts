import { UserError } from '@langevin/tensor';
import { describe, expect, it } from 'vitest';
import { chooseWeights, type WeightChoiceOptions } from '../../src/checkpoint/weight-choice.ts';

const choose = (names: readonly string[], options: WeightChoiceOptions = {}) => {
  const { name, variant } = chooseWeights(names, { where: 'unet', ...options });
  return [name, variant] as const;
};
const D = 'diffusion_pytorch_model';
const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors', 'model-00003-of-00003.safetensors'];

describe('which files hold the weights of a component', () => {
  it.each([
    [[`${D}.safetensors`], {}, `${D}.safetensors`, null],
    [['config.json', `${D}.fp16.safetensors`, `${D}.safetensors`, `${D}.bin`], {}, `${D}.safetensors`, null],
    [[`${D}.fp16.safetensors`, `${D}.safetensors`], { variant: 'fp16' }, `${D}.fp16.safetensors`, 'fp16'],
    [[`${D}.safetensors`], { variant: 'fp16' }, `${D}.safetensors`, null],
    [[`${D}.fp16.safetensors`], {}, `${D}.fp16.safetensors`, 'fp16'],
    [[`${D}.non_ema.safetensors`, `${D}.safetensors`], {}, `${D}.safetensors`, null],
    // Sharded, in each spelling, with the shards of both variants beside each other.
    [[...shards, 'model.safetensors.index.json', 'model.safetensors.index.fp16.json'], {}, 'model.safetensors.index.json', null],
    [
      [...shards, 'model.safetensors.index.json', 'model.safetensors.index.fp16.json'],
      { variant: 'fp16' },
      'model.safetensors.index.fp16.json',
      'fp16',
    ],
    [['model.safetensors.fp16.index.json', 'model-00001-of-00002.fp16.safetensors'], {}, 'model.safetensors.fp16.index.json', 'fp16'],
    [['model.fp16.safetensors.index.json'], {}, 'model.fp16.safetensors.index.json', 'fp16'],
    // An index goes before a whole file, as in diffusers.
    [['model.safetensors', 'model.safetensors.index.json'], {}, 'model.safetensors.index.json', null],
  ] as const)('%j with %j', (names, options, name, variant) => {
    expect(choose(names, options)).toEqual([name, variant]);
  });

  it.each([
    [[], {}, /weights are missing: folder=unet/u],
    [shards, {}, /weights are missing/u],
    [['pytorch_model.bin'], {}, /format that is not read: file="unet\/pytorch_model\.bin"\. Convert them to safetensors/u],
    [['model.fp16.safetensors', 'model.bf16.safetensors'], {}, /several variants and no plain files: folder=unet, variants=bf16, fp16/u],
    [
      ['model.safetensors'],
      { variant: 'fp16', missingVariant: 'refuse' },
      /no such variant: folder=unet, variant="fp16"\. There is none, and plain files/u,
    ],
    [['model.fp16.safetensors'], { variant: 'fp32' }, /no such variant: folder=unet, variant="fp32"\. There are fp16\. /u],
    [['model.fp16.safetensors'], { variant: null }, /several variants and no plain files/u],
  ] as const)('refuses %j with %j', (names, options, message) => {
    expect(() => choose(names, options)).toThrow(UserError);
    expect(() => choose(names, options)).toThrow(message);
  });
});
