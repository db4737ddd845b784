import { lambdaOf } from '@langevin/core';
import { fromDiffusersConfig } from '@langevin/samplers/compat';
import { UnsupportedError, UserError } from '@langevin/tensor';
import { describe, expect, it } from 'vitest';
import { repairScheduler } from '../../src/checkpoint/repair-scheduler.ts';
import { noiseOfScheduler } from '../../src/checkpoint/scheduler-noise.ts';

const SD = { _class_name: 'PNDMScheduler', beta_schedule: 'scaled_linear', beta_start: 0.00085, beta_end: 0.012 };

describe('the noise of a checkpoint', () => {
  it('is the process of its betas: the levels are those that diffusers gives its timesteps', () => {
    const { noise } = noiseOfScheduler(SD);
    const euler = fromDiffusersConfig({ ...SD, _class_name: 'EulerDiscreteScheduler', timestep_spacing: 'leading', steps_offset: 1 });
    euler.setTimesteps(10);
    euler.timesteps.forEach((t, i) => {
      const { alpha, sigma } = noise.process.levelOf(noise.process.lambda((t + 1) / 1000));
      expect(sigma / alpha).toBeCloseTo(euler.sigmas[i]!, 4);
      // A network is told the timestep.
      expect(noise.preconditioning.at({ alpha, sigma }).cNoise).toBeCloseTo(t, 6);
    });
  });

  it.each([
    [{}, 'epsilon', 'the default of diffusers, as prediction_type is absent'],
    [{ prediction_type: null }, 'epsilon', 'the default of diffusers, as prediction_type is absent'],
    [{ prediction_type: 'v_prediction' }, 'v', 'scheduler/scheduler_config.json, prediction_type'],
    [{ prediction_type: 'sample' }, 'x0', 'scheduler/scheduler_config.json, prediction_type'],
  ] as const)('has the prediction that %j says', (more, value, from) => {
    const { noise, evidence } = noiseOfScheduler({ ...SD, ...more });
    expect(noise.prediction).toBe(value);
    expect(evidence.find(({ what }) => what === 'prediction')).toEqual({ component: 'scheduler', what: 'prediction', value, from });
  });

  it('has the prediction that is asked for, whatever the file says', () => {
    const { noise, evidence } = noiseOfScheduler({ ...SD, prediction_type: 'epsilon' }, { prediction: 'v' });
    expect(noise.prediction).toBe('v');
    expect(evidence.at(-1)).toMatchObject({ value: 'v', from: 'asked for' });
  });

  it('ends in pure noise where the betas are rescaled', () => {
    const { noise } = noiseOfScheduler({ ...SD, prediction_type: 'v_prediction', rescale_betas_zero_snr: true });
    expect(noise.process.levelOf(noise.process.lambda(1)).alpha).toBe(0);
    expect(lambdaOf(noise.process.levelOf(noise.process.lambda(0.5)))).toBeGreaterThan(-10);
  });

  it.each([
    [{ _class_name: 'FlowMatchEulerDiscreteScheduler', shift: 3 }, 'flow', 'flow'],
    [{ ...SD, _class_name: 'DPMSolverMultistepScheduler', use_flow_sigmas: true, prediction_type: 'flow_prediction' }, 'flow', 'flow'],
    [{ _class_name: 'EDMEulerScheduler', sigma_max: 20 }, 'edm', undefined],
    [{ _class_name: 'DDPMScheduler', trained_betas: [0.1, 0.2, 0.3] }, 'discrete-vp', 'epsilon'],
  ] as const)('knows %j', (config, process, prediction) => {
    const { noise } = noiseOfScheduler(config);
    expect([noise.process.name, noise.prediction]).toEqual([process, prediction]);
  });

  it.each([
    [{ ...SD, prediction_type: 'w' }, UserError, /prediction_type="w"/u],
    [{ ...SD, beta_schedule: 'steep' }, UserError, /beta_schedule="steep"/u],
    [{ ...SD, beta_start: 2 }, UserError, /betaStart=2/u],
    [{ ...SD, num_train_timesteps: 1e9 }, UserError, /steps=1000000000/u],
    [{ _class_name: 'ScoreSdeVpScheduler' }, UnsupportedError, /says nothing of the noise/u],
    [{}, UnsupportedError, /says nothing of the noise/u],
  ])('refuses %j', (config, kind, message) => {
    expect(() => noiseOfScheduler(config)).toThrow(kind);
    expect(() => noiseOfScheduler(config)).toThrow(message);
  });
});

describe('early schedulers of Stable Diffusion', () => {
  const filled = fromDiffusersConfig({ ...SD, _class_name: 'DDIMScheduler' }).config;

  it('are repaired, with a note', () => {
    const { config, evidence } = repairScheduler(filled, 'StableDiffusionPipeline');
    expect([config['steps_offset'], config['clip_sample']]).toEqual([1, false]);
    expect(evidence.map(({ what, value }) => `${what} ${value}`)).toEqual(['steps_offset 1', 'clip_sample false']);
  });

  it('are left as they are for other pipelines, and where nothing is wrong', () => {
    for (const pipeline of ['StableDiffusionXLPipeline', 'StableDiffusion3Pipeline', 'DDIMPipeline'])
      expect(repairScheduler(filled, pipeline).config).toBe(filled);
    const right = { ...filled, steps_offset: 1, clip_sample: false };
    expect(repairScheduler(right, 'StableDiffusionImg2ImgPipeline').evidence).toEqual([]);
  });
});
