import type { StepOptions, TimestepsOptions } from '../../compat/call-options.ts';
import type { DiffusersScheduler } from '../../compat/diffusers-scheduler.ts';
import { knownImage, knownMask, networkOutput, noiseOf } from './formulas.ts';

const camel = (key: string): string => key.replace(/_([a-z])/gu, (_, letter: string) => letter.toUpperCase());
const STEP_NAMES: Readonly<Record<string, string>> = { s_tmin: 'sTMin', s_tmax: 'sTMax' };

function camelKeys(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [STEP_NAMES[key] ?? camel(key), value]));
}

/** Python's arguments of set_timesteps and of step under the names that they have here. */
export const timestepsOptionsOf = (set: Readonly<Record<string, unknown>>): TimestepsOptions => camelKeys(set);
export const stepOptionsOf = (step: Readonly<Record<string, unknown>>): StepOptions<Float64Array> => camelKeys(step);

/** One call of a run, made as Python's pipelines make it for the class. */
export interface GoldenCall {
  readonly scheduler: DiffusersScheduler<Float64Array>;
  /** Its number in the list of timesteps. */
  readonly place: number;
  readonly sample: Float64Array;
  /** Where noise comes from. */
  readonly noise: StepOptions<Float64Array>;
  /** Other options of step. */
  readonly options: StepOptions<Float64Array>;
  /** What the caller does to a state that the scheduler has made within the call. */
  readonly change?: (x: Float64Array) => Float64Array;
  /** Looks at each output of the network before step is given it, with the step itself. */
  readonly before?: (step: (output: Float64Array) => Promise<unknown>, output: Float64Array) => Promise<void>;
}

/** The sample that the call leads to. */
export async function makeCall(call: GoldenCall): Promise<Float64Array> {
  const { scheduler, place, sample: x, noise, options } = call;
  const { className: name, timesteps } = scheduler;
  const t = timesteps[place]!;
  const step = async (output: Float64Array, sample: Float64Array, more: StepOptions<Float64Array> = {}): Promise<Float64Array> => {
    const once = (given: Float64Array) => scheduler.step(given, t, sample, { ...options, ...noise, ...more });
    await call.before?.(once, output);
    return (await once(output)).prevSample;
  };
  switch (name) {
    case 'RePaintScheduler': {
      const before = place === 0 ? t + 1 : timesteps[place - 1]!;
      if (t >= before) return scheduler.undoStep(x, before, noise);
      return step(networkOutput(x, t), x, { originalImage: knownImage(x.length), mask: knownMask(x.length) });
    }
    case 'KarrasVeScheduler': {
      const opens = place === 0 || timesteps[place - 1] !== t;
      const { sampleHat, sigmaHat } = await scheduler.addNoiseToInput(x, t, noise);
      const hat = opens ? (call.change?.(sampleHat) ?? sampleHat) : sampleHat;
      const shown = hat.map((value) => value / (1 + sigmaHat));
      return step(networkOutput(shown, 0), hat);
    }
    case 'ScoreSdeVeScheduler': {
      const last = scheduler.sigmas.length - 2;
      const sigma = scheduler.sigmas[last - Math.trunc(Math.fround(t * last))]!;
      const shown = x.map((value) => value / (1 + sigma));
      return step(
        networkOutput(shown, t).map((value) => -value / (1 + sigma)),
        x,
      );
    }
    case 'HeliosDMDScheduler': {
      const tables = { dmdSigmas: scheduler.sigmas, dmdTimesteps: timesteps, allTimesteps: timesteps };
      return step(networkOutput(x, t), x, { curSamplingStep: place, dmdNoisyTensor: noiseOf(place, x.length), ...tables });
    }
    default: {
      const { variance_type: variance } = scheduler.config;
      const learned = variance === 'learned' || variance === 'learned_range';
      return step(networkOutput(scheduler.scaleModelInput(x, t), t, learned ? x.length / 2 : 0), x);
    }
  }
}

/** Where a class takes the noise of the formula from. */
export function noiseKind({ stepOptions, config }: DiffusersScheduler<Float64Array>): 'generator' | 'path' | 'none' {
  // A Brownian path of the config's seed needs none.
  if (typeof config['noise_sampler_seed'] === 'number') return 'none';
  if (stepOptions.includes('generator')) return 'generator';
  return stepOptions.includes('seed') ? 'path' : 'none';
}
