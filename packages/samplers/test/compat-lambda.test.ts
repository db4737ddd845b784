import { fromDiffusersConfig } from '@langevin/samplers/compat';
import { torchGenerator } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';
import { agrees, caseName, compareCase, runCase } from '@langevin/samplers/testing';
import { readGolden } from './support/golden.ts';

for (const part of ['dpmsolver', 'lambda', 'edm', 'flow', 'few-step'] as const) {
  describe(part, () => {
    for (const golden of readGolden(part).cases) {
      test(`${golden.fails === undefined ? '' : 'refused, as upstream fails: '}${caseName(golden)}`, async () => {
        if (golden.fails !== undefined) {
          await expect(runCase(golden)).rejects.toThrow(/^\[samplers\/compat\] .*: .*\. [A-Z]/u);
          return;
        }
        const found = await compareCase(golden);
        expect(agrees(golden, found), JSON.stringify(found)).toBe(true);
      });
    }
  });
}

describe('what upstream gets wrong without a word is refused with what to do', () => {
  const cases: readonly (readonly [config: Readonly<Record<string, unknown>>, message: string])[] = [
    [
      { _class_name: 'UniPCMultistepScheduler', solver_type: 'bh1' },
      'B(h) = h is infinite on a step to sigma = 0: solver_type="bh1", final_sigmas_type="zero". Set final_sigmas_type to '
        + '"sigma_min", or solver_type to "bh2".',
    ],
    [
      { _class_name: 'UniPCMultistepScheduler', solver_order: 3, lower_order_final: false },
      'a step to sigma = 0 is of first order: lower_order_final=false, solver_order=3, final_sigmas_type="zero". Set '
        + 'final_sigmas_type to "sigma_min", or lower_order_final to true.',
    ],
    [
      { _class_name: 'UniPCMultistepScheduler', predict_x0: false },
      'predictions of the noise cannot be integrated to a clean end: predict_x0=false, final_sigmas_type="zero". Set '
        + 'final_sigmas_type to "sigma_min", or predict_x0 to true.',
    ],
    [
      { _class_name: 'DPMSolverMultistepScheduler', algorithm_type: 'sde-dpmsolver', solver_order: 3, final_sigmas_type: 'sigma_min' },
      'there is no third-order rule: algorithm_type="sde-dpmsolver", solver_order=3. Set solver_order to 2, or algorithm_type to '
        + '"sde-dpmsolver++".',
    ],
    [
      { _class_name: 'EDMDPMSolverMultistepScheduler', algorithm_type: 'sde-dpmsolver++', solver_order: 3 },
      'there is no third-order rule with noise: algorithm_type="sde-dpmsolver++", solver_order=3. Set solver_order to 2.',
    ],
    [
      { _class_name: 'DPMSolverMultistepInverseScheduler', algorithm_type: 'sde-dpmsolver++' },
      'the SDE has no steps towards noise: algorithm_type="sde-dpmsolver++". Set it to "dpmsolver++".',
    ],
    [
      { _class_name: 'HeliosScheduler', stages: 1, stage_range: [0, 1] },
      'with one stage a run begins at sigma = 1, where lambda is infinite and UniPC has no rule: stages=1, scheduler_type="unipc". '
        + 'Set scheduler_type to "euler", or take UniPCMultistepScheduler with use_flow_sigmas, which begins below 1.',
    ],
    [
      { _class_name: 'HeliosScheduler', solver_p: { _class_name: 'DDIMScheduler' } },
      'another scheduler cannot be the predictor, as Python never tells it its timesteps: '
        + 'solver_p={"_class_name":"DDIMScheduler"}. Leave it out.',
    ],
    [
      { _class_name: 'SASolverScheduler', variance_type: 'learned' },
      'learned variances have no place in the method: variance_type="learned". Set it to null and pass the leading channels of the output.',
    ],
  ];
  for (const [config, message] of cases) {
    test(message, () => {
      expect(() => fromDiffusersConfig(config)).toThrow(`[samplers/compat] ${String(config['_class_name'])}: ${message}`);
    });
  }
});

test('predictions that are resized need the shape of the sample, and as many factors as there are steps but the last', async () => {
  const lcm = (scale_factors: readonly number[], more: object = {}) => {
    const scheduler = fromDiffusersConfig({ _class_name: 'FlowMatchLCMScheduler', scale_factors, ...more });
    scheduler.setTimesteps(2);
    return scheduler.step(new Float32Array(12), scheduler.timesteps[0]!, new Float32Array(12), {
      generator: torchGenerator(0),
      shape: [1, 3, 2, 2],
    });
  };
  expect((await lcm([2])).prevSample).toHaveLength(48);
  await expect(lcm([2, 2])).rejects.toThrow('scale_factors has 2 entries, the run 2 timesteps. Pass 3 steps.');
  await expect(lcm([0.1])).rejects.toThrow('nothing would be left of the state: scale factor 0.1 of [2, 2].');
  await expect(lcm([2], { upscale_mode: 'trilinear' })).rejects.toThrow(
    'upscale_mode="trilinear", shape=[1, 3, 2, 2]. The mode takes 3 axes after batch and channels.',
  );
  const untold = fromDiffusersConfig({ _class_name: 'FlowMatchLCMScheduler', scale_factors: [2] });
  untold.setTimesteps(2);
  await expect(
    untold.step(new Float32Array(12), untold.timesteps[0]!, new Float32Array(12), { generator: torchGenerator(0) }),
  ).rejects.toThrow('shape=undefined, sample of 12 elements. Pass step the shape [N, C, ...] of its sample.');
});
