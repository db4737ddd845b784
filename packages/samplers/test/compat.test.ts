import { arrayAlgebra, tensorAlgebra } from '@langevin/core-schedules';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { fromDiffusersConfig, schedulerClassNames } from '@langevin/samplers/compat';
import { data, tensor, torchGenerator, UnsupportedError, UserError } from '@langevin/tensor';
import { expect, test } from 'vitest';

const euler = (more: object = {}) => fromDiffusersConfig({ _class_name: 'EulerDiscreteScheduler', _diffusers_version: '0.21.0', ...more });

test('published configs of Stable Diffusion and SDXL are read, and leftovers listed', () => {
  const stable = fromDiffusersConfig({
    _class_name: 'PNDMScheduler',
    beta_end: 0.012,
    beta_schedule: 'scaled_linear',
    beta_start: 0.00085,
    clip_sample: false,
    num_train_timesteps: 1000,
    set_alpha_to_one: false,
    skip_prk_steps: true,
    steps_offset: 1,
    trained_betas: null,
  });
  expect(stable.unknownKeys).toEqual(['clip_sample']);
  stable.setTimesteps(4);
  expect(stable.timesteps).toEqual([751, 501, 501, 251, 1]);
  const xl = euler({
    beta_end: 0.012,
    beta_schedule: 'scaled_linear',
    beta_start: 0.00085,
    clip_sample: false,
    interpolation_type: 'linear',
    sample_max_value: 1,
    set_alpha_to_one: false,
    skip_prk_steps: true,
    steps_offset: 1,
    timestep_spacing: 'leading',
    use_karras_sigmas: false,
  });
  expect(xl.config).toMatchObject({ prediction_type: 'epsilon', timestep_spacing: 'leading', use_karras_sigmas: false });
  xl.setTimesteps(3);
  expect(xl.timesteps).toEqual([667, 334, 1]);
});

test('configs are untrusted', () => {
  expect(() => fromDiffusersConfig(null)).toThrow('[samplers/compat] a scheduler config is an object: config=null.');
  expect(() => fromDiffusersConfig({})).toThrow('the config does not name its class');
  expect(() => fromDiffusersConfig({ _class_name: 'EulerDiscretScheduler' })).toThrow('Did you mean "EulerDiscreteScheduler"?');
  expect(() => fromDiffusersConfig({ _class_name: 'constructor' })).toThrow(UserError);
  expect(() => fromDiffusersConfig({ _class_name: 'VQDiffusionScheduler' })).toThrow(UnsupportedError);
  expect(() => euler({ num_train_timesteps: 1e9 })).toThrow('num_train_timesteps=1000000000. Pass an integer in 2..100000.');
  expect(() => euler({ beta_start: '0.1' })).toThrow('beta_start="0.1"');
  expect(() => euler({ beta_start: Number.NaN })).toThrow('beta_start=NaN');
  expect(() => euler({ timestep_spacing: 'leadin' })).toThrow('timestep_spacing="leadin"');
  expect(() => euler({ trained_betas: [0.1, 0.2] })).toThrow('trained_betas.length=2, num_train_timesteps=1000');
  expect(() => euler({ use_karras_sigmas: true, use_beta_sigmas: true })).toThrow('sigmas follow one rule');
  for (const name of schedulerClassNames) expect(fromDiffusersConfig({ _class_name: name }).className).toBe(name);
});

test('calls that Python refuses are refused', async () => {
  const scheduler = euler();
  expect(() => scheduler.setTimesteps({})).toThrow(
    'nothing says how long the run is: numInferenceSteps=undefined, timesteps=undefined, sigmas=undefined. Pass one of them.',
  );
  expect(() => scheduler.setTimesteps(0)).toThrow('numInferenceSteps=0');
  expect(() => scheduler.setTimesteps({ mu: 1 })).toThrow('setTimesteps does not take this option: mu');
  scheduler.setTimesteps(2);
  const x = Float32Array.of(1, 2);
  await expect(scheduler.step(x, 3, x)).rejects.toThrow('the timestep is not one of this run: t=3');
  await expect(scheduler.step(x, 999, x, { eta: 1 })).rejects.toThrow('step does not take this option: eta');
  await expect(scheduler.step(x, 999, x, { sChurn: 1 })).rejects.toThrow('Pass { generator: torchGenerator(seed) } or { noise }');
});

test('a run that is over says so', async () => {
  const scheduler = euler();
  scheduler.setTimesteps(1);
  const x = Float32Array.of(1);
  await scheduler.step(x, scheduler.timesteps[0]!, x);
  await expect(scheduler.step(x, scheduler.timesteps[0]!, x)).rejects.toThrow('the run of 1 timesteps is over');
  scheduler.setTimesteps(1);
  expect(scheduler.stepIndex).toBeUndefined();
});

test('tensors go the way of arrays', async () => {
  const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
  const config = { _class_name: 'HeunDiscreteScheduler', beta_schedule: 'scaled_linear' };
  const [plain, lazy] = [
    fromDiffusersConfig<Float32Array>(config, { algebra: arrayAlgebra({ items: 2 }) }),
    fromDiffusersConfig(config, { algebra: tensorAlgebra({ engine }) }),
  ];
  plain.setTimesteps(3);
  lazy.setTimesteps(3);
  let x = torchGenerator(0)
    .normal(8)
    .map((value) => value * plain.initNoiseSigma) as Float32Array;
  let y = tensor(x, { shape: [2, 4] });
  for (const t of plain.timesteps) {
    x = (await plain.step(plain.scaleModelInput(x, t), t, x)).prevSample;
    y = (await lazy.step(lazy.scaleModelInput(y, t), t, y)).prevSample;
  }
  const host = await data(y, { engine });
  x.forEach((value, i) => expect(Math.abs(value - Number(host[i]))).toBeLessThan(1e-5 * Math.abs(value)));
});
