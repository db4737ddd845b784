import type { Algebra } from '@langevin/core';
import { arrayAlgebra } from '@langevin/core-schedules';
import { fromDiffusersConfig, schedulerClassNames, type DiffusersScheduler } from '@langevin/samplers/compat';
import { torchGenerator, UnsupportedError, UserError } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';

type Scheduler = DiffusersScheduler<Float64Array>;
const make = (name: string, config: object = {}): Scheduler =>
  fromDiffusersConfig<Float64Array>(
    { _class_name: `${name}Scheduler`, ...config },
    { algebra: arrayAlgebra() as unknown as Algebra<Float64Array> },
  );
const foreign = (value: unknown) => value as never;
const x = Float64Array.of(0.5);

/** What is thrown at a call: nothing, or a value that has to be a UserError of compat with advice. */
async function refusalOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    expect(error instanceof UserError || error instanceof UnsupportedError, String(error)).toBe(true);
    expect((error as Error).message.length).toBeLessThan(1500);
    return (error as Error).message;
  }
  return 'accepted';
}

/** A whole run over one element with v = 0.1 x. */
async function run(scheduler: Scheduler): Promise<number> {
  let state: Float64Array = x;
  const generator = torchGenerator(0);
  for (const t of scheduler.timesteps) {
    const options = scheduler.stepOptions.includes('generator') ? { generator } : scheduler.stepOptions.includes('seed') ? { seed: 1 } : {};
    const output = scheduler.scaleModelInput(state, t).map((value) => 0.1 * value);
    ({ prevSample: state } = await scheduler.step(output, t, state, options));
  }
  return state[0]!;
}

test('a run whose first timestep stands twice says where it began and how to begin elsewhere', async () => {
  // Of the cosine chain the first levels of Karras' rule all lie at timestep 999 or 998.
  const scheduler = make('DPMSolverMultistep', { beta_schedule: 'squaredcos_cap_v2', use_karras_sigmas: true });
  scheduler.setTimesteps(20);
  const places = [...scheduler.timesteps.keys()].filter((i) => scheduler.timesteps[i] === scheduler.timesteps[0]);
  expect(places.length).toBeGreaterThan(1);
  const refusal = await refusalOf(() => run(scheduler));
  expect(refusal).toContain(`is over: stepIndex=20. Its first timestep ${scheduler.timesteps[0]} stands at 0, 1`);
  expect(refusal).toContain('and it began at 1, as in Python. Say where to begin with setBeginIndex');
  scheduler.setTimesteps(20);
  scheduler.setBeginIndex(0);
  expect(Number.isFinite(await run(scheduler))).toBe(true);
  // Without repetition nothing of the kind is said.
  const plain = make('DPMSolverMultistep');
  plain.setTimesteps(2);
  await run(plain);
  expect(await refusalOf(() => run(plain))).toMatch(/timesteps is over: stepIndex=2\. Call setTimesteps/u);
});

describe.each(schedulerClassNames.map((name) => name.replace(/Scheduler$/u, '')))('%s', (name) => {
  test('setTimesteps takes a count, or an object that says how long the run is', async () => {
    const scheduler = make(name);
    const before = [...scheduler.timesteps];
    const hole = Array.from<number>({ length: 3 }).fill(1);
    delete hole[1];
    const lists: unknown[] = [{ timesteps: hole }, { sigmas: hole }, { sigmas: 3 }, { timesteps: [] }, { timesteps: [Number.NaN] }];
    for (const wrong of [{}, [], [3], true, 10n, '3', null, undefined, 0, -1, 2.5, 1e9, Number.NaN, { numInferenceSteps: '3' }, ...lists])
      expect(await refusalOf(() => scheduler.setTimesteps(foreign(wrong)))).toMatch(/^\[samplers\/compat\] .* [A-Z]/u);
    expect(scheduler.timesteps).toEqual(before);
    expect(scheduler.stepIndex).toBeUndefined();
  });

  test('what is no state, no option and no timestep is refused', async () => {
    const scheduler = make(name);
    const set = { Helios: { numInferenceSteps: 4, stageIndex: 1 }, HeliosDMD: { numInferenceSteps: 4, stageIndex: 1 } };
    scheduler.setTimesteps(
      Object.hasOwn(set, name) ? set[name as keyof typeof set] : name === 'ConsistencyDecoder' || name === 'SCM' ? 2 : 4,
    );
    const t = scheduler.timesteps[0]!;
    const generator = torchGenerator(0);
    for (const wrong of [null, undefined, 3, 'x', {}, [1], new Int8Array(1), Float64Array.of(1, 2), Float64Array.of(Number.NaN)]) {
      expect(await refusalOf(() => scheduler.step(foreign(wrong), t, x, {}))).not.toBe('accepted');
      if (!(wrong instanceof Float64Array && wrong.length === 2))
        expect(await refusalOf(() => scheduler.step(x, t, foreign(wrong), {}))).not.toBe('accepted');
      expect(await refusalOf(() => scheduler.addNoise(x, foreign(wrong), t))).not.toBe('accepted');
    }
    for (const wrong of [
      null,
      3,
      [],
      { generator: null },
      { generator: {} },
      { generator: [] },
      { noise: null },
      { eta: '1' },
      { seed: 1.5 },
    ])
      expect(await refusalOf(() => scheduler.step(x, t, x, foreign(wrong)))).not.toBe('accepted');
    for (const pair of [
      { generator, noise: x },
      { generator, seed: 1 },
      { noise: x, seed: 1 },
    ])
      expect(await refusalOf(() => scheduler.step(x, t, x, pair))).not.toBe('accepted');
    for (const wrong of [Number.NaN, Infinity, '1', null, undefined, []])
      expect(await refusalOf(() => scheduler.step(x, foreign(wrong), x, {}))).not.toBe('accepted');
    for (const wrong of [-1, 0.5, 1e6, Number.NaN, '0', null])
      expect(await refusalOf(() => scheduler.setBeginIndex(foreign(wrong)))).not.toBe('accepted');
    expect(await refusalOf(() => scheduler.step(x, t, x, foreign({ ['k'.repeat(1e6)]: 1 })))).toContain('does not take this option: kkk');
  });

  test('long runs end finite or are refused, and nothing is lost on the stack', async () => {
    for (const steps of [1000, 100_000]) {
      const scheduler = make(name);
      const message = await refusalOf(() => scheduler.setTimesteps(steps));
      // A short part of the run is enough to meet levels that stand twice.
      if (message === 'accepted') expect(scheduler.timesteps.length).toBeGreaterThan(0);
    }
  });
});

test('two levels that are the same are refused before the run, where a method has slopes between them', async () => {
  for (const name of [
    'DPMSolverMultistep',
    'DPMSolverMultistepInverse',
    'DPMSolverSinglestep',
    'DEISMultistep',
    'UniPCMultistep',
    'SASolver',
  ]) {
    const message = await refusalOf(() => make(name).setTimesteps(5000));
    if (name !== 'DPMSolverMultistepInverse') expect(message).toContain('Take fewer steps, or a method of order 1.');
    // 1000 steps on 1000 timesteps meet one of them twice, which between two blocks of a single-step method is no harm.
    if (name === 'DPMSolverMultistep') expect(await refusalOf(() => make(name).setTimesteps(1000))).toContain('timesteps, sigmas[499]=');
    if (name === 'DPMSolverSinglestep') make(name).setTimesteps(1000);
    const scheduler = make(name);
    scheduler.setTimesteps(60);
    expect(await run(scheduler)).toSatisfy(Number.isFinite);
  }
});

test('levels that lead nowhere are refused: sigma_min of 0 or above sigma_max, times outside of a chain, steps upwards', async () => {
  const euler = make('EulerDiscrete', { use_karras_sigmas: true, sigma_min: 0 });
  expect(await refusalOf(() => euler.setTimesteps(5))).toContain('Raise sigma_min above 0');
  expect(await refusalOf(() => make('EulerDiscrete').setTimesteps({ sigmas: [3, -1, 0] }))).toContain('sigmas[1]=-1');
  const ve = make('ScoreSdeVe', { sigma_min: 5, sigma_max: 1 });
  expect(await refusalOf(() => ve.setTimesteps(5))).toContain('sigma_min=5, sigma_max=1. Swap them.');
  const other = make('ScoreSdeVe');
  other.setTimesteps(5);
  expect(await refusalOf(() => other.step(x, 0.123, x, { noise: x }))).toContain('the timestep is not one of this run: t=0.123');
  const unclip = make('UnCLIP');
  unclip.setTimesteps(5);
  expect(await refusalOf(() => unclip.step(x, 250, x, { prevTimestep: 500, noise: x }))).toContain('t=250, prevTimestep=500');
});

test('a flow ends where sigma is 0, and stays there', async () => {
  for (const name of ['FlowMatchEulerDiscrete', 'FlowMapEulerDiscrete']) {
    const scheduler = make(name);
    scheduler.setTimesteps({ sigmas: [1, 0.5, 0] });
    // x (1 - 0.5 * 0.1) twice; from sigma = 0 to 0 nothing moves.
    expect(await run(scheduler)).toBeCloseTo(0.5 * 0.95 * 0.95, 12);
  }
});

test('a sample that is changed between the two calls of a step counts: KDPM2 on v as diffusers steps', async () => {
  const scheduler = make('KDPM2Discrete', {
    beta_start: 0.00085,
    beta_end: 0.012,
    beta_schedule: 'scaled_linear',
    prediction_type: 'v_prediction',
  });
  scheduler.setTimesteps(2);
  let state = Float64Array.of(1);
  for (const [i, t] of scheduler.timesteps.entries())
    ({ prevSample: state } = (await scheduler.step(Float64Array.of(0.3), t, i === 0 ? state : state.map((value) => value / 2), {})) as {
      prevSample: Float64Array<ArrayBuffer>;
    });
  expect(state[0]).toBeCloseTo(-0.9446217, 6);
});

test('schedulers within schedulers have an end', async () => {
  let deep: object = { _class_name: 'DPMSolverMultistepScheduler' };
  for (let i = 0; i < 20_000; i++) deep = { _class_name: 'UniPCMultistepScheduler', solver_p: deep };
  const cyclic: Record<string, unknown> = { _class_name: 'UniPCMultistepScheduler' };
  cyclic['solver_p'] = cyclic;
  for (const config of [deep, cyclic]) {
    const scheduler = fromDiffusersConfig(config);
    expect(await refusalOf(() => scheduler.setTimesteps(5))).toContain('go too deep');
    expect(await refusalOf(() => fromDiffusersConfig({ _class_name: 'HeliosScheduler', solver_p: config }))).not.toBe('accepted');
  }
});

test('what configs hold is bounded and echoed in short', async () => {
  const sparse = Array.from<number>({ length: 1000 });
  delete sparse[7];
  for (const config of [
    { _class_name: 'x'.repeat(1e6) },
    { _class_name: 'DDIMScheduler', trained_betas: sparse },
    { _class_name: 'DDIMScheduler', beta_schedule: 'y'.repeat(1e6) },
    { _class_name: 'DPMSolverMultistepScheduler', lambda_min_clipped: '-Infinity' },
  ])
    expect((await refusalOf(() => fromDiffusersConfig(config))).length).toBeLessThan(1500);
  for (const options of [null, 3])
    expect(await refusalOf(() => fromDiffusersConfig({ _class_name: 'DDIMScheduler' }, foreign(options)))).not.toBe('accepted');
  // As diffusers saves it and parsePythonJson of @langevin/io reads it.
  expect(make('DPMSolverMultistep', { lambda_min_clipped: -Infinity }).config['lambda_min_clipped']).toBe(-Infinity);
});

test('calls that overlap are refused, and setTimesteps within one begins a run that it does not touch', async () => {
  const scheduler = make('HeunDiscrete');
  scheduler.setTimesteps(2);
  const [t] = scheduler.timesteps;
  const first = scheduler.step(x, t!, x);
  expect(await refusalOf(() => scheduler.step(x, t!, x))).toContain('Await each call');
  scheduler.setTimesteps(3);
  await first;
  expect(scheduler.stepIndex).toBeUndefined();
});
