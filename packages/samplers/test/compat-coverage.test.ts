import { fromDiffusersConfig, schedulerClassNames } from '@langevin/samplers/compat';
import { expect, test } from 'vitest';
import { compatChoices } from '@langevin/samplers/testing';
import { goldenParts, readGolden } from './support/golden.ts';

/** Keys of configs that no golden case changes. */
const UNCHANGED: Readonly<Record<string, readonly string[]>> = {
  // One value only.
  DEISMultistepScheduler: ['time_shift_type'],
  DPMSolverMultistepScheduler: ['time_shift_type'],
  DPMSolverSinglestepScheduler: ['time_shift_type'],
  // Without effect.
  HeliosDMDScheduler: ['use_flow_sigmas', 'prediction_type'],
  // Python takes an array and no list, which no JSON holds.
  RePaintScheduler: ['trained_betas'],
  // A function; the cases give it beside the config.
  SASolverScheduler: ['tau_func'],
};

/** Values with which diffusers raises or gives NaN whatever else is chosen. */
const ALWAYS_FAILS: readonly string[] = [
  'DDPMScheduler.variance_type="fixed_large_log"',
  'DDPMParallelScheduler.variance_type="fixed_large_log"',
  'DPMSolverMultistepInverseScheduler.algorithm_type="sde-dpmsolver"',
  'DPMSolverMultistepInverseScheduler.algorithm_type="sde-dpmsolver++"',
  'CosineDPMSolverMultistepScheduler.final_sigmas_type="sigma_min"',
  'SASolverScheduler.variance_type="learned"',
  'SASolverScheduler.variance_type="learned_range"',
  'HeliosScheduler.thresholding=true',
  'HeliosScheduler.scheduler_type="dmd"',
];

test('every class has golden cases, and every key of its config is changed in one', () => {
  const cases = goldenParts.flatMap((part) => readGolden(part).cases);
  const missing = schedulerClassNames.flatMap((name) => {
    const own = cases.filter((golden) => golden.class === name);
    if (own.length === 0) return [name];
    const changed = new Set(own.flatMap(({ config }) => Object.keys(config)));
    return Object.keys(fromDiffusersConfig({ _class_name: name }).config)
      .filter((key) => !changed.has(key) && !(UNCHANGED[name] ?? []).includes(key))
      .map((key) => `${name}.${key}`);
  });
  expect(missing).toEqual([]);
});

test('every value of every key that takes one of a few is run, in a case that diffusers does not fail at where there is one', () => {
  const cases = goldenParts.flatMap((part) => readGolden(part).cases);
  const named = (rows: ReturnType<typeof compatChoices>) =>
    rows.flatMap((row) =>
      row.values.filter((each) => each.cases === 0).map(({ value }) => `${row.class}.${row.option}=${JSON.stringify(value)}`),
    );
  expect(named(compatChoices(cases))).toEqual([]);
  expect(named(compatChoices(cases.filter(({ fails }) => fails === undefined)))).toEqual(ALWAYS_FAILS);
});
