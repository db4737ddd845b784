import { edm, edmPreconditioning, type NoiseProcess, type Preconditioning } from '@langevin/core-schedules';
import { UserError } from '@langevin/tensor';
import * as v from 'valibot';

/** The noise a model was trained for, in the terms of Karras et al. 2022 (arXiv:2206.00364), table 1. */
export interface EdmDescription {
  /** Least noise of a sampling run, > 0. */
  readonly sigmaMin: number;
  /** Noise that a sampling run starts with, > sigmaMin. */
  readonly sigmaMax: number;
  /** Standard deviation of the training data, > 0. */
  readonly sigmaData: number;
  /** Curvature of the time grid. */
  readonly rho: number;
}

/** The paper's values, for images in [-1, 1]. */
export const EDM_DEFAULTS: EdmDescription = Object.freeze({ sigmaMin: 0.002, sigmaMax: 80, sigmaData: 0.5, rho: 7 });

const positive = v.pipe(v.number(), v.finite(), v.gtValue(0));

/** Schedulers of diffusers that say of a model what is said here. */
export const SCHEDULERS = ['EDMEulerScheduler', 'EDMDPMSolverMultistepScheduler'] as const;

/** `scheduler_config.json`, in the form of diffusers' EDM schedulers. */
export const schedulerSchema = v.looseObject({
  _class_name: v.picklist(SCHEDULERS),
  sigma_min: v.optional(positive, EDM_DEFAULTS.sigmaMin),
  sigma_max: v.optional(positive, EDM_DEFAULTS.sigmaMax),
  sigma_data: v.optional(positive, EDM_DEFAULTS.sigmaData),
  rho: v.optional(positive, EDM_DEFAULTS.rho),
  prediction_type: v.optional(
    v.picklist(['epsilon'], 'Only "epsilon", which stands for the sign of Karras et al., is known here'),
    'epsilon',
  ),
});

/** @throws UserError when the range is empty */
export function fromSchedulerConfig(config: v.InferOutput<typeof schedulerSchema>, path: string): EdmDescription {
  const description = { sigmaMin: config.sigma_min, sigmaMax: config.sigma_max, sigmaData: config.sigma_data, rho: config.rho };
  if (description.sigmaMin < description.sigmaMax) return description;
  throw new UserError(
    `[pipelines/files] noise levels have no range: file=${path}, sigma_min=${config.sigma_min}, sigma_max=${config.sigma_max}. `
      + 'Correct the file.',
  );
}

export function toSchedulerConfig({ sigmaMin, sigmaMax, sigmaData, rho }: EdmDescription): Readonly<Record<string, unknown>> {
  return {
    _class_name: 'EDMEulerScheduler',
    sigma_min: sigmaMin,
    sigma_max: sigmaMax,
    sigma_data: sigmaData,
    rho,
    sigma_schedule: 'karras',
    prediction_type: 'epsilon',
    num_train_timesteps: 1000,
  };
}

export function processOf({ sigmaMin, sigmaMax, rho }: EdmDescription): NoiseProcess {
  return edm({ sigmaMin, sigmaMax, rho });
}

export function preconditioningOf({ sigmaData }: EdmDescription): Preconditioning {
  return edmPreconditioning({ sigmaData });
}
