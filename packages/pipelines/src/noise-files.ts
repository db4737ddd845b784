import { noiseRecipe, type NoiseParts, type NoiseRecipe } from '@langevin/diffusion';
import { UnsupportedError, UserError } from '@langevin/tensor';
import * as v from 'valibot';
import { readChecked } from './checked.ts';

const positive = v.pipe(v.number(), v.finite(), v.gtValue(0));

/** Schedulers of diffusers that say all that sampling has to know of a model. */
const SCHEDULERS = ['EDMEulerScheduler', 'EDMDPMSolverMultistepScheduler'] as const;

/** `scheduler_config.json`, in the form of diffusers' EDM schedulers, with their defaults. */
const schedulerSchema = v.looseObject({
  _class_name: v.optional(v.picklist(SCHEDULERS)),
  sigma_min: v.optional(positive, 0.002),
  sigma_max: v.optional(positive, 80),
  sigma_data: v.optional(positive, 0.5),
  rho: v.optional(positive, 7),
  prediction_type: v.optional(
    v.picklist(['epsilon'], 'Only "epsilon", which stands for the sign of Karras et al., is known here'),
    'epsilon',
  ),
});

/**
 * The noise of a model from the file of its scheduler.
 *
 * @throws UserError for a file of another form; UnsupportedError for a scheduler of another kind, which is no fault of the file
 */
export async function readScheduler(path: string): Promise<NoiseRecipe> {
  const { _class_name: className } = await readChecked(path, v.looseObject({ _class_name: v.optional(v.string()) }));
  if (className !== undefined && !SCHEDULERS.some((known) => known === className))
    throw new UnsupportedError(
      `[pipelines/folder] scheduler is not supported: _class_name=${JSON.stringify(className.slice(0, 80))}, file=${path}. Models are `
        + `loaded with ${SCHEDULERS.join(' or ')}, or with "noise" in model_index.json; that of others can be put together by hand, see `
        + 'docs/cookbook.md.',
    );
  const config = await readChecked(path, schedulerSchema);
  if (config.sigma_min >= config.sigma_max)
    throw new UserError(
      `[pipelines/files] noise levels have no range: file=${path}, sigma_min=${config.sigma_min}, sigma_max=${config.sigma_max}. `
        + 'Correct the file.',
    );
  return noiseRecipe({
    process: { name: 'edm', sigmaMin: config.sigma_min, sigmaMax: config.sigma_max, rho: config.rho },
    preconditioning: { name: 'edm', sigmaData: config.sigma_data },
  });
}

/**
 * A scheduler of diffusers that stands for the same noise, as its `scheduler_config.json`; undefined where there is none: such a model is
 * read by its `noise` alone.
 */
export function schedulerOf({ process, preconditioning, prediction, config }: NoiseRecipe): Readonly<Record<string, unknown>> | undefined {
  const options = (config.process ?? {}) as Readonly<Record<string, unknown>>;
  if (process.name === 'edm' && preconditioning.name === 'edm') {
    const { sigmaMin = 0.002, sigmaMax = 80, rho = 7 } = options;
    const { sigmaData = 0.5 } = (config.preconditioning ?? {}) as Readonly<Record<string, unknown>>;
    return {
      ...{ _class_name: 'EDMEulerScheduler', sigma_min: sigmaMin, sigma_max: sigmaMax, sigma_data: sigmaData, rho },
      ...{ sigma_schedule: 'karras', prediction_type: 'epsilon', num_train_timesteps: 1000 },
    };
  }
  if (process.name === 'flow' && prediction === 'flow' && Object.keys(options).length === 1) {
    return { _class_name: 'FlowMatchEulerDiscreteScheduler', num_train_timesteps: 1000, shift: 1 };
  }
  return undefined;
}

/** Whether {@link readScheduler} reads such a scheduler back. */
export function isRead(scheduler: Readonly<Record<string, unknown>> | undefined): boolean {
  return SCHEDULERS.some((name) => name === scheduler?.['_class_name']);
}

/** `noise` of model_index.json. @throws UserError naming the file, when an entry is wrong */
export function parseNoise(config: unknown, { file, parts }: { readonly file: string; readonly parts: Partial<NoiseParts> }): NoiseRecipe {
  try {
    return noiseRecipe(config, parts);
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`${error.message} File: ${file}.`, { cause: error });
    throw error;
  }
}
