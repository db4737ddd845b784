import { fromDiffusersConfig, schedulerClassNames } from '@langevin/samplers/compat';
import { expect, test } from 'vitest';
import { goldenParts, readGolden } from './support/golden.ts';

/** Keys of configs that no golden case changes. */
const UNCHANGED: Readonly<Record<string, readonly string[]>> = {
  // One value only.
  DEISMultistepScheduler: ['time_shift_type'],
  DPMSolverMultistepScheduler: ['time_shift_type'],
  DPMSolverSinglestepScheduler: ['time_shift_type'],
  // Interpolation of images between steps, and other schedulers as predictors: refused.
  FlowMatchLCMScheduler: ['scale_factors', 'upscale_mode'],
  HeliosScheduler: ['solver_p', 'use_flow_sigmas'],
  UniPCMultistepScheduler: ['solver_p'],
  // Without effect.
  HeliosDMDScheduler: ['use_flow_sigmas', 'prediction_type'],
  // Python takes an array and no list, which no JSON holds.
  RePaintScheduler: ['trained_betas'],
  // A function; the cases give it beside the config.
  SASolverScheduler: ['tau_func'],
};

test('every class has golden cases, and every key of its config is changed in one', () => {
  const cases = goldenParts.flatMap((part) => readGolden(part).cases);
  const missing = schedulerClassNames.flatMap((name) => {
    const own = cases.filter((golden) => golden.class === name);
    if (own.length === 0) return [name];
    const changed = new Set(own.flatMap(({ config }) => Object.keys(config)));
    return Object.keys(fromDiffusersConfig({ _class_name: name }).config).filter((key) => !changed.has(key) && !(UNCHANGED[name] ?? []).includes(key)).map((key) => `${name}.${key}`);
  });
  expect(missing).toEqual([]);
});
