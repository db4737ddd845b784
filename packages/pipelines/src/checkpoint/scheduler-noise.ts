import { noiseRecipe, type NoiseConfig, type NoiseRecipe } from '@langevin/diffusion';
import { UnsupportedError, UserError } from '@langevin/tensor';
import { showEntry } from '@langevin/tensor/fields';
import type { Evidence } from './evidence.ts';

type Config = Readonly<Record<string, unknown>>;

/** What the schedulers of diffusers call the ways in which betas rise. */
const BETAS: Readonly<Record<string, string>> = {
  linear: 'linear',
  scaled_linear: 'scaled-linear',
  squaredcos_cap_v2: 'squared-cosine',
  sigmoid: 'sigmoid',
  laplace: 'laplace',
};

const PREDICTIONS: Readonly<Record<string, Named>> = {
  epsilon: 'epsilon',
  sample: 'x0',
  v_prediction: 'v',
  flow_prediction: 'flow',
};

const BETA_KEYS = ['beta_schedule', 'beta_start', 'trained_betas'] as const;
/** Classes whose absent keys mean betas by default. */
const BETA_CLASSES = /^(?:DDIM|DDPM|PNDM|Euler|Heun|LMS|KDPM2|DPMSolver|DEIS|UniPC|LCM|TCD|SASolver|IPNDM|UnCLIP)/u;

/** The names of predictions as users may give them. */
export const predictionNames = ['epsilon', 'x0', 'v', 'flow'] as const;

type Named = (typeof predictionNames)[number];

export interface SchedulerNoiseOptions {
  /** What the network predicts, whatever the file says. @default what the file says, epsilon where it does not */
  readonly prediction?: Named;
}

/** What a scheduler's configuration says of the noise that a network was trained on. */
export interface SchedulerNoise {
  readonly noise: NoiseRecipe;
  readonly evidence: readonly Evidence[];
}

/**
 * The noise that a network was trained on, from the configuration of its scheduler in diffusers: the process of its betas, a flow, or EDM.
 *
 * @param config a parsed `scheduler_config.json`; absent keys have the defaults of the classes
 * @throws UserError for values out of range; UnsupportedError for a class that says nothing of the noise
 * @example
 * const { noise, evidence } = noiseOfScheduler({ _class_name: 'DDIMScheduler', beta_schedule: 'scaled_linear' });
 * [noise.process.name, noise.prediction]; // => ['discrete-vp', 'epsilon']
 * evidence.find(({ what }) => what === 'prediction')!.from; // => 'the default of diffusers, as prediction_type is absent'
 */
export function noiseOfScheduler(config: Config, { prediction: asked }: SchedulerNoiseOptions = {}): SchedulerNoise {
  const className = String(config['_class_name'] ?? '');
  if (asked !== undefined && !predictionNames.includes(asked))
    throw new UserError(`[pipelines/checkpoint] unknown prediction: prediction=${showEntry(asked)}. Known: ${predictionNames.join(', ')}.`);
  const flow = className.startsWith('FlowMatch') || config['use_flow_sigmas'] === true || config['prediction_type'] === 'flow_prediction';
  if (flow) return flowNoise(config, asked);
  if (className.startsWith('EDM')) return edmNoise(config);
  if (!BETA_KEYS.some((key) => key in config) && !BETA_CLASSES.test(className))
    throw new UnsupportedError(
      `[pipelines/checkpoint] scheduler says nothing of the noise: _class_name=${showEntry(className)}. Name a scheduler of diffusers with `
        + 'betas, a flow, or EDM.',
    );
  const process = processOfBetas(config);
  const { value, from } = predictionOf(config, asked);
  return {
    noise: noiseRecipe({ process, prediction: value }),
    evidence: [
      { component: 'scheduler', what: 'noise', value: JSON.stringify(process), from: 'scheduler/scheduler_config.json' },
      { component: 'scheduler', what: 'prediction', value, from },
    ],
  };
}

function predictionOf(config: Config, asked: Named | undefined): { readonly value: Named; readonly from: string } {
  if (asked !== undefined) return { value: asked, from: 'asked for' };
  const named = config['prediction_type'];
  if (named === undefined || named === null) return { value: 'epsilon', from: 'the default of diffusers, as prediction_type is absent' };
  const value = typeof named === 'string' && Object.hasOwn(PREDICTIONS, named) ? PREDICTIONS[named] : undefined;
  if (value !== undefined) return { value, from: 'scheduler/scheduler_config.json, prediction_type' };
  throw new UserError(
    `[pipelines/checkpoint] scheduler has an unknown prediction: prediction_type=${showEntry(named)}. Known: `
      + `${Object.keys(PREDICTIONS).join(', ')}. Say it with the option prediction.`,
  );
}

function processOfBetas(config: Config): NonNullable<NoiseConfig['process']> {
  const { trained_betas: trained, beta_schedule: schedule = 'linear', rescale_betas_zero_snr: rescaled, snr_shift_scale: shift } = config;
  const steps = config['num_train_timesteps'] ?? 1000;
  const terminal = { ...(rescaled === true && { terminalSnr: 'zero' }), ...(typeof shift === 'number' && { snrShift: shift }) };
  if (Array.isArray(trained)) return { name: 'discrete-vp', betas: trained as readonly number[], ...terminal };
  const betas = typeof schedule === 'string' && Object.hasOwn(BETAS, schedule) ? BETAS[schedule] : undefined;
  if (betas === undefined)
    throw new UserError(
      `[pipelines/checkpoint] scheduler has unknown betas: beta_schedule=${showEntry(schedule)}. Known: `
        + `${Object.keys(BETAS).join(', ')}, or a list trained_betas.`,
    );
  const { beta_start: betaStart = 0.0001, beta_end: betaEnd = 0.02 } = config;
  return { name: 'discrete-vp', betas, steps, betaStart, betaEnd, ...terminal };
}

function flowNoise(config: Config, asked: Named | undefined): SchedulerNoise {
  return {
    noise: noiseRecipe({ process: { name: 'flow' }, prediction: asked ?? 'flow' }),
    evidence: [
      { component: 'scheduler', what: 'noise', value: 'a flow', from: `scheduler/scheduler_config.json, ${String(config['_class_name'])}` },
      {
        component: 'scheduler',
        what: 'prediction',
        value: asked ?? 'flow',
        from: asked === undefined ? 'scheduler/scheduler_config.json, a flow' : 'asked for',
      },
    ],
  };
}

function edmNoise(config: Config): SchedulerNoise {
  const { sigma_min: sigmaMin = 0.002, sigma_max: sigmaMax = 80, sigma_data: sigmaData = 0.5, rho = 7 } = config;
  return {
    noise: noiseRecipe({ process: { name: 'edm', sigmaMin, sigmaMax, rho }, preconditioning: { name: 'edm', sigmaData } }),
    evidence: [{ component: 'scheduler', what: 'noise', value: 'EDM', from: 'scheduler/scheduler_config.json' }],
  };
}
